/**
 * Every option of the mock in one table: its CLI flag, its environment variable, its default and what it means. The
 * CLI's --help, the README's table and startMock()'s defaults are all read from here.
 */
import {
  ConfigError,
  expected,
  numberFrom0,
  type Option,
  parseAs,
  portOption,
  seedText,
  speedFactor,
  text,
  wholeNumber,
} from '../base/options.ts'
import { freshSeed } from '../base/seed.ts'

export interface MockOptions {
  /** TCP port; 0 takes a free one. */
  port?: number
  /** Address to listen on. Off loopback, /__mock is closed unless an admin token is set. */
  host?: string
  /** How many times faster than by default jobs and webhook retries go, or 'instant' for no waiting at all. */
  speed?: number | 'instant'
  /** What all chance is drawn from: ids, durations, timings. The same seed gives the same run. */
  seed?: string
  /** Credits that a new world starts with (CR-3). */
  credits?: number
  /** Requests a minute and key; 0 is no limit (RL-1). */
  rateLimit?: number
  /** Job creations a minute and key; 0 is no limit (RL-1). */
  jobLimit?: number
  /** Seconds of a video_url that isn't an upload and has no #t=; 0 derives 2 to 30 s from the seed and the URL. */
  videoSeconds?: number
  /** Largest upload in bytes (UP-2). */
  maxUploadBytes?: number
  /** Folder that keeps uploads over a restart; without one they live in a temporary folder that goes away. */
  dataDir?: string
  /** Secret that webhooks are signed with (WH-2). */
  webhookSecret?: string
  /** Scenario that is played for every key: its name, or the path of a file. */
  scenario?: string
  /** Folder with scenario files of your own; they come before those that ship. */
  scenarios?: string
  /** A recording (HAR) that answers in place of the routes: as it did then, matched by request and order. */
  replay?: string
  /** Who answers what was not recorded: nobody (404), or the live mock. */
  replayFallback?: ReplayFallback
  /** Whether answers say which scenario and rule they come from, in X-Mock-Scenario and X-Mock-Rule. */
  mockHeaders?: boolean
  /** Hosts beside loopback that webhooks may go to. */
  webhookAllow?: string[]
  /** Token that opens /v1/admin (AD-1), and /__mock off loopback. */
  adminToken?: string
  /** Exchanges that a world's journal keeps. */
  journalEntries?: number
  /** trace, debug, info, warn, error, fatal or silent. */
  logLevel?: LogLevel
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export const replayFallbacks = ['none', 'mock'] as const
export type ReplayFallback = (typeof replayFallbacks)[number]

type Unset = 'dataDir' | 'webhookSecret' | 'adminToken' | 'scenario' | 'scenarios' | 'replay'
export type Config = Required<Omit<MockOptions, Unset>> & Pick<MockOptions, Unset>

export const options = {
  port: portOption,
  host: {
    argument: '<address>',
    description: 'address to listen on; off loopback, /__mock is closed unless an admin token is set',
    default: () => '127.0.0.1',
    parse: text('an address, such as 127.0.0.1'),
  },
  speed: {
    argument: '<factor>',
    description: 'how many times faster jobs and webhook retries go, or "instant"',
    default: () => 1 as number | 'instant',
    parse: speedFactor,
  },
  seed: {
    argument: '<text>',
    description: 'what all chance is drawn from; the same seed gives the same run',
    defaultText: 'drawn anew and printed',
    default: freshSeed,
    parse: seedText,
  },
  credits: {
    argument: '<credits>',
    description: 'credits that each new key starts with (CR-3)',
    default: () => 1000,
    parse: numberFrom0(' credits'),
  },
  rateLimit: {
    argument: '<per minute>',
    description: 'requests a minute and key; 0 is no limit (RL-1)',
    default: () => 100,
    parse: wholeNumber(0, 1e9, ' requests a minute'),
  },
  jobLimit: {
    argument: '<per minute>',
    description: 'job creations a minute and key; 0 is no limit (RL-1)',
    default: () => 10,
    parse: wholeNumber(0, 1e9, ' jobs a minute'),
  },
  videoSeconds: {
    argument: '<seconds>',
    description: 'length of a video_url that is no upload and has no #t=; 0 derives 2 to 30 s from the seed',
    default: () => 0,
    parse: numberFrom0(' seconds'),
  },
  maxUploadBytes: {
    argument: '<bytes>',
    description: 'largest upload (UP-2)',
    default: () => 500 * 1024 * 1024,
    parse: wholeNumber(1, 2 ** 40, ' bytes'),
  },
  dataDir: {
    argument: '<folder>',
    description: 'keeps uploads over a restart',
    defaultText: 'a temporary folder that goes away',
    default: () => undefined as string | undefined,
    parse: text('a folder'),
  },
  scenario: {
    argument: '<name or file>',
    description: 'scenario to play for every key',
    defaultText: 'none',
    default: () => undefined as string | undefined,
    parse: text('the name of a scenario, or the path of a file'),
  },
  scenarios: {
    argument: '<folder>',
    description: 'scenario files of your own; they come before those that ship',
    defaultText: 'those that ship',
    default: () => undefined as string | undefined,
    parse: text('a folder'),
  },
  replay: {
    argument: '<file.har>',
    description:
      'recording that answers in place of the mock, matched by request and order, faults and timing included',
    defaultText: 'none',
    default: () => undefined as string | undefined,
    parse: text('the path of a recording (HAR)'),
  },
  replayFallback: {
    argument: '<none|mock>',
    description: 'who answers what was not recorded: "none" (404) or the live "mock"',
    default: () => 'none' as ReplayFallback,
    parse: value => replayFallbacks.find(one => one === value) ?? expected('none or mock'),
  },
  mockHeaders: {
    argument: '<on|off>',
    description: 'whether answers say which scenario and rule they come from (X-Mock-Scenario, X-Mock-Rule)',
    defaultText: 'on',
    default: () => true as boolean,
    parse: value => (/^(on|true)$/.test(value) ? true : /^(off|false)$/.test(value) ? false : expected('on or off')),
  },
  webhookSecret: {
    argument: '<secret>',
    description: 'signs webhooks (WH-2)',
    defaultText: 'unsigned',
    default: () => undefined as string | undefined,
    parse: text('a secret'),
  },
  webhookAllow: {
    argument: '<host,...>',
    description: 'hosts beside loopback that webhooks may go to',
    defaultText: 'loopback only',
    default: () => [] as string[],
    parse: value => {
      const hosts = value.split(',').map(host => host.trim().toLowerCase())
      const wrong = hosts.find(host => !/^[a-z0-9.-]+$|^\[[0-9a-f:]+\]$/.test(host))
      return wrong === undefined ? hosts : expected(`host names with commas between them, such as app.test,ci.test`)
    },
  },
  adminToken: {
    argument: '<token>',
    description: 'opens /v1/admin (AD-1), and /__mock off loopback',
    defaultText: 'closed',
    default: () => undefined as string | undefined,
    parse: text('a token'),
  },
  journalEntries: {
    argument: '<entries>',
    description: "exchanges that each key's journal keeps",
    default: () => 10_000,
    parse: wholeNumber(1, 1_000_000, ' entries'),
  },
  logLevel: {
    argument: '<level>',
    description: `${logLevels.join(', ')}; logs go to stderr`,
    default: () => 'info' as LogLevel,
    parse: value => logLevels.find(level => level === value) ?? expected(`one of ${logLevels.join(', ')}`),
  },
} as const satisfies { [Name in keyof Config]-?: Option<Config[Name]> }

export type OptionName = keyof typeof options

/**
 * All options, with defaults for those that were not given. Throws a ConfigError for a value that the CLI would refuse.
 */
export function completeConfig(given: MockOptions): Config {
  const complete: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(given)) {
    if (!(name in options)) throw new ConfigError(`There is no option ${JSON.stringify(name)}; see MockOptions`)
    if (value === undefined || (Array.isArray(value) && value.length === 0)) continue
    if (typeof value === 'object' && !Array.isArray(value)) {
      throw new ConfigError(
        `The option ${name} is an object; expected a text. A scenario as an object goes to mock.use()`,
      )
    }
    complete[name] = parseAs<unknown>(options[name as OptionName], String(value), `The option ${name}`)
  }
  for (const name of Object.keys(options) as OptionName[]) complete[name] ??= options[name].default()
  return complete as unknown as Config
}
