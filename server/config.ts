/**
 * Every option of the mock in one table: its CLI flag, its environment variable, its default and what it means. The
 * CLI's --help, the README's table and startMock()'s defaults are all read from here.
 */
import { availableParallelism } from 'node:os'
import {
  ConfigError,
  durationMs,
  expected,
  numberFrom0,
  type Option,
  onOff,
  parseAs,
  portOption,
  seedText,
  speedFactor,
  text,
  wholeNumber,
} from '../base/options.ts'
import { freshSeed } from '../base/seed.ts'
import { mostFaultyConnections, type TlsFaultName, tlsFaultNames } from '../client/tlsFaults.ts'

export interface MockOptions {
  /** TCP port; 0 takes a free one. */
  port?: number
  /** Address to listen on. Off loopback, /__mock is closed unless an admin token is set. */
  host?: string
  /** Speed factor of jobs and webhook retries, or 'instant' for no waiting. */
  speed?: number | 'instant'
  /** Seed of everything random: ids, durations, timings. The same seed gives the same run. */
  seed?: string
  /** Credits that a new world starts with (CR-3). */
  credits?: number
  /** Requests a minute for each key; 0 for no limit (RL-1). */
  rateLimit?: number
  /** Job creations a minute for each key; 0 for no limit (RL-1). */
  jobLimit?: number
  /** Seconds of a video_url that isn't an upload and has no #t=; 0 derives 2 to 30 s from the seed and the URL. */
  videoSeconds?: number
  /** Largest upload in bytes (UP-2). */
  maxUploadBytes?: number
  /** Longest that a client may send nothing of a body that it has begun, ms of real time: then it is answered 408. */
  bodyTimeout?: number
  /** Folder that keeps uploads over a restart; by default a temporary folder that is removed at the end. */
  dataDir?: string
  /**
   * Whether outputs are made from their own inputs by ffmpeg, or are the canned one that ships, fitted to the job's length. By
   * default made where ffmpeg and ffprobe 5 or newer are on the PATH, else canned.
   */
  outputs?: OutputsMode
  /** Outputs that are made at the same time. */
  renderJobs?: number
  /** Bytes on disk that made outputs may take together; those that were not asked for longest go first, and are made anew. */
  outputBytes?: number
  /** Secret that webhooks are signed with (WH-2). */
  webhookSecret?: string
  /** Secret after a rotation, which a scenario plays; the secret and `_next` by default (WH-2). */
  webhookNextSecret?: string
  /** Scenario for every key: its name, or the path of a file. */
  scenario?: string
  /** Folder with scenario files of your own; they take precedence over those included. */
  scenarios?: string
  /** Mutant that the mock is, for every key: one documented sentence is broken (understudy mutate --list). */
  mutant?: string
  /** A recording (HAR) that answers instead of the routes, matched by request and order. */
  replay?: string
  /** What answers a request that was not recorded: nothing (404), or the live mock. */
  replayFallback?: ReplayFallback
  /** Whether answers say which scenario and rule they come from, in X-Mock-Scenario and X-Mock-Rule. */
  mockHeaders?: boolean
  /** Hosts beside loopback that webhooks may go to. */
  webhookAllow?: string[]
  /** Token that opens /v1/admin (AD-1), and /__mock off loopback. */
  adminToken?: string
  /** Whose pages may read answers (CORS): 'loopback', 'off', 'any', or origins separated by commas. */
  cors?: string
  /** Origins beside the mock's own whose pages may use /__mock. */
  controlOrigin?: string[]
  /** Host names beside loopback under which /__mock answers without an admin token. */
  controlHost?: string[]
  /** The URL that clients reach the mock by, such as https://api.test/mock: every link that the mock makes begins with it. */
  publicUrl?: string
  /** Believe Forwarded and X-Forwarded-Proto, -Host, -Port and -Prefix: links lead back through the proxy. */
  trustProxy?: boolean
  /** Worlds that are kept: one for each key, and for each X-Mock-World of it. */
  maxWorlds?: number
  /**
   * Speak TLS: links are https then. The certificate is made at the start, for localhost, 127.0.0.1, ::1 and the host; the
   * mock's tls.ca is what a client has to trust. Each of the other tls options speaks TLS too.
   */
  tls?: boolean
  /** PEM file of a certificate of your own, with those between it and its authority. */
  tlsCert?: string
  /** PEM file of its private key. */
  tlsKey?: string
  /** PEM file of the authority that has signed it: what clients are told to trust. */
  tlsCa?: string
  /** What the key is encrypted with. */
  tlsPassphrase?: string
  /** PEM file of the authority of your clients' certificates: who shows none of it is refused in the handshake (mutual TLS). */
  tlsClientCa?: string
  /** File that the authority is written to, PEM: for NODE_EXTRA_CA_CERTS, curl --cacert and the `--ca` of the other verbs. */
  tlsCaOut?: string
  /** A fault of the handshake, for every connection or for so many: expired_certificate, handshake_cut:3. */
  tlsFault?: string
  /** File that is there while the mock listens, written whole: JSON with its url, port, pid, seed, key and version. */
  readyFile?: string
  /** Exchanges that a world's journal keeps. */
  journalEntries?: number
  /** Bytes that all journals may take together; the oldest entries of the largest go first. */
  journalBytes?: number
  /** Bytes that all jobs may take together; finished jobs of the largest worlds go first. */
  jobBytes?: number
  /** OTLP collector (HTTP) that each call and each webhook is sent to as a span, such as http://127.0.0.1:4318. */
  otlp?: string
  /** trace, debug, info, warn, error, fatal or silent. */
  logLevel?: LogLevel
}

