/**
 * Every option of `understudy drill` in one table. --help, the README and drill()'s defaults are read from here; what
 * each drill takes, and its own defaults, stand with the drill.
 */
import { durationMs, expected, httpUrl, type Option, type OptionRow, text, wholeNumber } from '../base/options.ts'
import { checkOptions } from '../suite/options.ts'

import { type Mix, mixText, parseMix } from './calls.ts'
import { parseThreshold, type Threshold } from './thresholds.ts'

export interface DrillSettings {
  /** A valid API key. On the mock keys are drawn without it, with the limits that the drill needs. */
  key?: string
  /** A valid key of another account (burst). */
  secondKey?: string
  /** Requests a second that are due. */
  rate?: number
  /** ms that the load is on. */
  duration?: number
  /** Requests of burst; of recover, all together. */
  calls?: number
  /** Connections that burst sends on at once. */
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
  /** Scenario that the mock plays during the outage. */
  scenario?: string
  /** ms from the start to the outage, and ms that it lasts. */
  outageAt?: number
  outageFor?: number
  /** Commands that cause an outage and end it, where the target is no mock. */
  outageStart?: string
  outageStop?: string
  /** Where the server's Prometheus metrics are. */
  metricsUrl?: string
  /** A video file of your own for the uploads. */
  clip?: string
  /** ms that one answer may take. */
  timeout?: number
  /** ms that one job may take. */
  jobTimeout?: number
  /** ms that a Retry-After is waited for at the most. */
  maxWait?: number
  /** Connections in use at once at the most. */
  maxConnections?: number
  /** Answers a second that are held against the contract. */
  sample?: number
  threshold?: Threshold[]
  /** A file of thresholds. */
  thresholds?: string
  /** What all chance is drawn from. */
  seed?: string
  header?: string[]
  insecure?: boolean
  ca?: string
  adminToken?: string
  /** Use the mock's /__mock where there is one. */
  control?: boolean
  /** Drill a target that is not on loopback. */
  allowRemote?: boolean
  /** Bounds off loopback: requests a second, requests in all, ms. */
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
    description: 'requests a second that are due',
    defaultText: 'by drill',
    default: none,
    parse: rate,
  },
  duration: {
    argument: '<time>',
    description: 'how long the load is on',
    defaultText: 'by drill',
    default: none,
    parse: durationMs,
  },
  calls: {
    argument: '<number>',
    description: 'requests in all',
    defaultText: 'by drill',
    default: none,
    parse: wholeNumber(1, 1_000_000, ' requests'),
  },
  connections: {
    argument: '<number>',
    description: 'connections that send at once',
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
    description: 'journeys that each user makes, one after the other',
    defaultText: 'by drill',
    default: none,
    parse: wholeNumber(1, 10_000, ' journeys'),
  },
  from: {
    argument: '<per second>',
    description: 'the first rate',
    defaultText: 'by drill',
    default: none,
    parse: rate,
  },
  to: { argument: '<per second>', description: 'the last rate', defaultText: 'by drill', default: none, parse: rate },
  steps: {
    argument: '<number>',
    description: 'steps from the one to the other',
    defaultText: 'by drill',
    default: none,
    parse: wholeNumber(2, 100, ' steps'),
  },
  stepTime: {
    argument: '<time>',
    description: 'how long each step is held',
    defaultText: 'by drill',
    default: none,
    parse: durationMs,
  },
  mix: {
    argument: '<call=share,...>',
    description: 'how often each call comes: create, poll, list, download, upload; a call that is left out never does',
    defaultText: 'by drill',
    default: none,
    parse: parseMix,
  },
  scenario: {
    argument: '<name>',
    description: 'what the mock plays during the outage',
    defaultText: 'by drill',
    default: none,
    parse: text('the name of a scenario'),
  },
  outageAt: {
    argument: '<time>',
    description: 'when the outage begins',
    defaultText: 'by drill',
    default: none,
    parse: durationMs,
  },
  outageFor: {
    argument: '<time>',
    description: 'how long it lasts',
    defaultText: 'by drill',
    default: none,
    parse: durationMs,
  },
  outageStart: {
    argument: '<command>',
    description: 'shell command that causes the outage, where the target is no mock',
    defaultText: 'none',
    default: none,
    parse: text('a command'),
  },
  outageStop: {
    argument: '<command>',
    description: 'shell command that ends it',
    defaultText: 'none',
    default: none,
    parse: text('a command'),
  },
  metricsUrl: {
    argument: '<url>',
    description: "the server's metrics in Prometheus' format: memory and handles over time",
    defaultText: "the mock's /metrics",
    default: none,
    parse: httpUrl,
  },
  key: {
    argument: '<key>',
    description: 'a valid API key; on the mock keys are drawn without it, with limits to suit',
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
    description: 'what has to hold, such as "p99 < 500ms"; may be given more than once',
    defaultText: 'those below',
    default: none,
    parse: value => [parseThreshold(value)],
  },
  thresholds: {
    argument: '<file>',
    description: 'a list of them, in YAML or JSON',
    defaultText: 'none',
    default: none,
    parse: text('a file'),
  },
  sample: {
    argument: '<per second>',
    description: 'answers a second that are held against the contract; errors come first',
    default: () => 100,
    parse: wholeNumber(0, 100_000, ' answers a second'),
  },
  timeout: checkOptions.timeout,
  jobTimeout: {
    argument: '<time>',
    description: 'what one job may take',
    defaultText: '10m',
    default: () => 600_000,
    parse: durationMs,
  },
  maxWait: checkOptions.maxWait,
  maxConnections: {
    argument: '<number>',
    description: 'connections at once at the most; more requests than that wait for one',
    default: () => 1_000,
    parse: wholeNumber(1, 60_000, ' connections'),
  },
  seed: checkOptions.seed,
  header: checkOptions.header,
  insecure: checkOptions.insecure,
  ca: checkOptions.ca,
  adminToken: checkOptions.adminToken,
  control: checkOptions.control,
  allowRemote: {
    argument: '',
    isFlag: true,
    description: 'drill a target that is not on loopback, within the three bounds below; its jobs cost credits',
    defaultText: 'off',
    default: none,
    parse: checkOptions.insecure.parse,
  },
  maxRate: {
    argument: '<per second>',
    description: 'requests a second at the most',
    defaultText: '100 off loopback',
    default: none,
    parse: rate,
  },
  maxRequests: {
    argument: '<number>',
    description: 'requests in all at the most',
    defaultText: '10,000 off loopback',
    default: none,
    parse: wholeNumber(1, 1e9, ' requests'),
  },
  maxTime: {
    argument: '<time>',
    description: 'how long a drill may take at the most',
    defaultText: '15m off loopback',
    default: none,
    parse: durationMs,
  },
} as const satisfies Table

/** A drill's own default as its option is written; else everybody's. */
export function defaultText(option: DrillOptionName, defaults: DrillSettings, row: OptionRow): string {
  const own = defaults[option]
  if (own === undefined)
    return row.defaultText === 'by drill' || row.defaultText === undefined ? String(row.default()) : row.defaultText
  if (option === 'mix') return mixText(defaults.mix ?? {})
  return typeof own === 'number' && row.argument === '<time>' ? timeText(own) : String(own)
}

/** As an option is written: 30s, 250ms. */
export const timeText = (ms: number): string => (ms >= 1000 && ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`)
