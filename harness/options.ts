/**
 * Every option of `understudy check` in one table: its flag, its variable, its default and what it means. --help, the
 * README's table and check()'s defaults are read from here.
 */
import { type OutputFormat, outputFormats } from '../contracts/schemas.ts'
import type { Profile } from '../contracts/suite/run.ts'
import { expected, numberFrom0, type Option, parseAs, seed, text, variableOf, wholeNumber } from '../server/config.ts'
import { parseDuration } from '../server/duration.ts'
import { freshSeed } from '../server/seed.ts'

export interface CheckSettings {
  /** A valid API key of the endpoint. On the mock one is drawn without it. */
  key?: string
  /** A valid key of another account: for whose a job is, and whose a limit (AUTH-3, RL-1). */
  secondKey?: string
  /** A valid key of an account without credits (CR-3). */
  poorKey?: string
  /** A video that this endpoint is known to fail on (JOB-4, CR-3). */
  failingUrl?: string
  /** A video file of your own, in place of the short clip. */
  clip?: string
  /** The secret that the endpoint signs webhooks with (WH-2). */
  webhookSecret?: string
  /** How the endpoint reaches the suite's listener; on loopback it does by itself. */
  webhookUrl?: string
  /** Port of the suite's own listener; 0 takes a free one. */
  webhookPort?: number
  /** Opens the mock's /__mock where that is not on loopback. */
  adminToken?: string
  /** safe spends no credits, sends no burst and a few MB at the most. */
  profile?: Profile
  /** Credits that a run may spend at the most; needed by the profile full off loopback. */
  maxCredits?: number
  /** What the three clips of GO-6 are made to. */
  outputFormat?: OutputFormat
  /** Clauses, checks or themes to run: RL-2, jobs.list, webhooks. */
  only?: string[]
  /** Those to leave out. */
  skip?: string[]
  /** Clauses that have to hold, or else the run fails; "core" for all that the go-live needs. */
  require?: string[]
  /** Stop at the first broken clause. */
  bail?: boolean
  /** Sequences of calls that nobody wrote, drawn from the seed; 0 for none. */
  explore?: number
  /** What all chance is drawn from. */
  seed?: string
  /** The server's log files, in which request_ids and job_ids have to be found (GO-4). */
  logs?: string[]
  /** Headers that are sent with every call, as "Name: value". */
  header?: string[]
  /** ms that one answer may take. */
  timeout?: number
  /** ms that a job may take. */
  jobTimeout?: number
  /** ms that a Retry-After is waited for at the most. */
  maxWait?: number
  /** Calls that a limit is looked for with, at the most. */
  burst?: number
  /** Take any certificate. */
  insecure?: boolean
  /** A PEM file of a certificate authority to trust. */
  ca?: string
  /** Use the mock's /__mock where there is one; off: treat it like any other endpoint. */
  control?: boolean
}

type Table = { [Name in keyof CheckSettings]-?: Option<Required<CheckSettings>[Name] | undefined> & { isFlag?: true } }

export const list = (what: string) => (value: string) => {
  const items = value.split(',').map(item => item.trim())
  return items.every(item => item !== '') ? items : expected(what)
}

const onOff = (value: string): boolean =>
  /^(on|true|1)$/.test(value) ? true : /^(off|false|0)$/.test(value) ? false : expected('on or off')

/** "30s", "500ms", or a number of ms. */
export const duration = (value: string): number => {
  const ms = /^\d+$/.test(value) ? Number(value) : parseDuration(value)
  return ms !== undefined && ms >= 1 && ms <= 604_800_000 ? ms : expected('a time from 1ms to 7d, such as 30s')
}

export const httpUrl = (value: string): string =>
  /^https?:\/\//.test(value) && URL.canParse(value) ? value : expected('an http or https URL')

const none = () => undefined

