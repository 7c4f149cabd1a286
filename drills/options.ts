/**
 * Every option of `understudy drill` in one table. --help, the README and drill()'s defaults are read from here; what
 * each drill takes, and its own defaults, stand with the drill.
 */
import { durationMs, expected, httpUrl, type Option, type OptionRow, text, wholeNumber } from '../base/options.ts'
import type { TlsFiles } from '../base/pem.ts'
import { checkOptions } from '../suite/options.ts'

import { type Mix, mixText, parseMix } from './calls.ts'
import { parseThreshold, type Threshold } from './thresholds.ts'

export interface DrillSettings extends TlsFiles {
  /** A valid API key. On the mock keys are created if none is given, with the limits that the drill needs. */
  key?: string
  /** A valid key of another account (burst). */
  secondKey?: string
  /** Requests to send a second. */
  rate?: number
  /** Length of the load, ms. */
  duration?: number
  /** Requests of burst and recover in total. */
  calls?: number
  /** Connections that burst uses in parallel. */
  connections?: number
  /** Virtual users. */
  users?: number
  /** Journeys that each user makes. */
  journeys?: number
  /** First and last rate of a ramp, in requests a second, its number of steps, and ms of each. */
  from?: number
  to?: number
  steps?: number
  stepTime?: number
  /** Shares of the calls. */
  mix?: Mix
  /** Scenario of the mock during the outage. */
  scenario?: string
  /** ms from the start to the outage, and ms that it lasts. */
  outageAt?: number
  outageFor?: number
  /** Shell commands that start the outage and stop it, for a target that is not a mock. */
  outageStart?: string
  outageStop?: string
  /** URL of the server's Prometheus metrics. */
  metricsUrl?: string
  /** A video file of your own for the uploads. */
  clip?: string
  /** Timeout of one response, ms. */
  timeout?: number
  /** Timeout of one job, ms. */
  jobTimeout?: number
  /** Longest Retry-After that is waited for, ms. */
  maxWait?: number
  /** Most connections in parallel. */
  maxConnections?: number
  /** Threads that send the load; 1 is this one. */
  generators?: number
  /** Responses a second that are checked against the contract. */
  sample?: number
  threshold?: Threshold[]
  /** A file of thresholds. */
  thresholds?: string
  /** Seed of everything random. */
  seed?: string
  header?: string[]
  insecure?: boolean
  adminToken?: string
  /** Use the mock's /__mock if the target has one. */
  control?: boolean
  /** Drill a target that is not on loopback. */
  allowRemote?: boolean
  /** Limits off loopback: requests a second, requests in total, ms. */
  maxRate?: number
  maxRequests?: number
  maxTime?: number
}

export type DrillOptionName = keyof DrillSettings
type Table = {
  [Name in DrillOptionName]-?: Option<Required<DrillSettings>[Name] | undefined> & { isFlag?: true }
}

const none = () => undefined

const rate = (value: string): number => {
  const perSecond = Number(value.replace(/\/s$/, ''))
  return value.trim() !== '' && perSecond > 0 && perSecond <= 1e6
    ? perSecond
    : expected('requests a second, such as 50')
}