export const logLevels = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const
export type LogLevel = (typeof logLevels)[number]

export const replayFallbacks = ['none', 'mock'] as const
export type ReplayFallback = (typeof replayFallbacks)[number]

export const outputsModes = ['made', 'canned'] as const
export type OutputsMode = (typeof outputsModes)[number]

type Unset =
  | 'dataDir'
  | 'outputs'
  | 'publicUrl'
  | 'webhookSecret'
  | 'webhookNextSecret'
  | 'adminToken'
  | 'scenario'
  | 'scenarios'
  | 'mutant'
  | 'replay'
  | 'readyFile'
  | 'tlsCert'
  | 'tlsKey'
  | 'tlsCa'
  | 'tlsPassphrase'
  | 'tlsClientCa'
  | 'tlsCaOut'
  | 'tlsFault'
  | 'otlp'
export type Config = Required<Omit<MockOptions, Unset>> & Pick<MockOptions, Unset>

function hostList(value: string): string[] {
  const hosts = value.split(',').map(host => host.trim().toLowerCase())
  const wrong = hosts.find(host => !/^[a-z0-9._-]+$|^\[[0-9a-f:]+\]$/.test(host))
  return wrong === undefined ? hosts : expected('host names separated by commas, such as app.test,ci.test')
}

/** handshake_cut:3. Undefined for what is none. */
export function readTlsFault(value: string): { name: TlsFaultName; connections: number | undefined } | undefined {
  const [, given, digits] = /^(\w+)(?::(\d{1,5}))?$/.exec(value) ?? []
  const name = tlsFaultNames.find(known => known === given)
  const connections = digits === undefined ? undefined : Number(digits)
  if (name === undefined || connections === 0 || (connections ?? 0) > mostFaultyConnections) return undefined
  return { name, connections }
}

/** As the standard has it: a collector is given by its base URL. */
function tracesUrl(value: string): string {
  const url = new URL(value)
  if (!/\/v1\/traces\/?$/.test(url.pathname)) url.pathname = `${url.pathname.replace(/\/$/, '')}/v1/traces`
  return url.href
}

/** Origins as browsers send them. */
function originList(value: string, or = ''): string[] {
  const found = value.split(',').map(one => one.trim().toLowerCase())
  const isOrigin = (one: string) => URL.canParse(one) && new URL(one).origin === one.replace(/\/$/, '')
  if (!found.every(isOrigin)) return expected(`${or}origins separated by commas, such as https://app.test:3000`)
  return found.map(one => new URL(one).origin)
}

