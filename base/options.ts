import { didYouMean } from './didYouMean.ts'
import { type Duration, parseDuration } from './duration.ts'
import { UnderstudyError } from './errors.ts'

export interface Option<T> {
  /** The flag's argument, as --help shows it. */
  argument: string
  /** What it means, units and clause included. */
  description: string
  /** Shown for a default that is made when the mock starts. */
  defaultText?: string
  default: () => T
  /** Reads the flag's or the variable's text; throws what was expected instead. */
  parse: (nonEmptyText: string) => T
}

/** An option of any type; a flag without a value is on if it is given. */
export type OptionRow = Option<unknown> & { isFlag?: true }

class ExpectationError extends Error {}

export const expected = (what: string): never => {
  throw new ExpectationError(what)
}

export const wholeNumber = (min: number, max: number, unit: string) => (text: string) => {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN
  return value >= min && value <= max ? value : expected(`a whole number from ${min} to ${max}${unit}`)
}

export const numberFrom0 = (unit: string) => (text: string) => {
  const value = Number(text)
  return text.trim() !== '' && value >= 0 && value < 1e12 ? value : expected(`a number of 0 or more${unit}`)
}

export const text =
  (what: string) =>
  (value: string): string =>
    value === '' ? expected(what) : value

export const seedText = (value: string): string => text('a text, such as 42')(value)

/** --webhook-secret for webhookSecret. */
export const flagOf = (name: string): string => `--${name.replace(/[A-Z]/g, letter => `-${letter.toLowerCase()}`)}`

/** UNDERSTUDY_CHECK_JOB_TIMEOUT for jobTimeout of check. Variables of `serve` have no verb in their names. */
export const variableOf = (name: string, verb?: string): string =>
  `UNDERSTUDY_${verb === undefined ? '' : `${verb.replaceAll('-', '_')}_`}${name.replace(/[A-Z]/g, letter => `_${letter}`)}`.toUpperCase()

/** A wrong option: its message says what was found, what was expected and what to do. */
export class ConfigError extends UnderstudyError {
  override readonly name: string = 'ConfigError'
  readonly code: `ERR_${string}` = 'ERR_CONFIG'
}

/** The same of an option of any table. */
export function parseAs<T>(option: Pick<Option<T>, 'parse'>, value: string, source: string): T {
  try {
    return option.parse(value)
  } catch (error) {
    if (!(error instanceof ExpectationError)) throw error
    throw new ConfigError(`${source} is ${JSON.stringify(value)}; expected ${error.message}`)
  }
}

export const commaList = (what: string) => (value: string) => {
  const items = value.split(',').map(item => item.trim())
  return items.every(item => item !== '') ? items : expected(what)
}

export const onOff = (value: string): boolean =>
  /^(on|true|1)$/.test(value) ? true : /^(off|false|0)$/.test(value) ? false : expected('on or off')

/** "30s", "500ms", or a number of ms. */
export const durationMs = (value: string): number => {
  const ms = /^\d+$/.test(value) ? Number(value) : parseDuration(value)
  return ms !== undefined && ms >= 1 && ms <= 604_800_000 ? ms : expected('a time from 1ms to 7d, such as 30s')
}

/** Milliseconds of a duration, as the API takes it. Throws a ConfigError for what is none, or below 0. */
export function durationToMs(given: Duration): number {
  const ms = typeof given === 'number' ? given : parseDuration(given)
  if (ms === undefined || !(ms >= 0))
    throw new ConfigError(`${JSON.stringify(given)} is not a time; expected one such as "500ms", "5s" or 250 (ms)`)
  return ms
}

/** Throws a ConfigError for an option that is not known: a misspelled one would do nothing. */
export function refuseUnknown(given: object, known: readonly string[]): void {
  const unknown = Object.keys(given).find(name => !known.includes(name))
  if (unknown === undefined) return
  const inCamelCase = unknown.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
  const hint = known.includes(inCamelCase)
    ? `; it is ${inCamelCase}`
    : didYouMean(unknown, known) || `; expected ${known.join(', ')}`
  throw new ConfigError(`There is no option ${JSON.stringify(unknown)}${hint}`)
}

export const httpUrl = (value: string): string =>
  /^https?:\/\//.test(value) && URL.canParse(value) ? value : expected('an http or https URL')

export const noDefault = () => undefined

/** The token of a mock that is not on loopback. */
export const adminTokenOption = {
  argument: '<token>',
  description: "opens the mock's /__mock off loopback",
  defaultText: 'none',
  default: noDefault,
  parse: text('a token'),
} as const

/** Of what sends over TLS: whom to trust beside the system's authorities, and the certificate to show where one is asked for. */
export const tlsFileOptions = {
  ca: {
    argument: '<file>',
    description: 'PEM file of a certificate authority to trust',
    defaultText: "the system's",
    default: noDefault,
    parse: text('a file'),
  },
  clientCert: {
    argument: '<file>',
    description: 'PEM file of a certificate to show to a server that asks for one (mutual TLS)',
    defaultText: 'none',
    default: noDefault,
    parse: text('a file'),
  },
  clientKey: {
    argument: '<file>',
    description: 'PEM file of its private key',
    defaultText: 'the file of --client-cert',
    default: noDefault,
    parse: text('a file'),
  },
} as const

/** The port that the mock listens on, and that other verbs find it by. */
export const portOption = {
  argument: '<port>',
  description: 'TCP port; 0 takes a free one',
  default: () => 4010,
  parse: wholeNumber(0, 65535, ''),
} as const

/** 20, 0.5 or "instant": how many times faster than by default. */
export const speedFactor = (value: string): number | 'instant' => {
  if (value === 'instant') return value
  const factor = Number(value)
  return factor > 0 && factor <= 1e6 ? factor : expected('"instant" or a number above 0, such as 20')
}