export const drillOptions = {
  rate: {
    argument: '<per second>',
    description: 'requests to send a second, however slow the responses are',
    defaultText: 'by drill',
    default: none,
    parse: rate,
  },
  duration: {
    argument: '<time>',
    description: 'length of the load',
    defaultText: 'by drill',
    default: none,
    parse: durationMs,
  },
  calls: {
    argument: '<number>',
    description: 'requests in total',
    defaultText: 'by drill',
    default: none,
    parse: wholeNumber(1, 1_000_000, ' requests'),
  },
  connections: {
    argument: '<number>',
    description: 'connections in parallel',
    defaultText: 'by drill',
    default: none,
    parse: wholeNumber(1, 10_000, ' connections'),
  },
  users: {
    argument: '<number>',
    description: 'virtual users',
    defaultText: 'by drill',
    default: none,
    parse: wholeNumber(1, 10_000, ' users'),
  },
  journeys: {
    argument: '<number>',
    description: 'journeys of each user, one after another',
    defaultText: 'by drill',
    default: none,
    parse: wholeNumber(1, 10_000, ' journeys'),
  },
  from: {
    argument: '<per second>',
    description: 'rate of the first step',
    defaultText: 'by drill',
    default: none,
    parse: rate,
  },
  to: {
    argument: '<per second>',
    description: 'rate of the last step',
    defaultText: 'by drill',
    default: none,
    parse: rate,
  },
  steps: {
    argument: '<number>',
    description: 'number of steps',
    defaultText: 'by drill',
    default: none,
    parse: wholeNumber(2, 100, ' steps'),
  },
  stepTime: {
    argument: '<time>',
    description: 'length of each step',
    defaultText: 'by drill',
    default: none,
    parse: durationMs,
  },
  mix: {
    argument: '<call=share,...>',
    description: 'share of each call: create, poll, list, download, upload; a call that is left out is not sent',
    defaultText: 'by drill',
    default: none,
    parse: parseMix,
  },
  scenario: {
    argument: '<name>',
    description: 'scenario of the mock during the outage',
    defaultText: 'by drill',
    default: none,
    parse: text('the name of a scenario'),
  },
  outageAt: {
    argument: '<time>',
    description: 'start of the outage, from the start of the load',
    defaultText: 'by drill',
    default: none,
    parse: durationMs,
  },
  outageFor: {
    argument: '<time>',
    description: 'length of the outage',
    defaultText: 'by drill',
    default: none,
    parse: durationMs,
  },
  outageStart: {
    argument: '<command>',
    description: 'shell command that starts the outage, for a target that is not a mock',
    defaultText: 'none',
    default: none,
    parse: text('a command'),
  },
  outageStop: {
    argument: '<command>',
    description: 'shell command that stops the outage',
    defaultText: 'none',
    default: none,
    parse: text('a command'),
  },
  metricsUrl: {
    argument: '<url>',
    description: "URL of the server's Prometheus metrics, for memory and handles over time",
    defaultText: "the mock's /metrics",
    default: none,
    parse: httpUrl,
  },
  key: {
    argument: '<key>',
    description: 'a valid API key; on the mock keys are created if none is given',
    defaultText: 'none',
    default: none,
    parse: text('a key'),
  },
  secondKey: {
    argument: '<key>',
    description: 'a valid key of another account (RL-1)',
    defaultText: 'none',
    default: none,
    parse: text('a key'),
  },
  clip: checkOptions.clip,
  threshold: {
    argument: '<condition>',
    description: 'a condition that must hold, such as "p99 < 500ms"; may be given more than once',
    defaultText: 'those below',
    default: none,
    parse: value => [parseThreshold(value)],
  },
  thresholds: {
    argument: '<file>',
    description: 'file with a list of thresholds, in YAML or JSON',
    defaultText: 'none',
    default: none,
    parse: text('a file'),
  },
  sample: {
    argument: '<per second>',
    description: 'responses a second that are checked against the contract; errors first',
    default: () => 100,
    parse: wholeNumber(0, 100_000, ' responses a second'),
  },
  timeout: checkOptions.timeout,
  jobTimeout: {
    argument: '<time>',
    description: 'timeout of one job',
    defaultText: '10m',
    default: () => 600_000,
    parse: durationMs,
  },
  maxWait: checkOptions.maxWait,
  maxConnections: {
    argument: '<number>',
    description: 'most connections in parallel; further requests wait for one',
    default: () => 1_000,
    parse: wholeNumber(1, 60_000, ' connections'),
  },
  generators: {
    argument: '<number>',
    description: "threads that send the load, for rates that one core can't make; they share the connections",
    default: () => 1,
    parse: wholeNumber(1, 64, ' threads'),
  },
  seed: checkOptions.seed,
  header: checkOptions.header,
  insecure: checkOptions.insecure,
  ca: checkOptions.ca,
  clientCert: checkOptions.clientCert,
  clientKey: checkOptions.clientKey,
  adminToken: checkOptions.adminToken,
  control: checkOptions.control,
  allowRemote: {
    argument: '',
    isFlag: true,
    description: 'drill a target off loopback, within the three limits below; its jobs cost credits',
    defaultText: 'off',
    default: none,
    parse: checkOptions.insecure.parse,
  },
  maxRate: {
    argument: '<per second>',
    description: 'most requests a second',
    defaultText: '100 off loopback',
    default: none,
    parse: rate,
  },
  maxRequests: {
    argument: '<number>',
    description: 'most requests in total',
    defaultText: '10,000 off loopback',
    default: none,
    parse: wholeNumber(1, 1e9, ' requests'),
  },
  maxTime: {
    argument: '<time>',
    description: 'most time that a drill may take',
    defaultText: '15m off loopback',
    default: none,
    parse: durationMs,
  },
} as const satisfies Table

/** The default of an option in a drill, as the option is written. */
export function defaultText(option: DrillOptionName, defaults: DrillSettings, row: OptionRow): string {
  const own = defaults[option]
  if (own === undefined)
    return row.defaultText === 'by drill' || row.defaultText === undefined ? String(row.default()) : row.defaultText
  if (option === 'mix') return mixText(defaults.mix ?? {})
  return typeof own === 'number' && row.argument === '<time>' ? timeText(own) : String(own)
}

/** As an option is written: 30s, 250ms. */
export const timeText = (ms: number): string => (ms >= 1000 && ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`)