const pemFile = (description: string) => ({
  argument: '<file>',
  description,
  defaultText: 'none',
  default: () => undefined as string | undefined,
  parse: text('the path of a file'),
})

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
    description: 'speed factor of jobs and webhook retries, such as 20, or "instant"',
    default: () => 1 as number | 'instant',
    parse: speedFactor,
  },
  seed: {
    argument: '<text>',
    description: 'seed of everything random; the same seed gives the same run',
    defaultText: 'random, and printed',
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
    description: 'requests a minute for each key; 0 for no limit (RL-1)',
    default: () => 100,
    parse: wholeNumber(0, 1e9, ' requests a minute'),
  },
  jobLimit: {
    argument: '<per minute>',
    description: 'job creations a minute for each key; 0 for no limit (RL-1)',
    default: () => 10,
    parse: wholeNumber(0, 1e9, ' jobs a minute'),
  },
  videoSeconds: {
    argument: '<seconds>',
    description: 'length of a video_url that is not an upload and has no #t=; 0 derives 2 to 30 s from the seed',
    default: () => 0,
    parse: numberFrom0(' seconds'),
  },
  maxUploadBytes: {
    argument: '<bytes>',
    description: 'size limit of uploads (UP-2)',
    default: () => 500 * 1024 * 1024,
    parse: wholeNumber(1, 2 ** 40, ' bytes'),
  },
  bodyTimeout: {
    argument: '<time>',
    description: 'longest that a client may send nothing of a body that it has begun; then it is answered 408',
    defaultText: '60s',
    default: () => 60_000,
    parse: durationMs,
  },
  dataDir: {
    argument: '<folder>',
    description: 'folder that keeps uploads over a restart',
    defaultText: 'a temporary folder',
    default: () => undefined as string | undefined,
    parse: text('a folder'),
  },
  outputs: {
    argument: '<made|canned>',
    description: 'outputs: "made" from their inputs by ffmpeg, or "canned": the same short clip, fitted to the length',
    defaultText: 'made where ffmpeg 5 or newer is on the PATH',
    default: () => undefined as OutputsMode | undefined,
    parse: value => outputsModes.find(one => one === value) ?? expected('made or canned'),
  },
  renderJobs: {
    argument: '<jobs>',
    description: 'outputs that are made at the same time',
    defaultText: 'half of the cores',
    default: () => Math.max(1, Math.floor(availableParallelism() / 2)),
    parse: wholeNumber(1, 256, ' jobs'),
  },
  outputBytes: {
    argument: '<bytes>',
    description: 'disk that made outputs may take together; those that were not asked for longest go first',
    default: () => 1024 * 1024 * 1024,
    parse: wholeNumber(1024 * 1024, 2 ** 40, ' bytes'),
  },
  scenario: {
    argument: '<name or file>',
    description: 'scenario for every key',
    defaultText: 'none',
    default: () => undefined as string | undefined,
    parse: text('the name of a scenario, or the path of a file'),
  },
  scenarios: {
    argument: '<folder>',
    description: 'scenario files of your own; they take precedence over those included',
    defaultText: 'those included',
    default: () => undefined as string | undefined,
    parse: text('a folder'),
  },
  mutant: {
    argument: '<name>',
    description: 'mutant that the mock is: one documented sentence is broken; see understudy mutate --list',
    defaultText: 'none',
    default: () => undefined as string | undefined,
    parse: text('the name of a mutant'),
  },
  replay: {
    argument: '<file.har>',
    description: 'recording that answers instead of the mock, matched by request and order, with its faults and timing',
    defaultText: 'none',
    default: () => undefined as string | undefined,
    parse: text('the path of a recording (HAR)'),
  },
  replayFallback: {
    argument: '<none|mock>',
    description: 'what answers a request that was not recorded: "none" (404) or the live "mock"',
    default: () => 'none' as ReplayFallback,
    parse: value => replayFallbacks.find(one => one === value) ?? expected('none or mock'),
  },
  mockHeaders: {
    argument: '<on|off>',
    description: 'whether responses name their scenario and rule (X-Mock-Scenario, X-Mock-Rule)',
    defaultText: 'on',
    default: () => true as boolean,
    parse: onOff,
  },
  webhookSecret: {
    argument: '<secret>',
    description: 'secret that webhooks are signed with (WH-2)',
    defaultText: 'unsigned',
    default: () => undefined as string | undefined,
    parse: text('a secret'),
  },
  webhookNextSecret: {
    argument: '<secret>',
    description: 'secret after a rotation, as webhook-secret-rotated plays it',
    defaultText: 'the secret and _next',
    default: () => undefined as string | undefined,
    parse: text('a secret'),
  },
  webhookAllow: {
    argument: '<host,...>',
    description: 'hosts besides loopback that webhooks may be sent to',
    defaultText: 'loopback only',
    default: () => [] as string[],
    parse: value => hostList(value),
  },
  adminToken: {
    argument: '<token>',
    description: 'token that opens /v1/admin (AD-1), and /__mock off loopback',
    defaultText: 'closed',
    default: () => undefined as string | undefined,
    parse: text('a token'),
  },
  cors: {
    argument: '<loopback|off|any|origin,...>',
    description: 'whose pages may read responses in a browser (CORS)',
    default: () => 'loopback',
    parse: value => {
      if (['loopback', 'off', 'any'].includes(value)) return value
      return originList(value, 'loopback, off, any, or ').join(',')
    },
  },
  controlOrigin: {
    argument: '<origin,...>',
    description: "origins besides the mock's own whose pages may use /__mock",
    defaultText: 'none',
    default: () => [] as string[],
    parse: value => originList(value),
  },
  controlHost: {
    argument: '<host,...>',
    description: 'host names besides loopback under which /__mock answers without an admin token',
    defaultText: 'none',
    default: () => [] as string[],
    parse: value => hostList(value),
  },
  publicUrl: {
    argument: '<url>',
    description: 'URL that clients reach the mock by; links in responses begin with it',
    defaultText: 'the Host of the request',
    default: () => undefined as string | undefined,
    parse: value =>
      /^https?:\/\/[^/?#]+[^?#]*$/i.test(value) && URL.canParse(value)
        ? new URL(value).href.replace(/\/+$/, '')
        : expected('a URL, such as https://api.test'),
  },
  trustProxy: {
    argument: '<on|off>',
    description: 'whether Forwarded and X-Forwarded-* say where links lead',
    defaultText: 'off',
    default: () => false as boolean,
    parse: onOff,
  },
  maxWorlds: {
    argument: '<worlds>',
    description:
      'number of worlds that are kept; then those that hold nothing go first, and those with unfinished jobs last',
    default: () => 1_000,
    parse: wholeNumber(1, 100_000, ' worlds'),
  },
  tls: {
    argument: '',
    isFlag: true,
    description: 'speak TLS (https), with a certificate that is made at the start',
    defaultText: 'off',
    default: () => false as boolean,
    parse: onOff,
  },
  tlsCert: pemFile('PEM file of a certificate of your own, with those between it and its authority'),
  tlsKey: pemFile('PEM file of its private key'),
  tlsCa: pemFile('PEM file of the authority that has signed it, for --tls-ca-out and mock.tls.ca'),
  tlsPassphrase: {
    argument: '<text>',
    description: 'what that key is encrypted with; better by the variable, as others may see a command line',
    defaultText: 'none',
    default: () => undefined as string | undefined,
    parse: text('a text'),
  },
  tlsClientCa: pemFile("PEM file of the authority of your clients' certificates: others are refused (mutual TLS)"),
  tlsCaOut: pemFile(
    'file that the authority to trust is written to, PEM: for NODE_EXTRA_CA_CERTS, curl --cacert and --ca',
  ),
  tlsFault: {
    argument: '<fault[:connections]>',
    description: `fault of the handshake, for all connections or for so many first: ${tlsFaultNames.join(', ')}`,
    defaultText: 'none',
    default: () => undefined as string | undefined,
    parse: value =>
      readTlsFault(value) === undefined
        ? expected(`one of ${tlsFaultNames.join(', ')}, or one and a number, such as handshake_cut:3`)
        : value,
  },
  readyFile: {
    argument: '<file>',
    description: 'JSON with url, port, pid, seed, key and version, written once the mock listens, gone when it ends',
    defaultText: 'none',
    default: () => undefined as string | undefined,
    parse: text('the path of a file'),
  },
  journalEntries: {
    argument: '<entries>',
    description: "number of exchanges that each key's journal keeps",
    default: () => 10_000,
    parse: wholeNumber(1, 1_000_000, ' entries'),
  },
  journalBytes: {
    argument: '<bytes>',
    description: 'memory that all journals may take together; the oldest entries of the largest go first',
    default: () => 256 * 1024 * 1024,
    parse: wholeNumber(1024 * 1024, 2 ** 40, ' bytes'),
  },
  jobBytes: {
    argument: '<bytes>',
    description: 'memory that all jobs may take together; finished jobs of the largest worlds go first',
    default: () => 256 * 1024 * 1024,
    parse: wholeNumber(1024 * 1024, 2 ** 40, ' bytes'),
  },
  otlp: {
    argument: '<url>',
    description:
      'OTLP collector (HTTP) that calls and webhooks are sent to as spans; /v1/traces is added to a URL without it',
    defaultText: 'none',
    default: () => undefined as string | undefined,
    parse: value =>
      /^https?:\/\//.test(value) && URL.canParse(value)
        ? tracesUrl(value)
        : expected('an http or https URL, such as http://127.0.0.1:4318'),
  },
  logLevel: {
    argument: '<level>',
    description: `${logLevels.join(', ')}; logs go to stderr`,
    default: () => 'info' as LogLevel,
    parse: value => logLevels.find(level => level === value) ?? expected(`one of ${logLevels.join(', ')}`),
  },
} as const satisfies { [Name in keyof Config]-?: Option<Config[Name]> & { isFlag?: true } }

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