export const checkOptions = {
  key: {
    argument: '<key>',
    description: 'a valid API key; on the mock one is drawn without it',
    defaultText: 'none',
    default: none,
    parse: text('a key'),
  },
  secondKey: {
    argument: '<key>',
    description: 'a valid key of another account (AUTH-3, RL-1)',
    defaultText: 'none',
    default: none,
    parse: text('a key'),
  },
  poorKey: {
    argument: '<key>',
    description: 'a valid key of an account without credits (CR-3)',
    defaultText: 'none',
    default: none,
    parse: text('a key'),
  },
  failingUrl: {
    argument: '<url>',
    description: 'a video that this endpoint is known to fail on (JOB-4, CR-3)',
    defaultText: 'none',
    default: none,
    parse: httpUrl,
  },
  clip: {
    argument: '<file>',
    description: 'a video of your own in place of the short clip',
    defaultText: 'one that ships',
    default: none,
    parse: text('a file'),
  },
  webhookSecret: {
    argument: '<secret>',
    description: 'what the endpoint signs webhooks with (WH-2)',
    defaultText: 'none',
    default: none,
    parse: text('a secret'),
  },
  webhookUrl: {
    argument: '<url>',
    description: "how the endpoint reaches the suite's listener",
    defaultText: 'by itself on loopback',
    default: none,
    parse: httpUrl,
  },
  webhookPort: {
    argument: '<port>',
    description: "port of the suite's listener; 0 takes a free one",
    default: () => 0,
    parse: wholeNumber(0, 65535, ''),
  },
  profile: {
    argument: '<safe|full>',
    description: 'safe: no credits, no burst, a few MB at the most',
    defaultText: 'full on loopback, else safe',
    default: none,
    parse: value => (value === 'safe' || value === 'full' ? value : expected('safe or full')),
  },
  maxCredits: {
    argument: '<credits>',
    description: 'what may be spent at the most; the profile full needs it off loopback',
    defaultText: 'no bound on loopback',
    default: none,
    parse: numberFrom0(' credits'),
  },
  outputFormat: {
    argument: '<format>',
    description: 'what the three clips are made to (GO-6)',
    default: () => 'webm' as const,
    parse: value => outputFormats.find(format => format === value) ?? expected(`one of ${outputFormats.join(', ')}`),
  },
  only: {
    argument: '<name,...>',
    description: 'clauses, checks or themes to run: RL-2, jobs.list, webhooks',
    defaultText: 'all',
    default: none,
    parse: list('names with commas between them, such as RL-2,jobs'),
  },
  skip: {
    argument: '<name,...>',
    description: 'those to leave out',
    defaultText: 'none',
    default: none,
    parse: list('names with commas between them, such as webhooks'),
  },
  require: {
    argument: '<clause,...>',
    description: 'clauses that have to hold, "core" for all that the go-live needs: not tried is then a failure',
    defaultText: 'none',
    default: none,
    parse: list('clauses with commas between them, such as core,WH-2'),
  },
  bail: {
    argument: '',
    isFlag: true,
    description: 'stop at the first broken clause',
    defaultText: 'off',
    default: none,
    parse: onOff,
  },
  explore: {
    argument: '<sequences>',
    description: 'sequences of calls that nobody wrote, drawn from the seed',
    default: () => 0,
    parse: wholeNumber(0, 100_000, ' sequences'),
  },
  seed: {
    argument: '<text>',
    description: 'what all chance is drawn from',
    defaultText: 'drawn anew and printed',
    default: freshSeed,
    parse: seed,
  },
  logs: {
    argument: '<file,...>',
    description: "the server's logs, in which request_ids and job_ids have to be found (GO-4)",
    defaultText: "the mock's journal",
    default: none,
    parse: list('files with commas between them'),
  },
  header: {
    argument: '<name: value>',
    description: 'sent with every call; may be given more than once',
    defaultText: 'none',
    default: none,
    // check() looks at it, and says what is wrong without it: it may be a secret.
    parse: value => [value],
  },
  timeout: {
    argument: '<time>',
    description: 'what one answer may take',
    defaultText: '30s',
    default: () => 30_000,
    parse: duration,
  },
  jobTimeout: {
    argument: '<time>',
    description: 'what one job may take',
    defaultText: '10m, on loopback 2m',
    default: none,
    parse: duration,
  },
  maxWait: {
    argument: '<time>',
    description: 'how long a Retry-After is waited for at the most',
    defaultText: '2m',
    default: () => 120_000,
    parse: duration,
  },
  burst: {
    argument: '<calls>',
    description: 'calls that a limit is looked for with at the most',
    default: () => 150,
    parse: wholeNumber(1, 10_000, ' calls'),
  },
  insecure: {
    argument: '',
    isFlag: true,
    description: 'take any certificate',
    defaultText: 'off',
    default: none,
    parse: onOff,
  },
  ca: {
    argument: '<file>',
    description: 'PEM file of a certificate authority to trust',
    defaultText: "the system's",
    default: none,
    parse: text('a file'),
  },
  adminToken: {
    argument: '<token>',
    description: "opens the mock's /__mock where it is not on loopback",
    defaultText: 'none',
    default: none,
    parse: text('a token'),
  },
  control: {
    argument: '<on|off>',
    description: "whether the mock's own /__mock may help; off treats it like any other endpoint",
    defaultText: 'on',
    default: () => true,
    parse: onOff,
  },
} as const satisfies Table

export type CheckOptionName = keyof typeof checkOptions

/** The settings as given in UNDERSTUDY_* variables. */
export function readCheckEnvironment(environment: Record<string, string | undefined>): CheckSettings {
  const found: Record<string, unknown> = {}
  for (const [name, option] of Object.entries<Option<unknown>>(checkOptions)) {
    const value = environment[variableOf(name)]
    // What the mock is started with is no wish for a check.
    if (value !== undefined && value !== '' && name !== 'seed') found[name] = parseAs(option, value, variableOf(name))
  }
  return found
}
