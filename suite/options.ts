/**
 * Every option of `understudy check` in one table: its flag, its variable, its default and what it means. --help, the
 * README's table and check()'s defaults are read from here.
 */

import {
  adminTokenOption,
  commaList,
  durationMs,
  expected,
  httpUrl,
  noDefault,
  numberFrom0,
  type Option,
  onOff,
  seedText,
  text,
  wholeNumber,
} from '../base/options.ts'
import { freshSeed } from '../base/seed.ts'
import { type OutputFormat, outputFormats } from '../contracts/schemas.ts'
import type { ReporterName } from '../reports/names.ts'
import type { Chosen } from '../reports/reporterOption.ts'
import type { Profile } from './runOptions.ts'

export interface CheckSettings {
  /** A valid API key of the endpoint. On the mock one is drawn without it. */
  key?: string
  /** A valid key of another account: for whose a job is, and whose a limit (AUTH-3, RL-1). */
  secondKey?: string
  /** A valid key of an account without credits (CR-3). */
  emptyAccountKey?: string
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

export const checkOptions = {
  key: {
    argument: '<key>',
    description: 'a valid API key; on the mock one is drawn without it',
    defaultText: 'none',
    default: noDefault,
    parse: text('a key'),
  },
  secondKey: {
    argument: '<key>',
    description: 'a valid key of another account (AUTH-3, RL-1)',
    defaultText: 'none',
    default: noDefault,
    parse: text('a key'),
  },
  emptyAccountKey: {
    argument: '<key>',
    description: 'a valid key of an account without credits (CR-3)',
    defaultText: 'none',
    default: noDefault,
    parse: text('a key'),
  },
  failingUrl: {
    argument: '<url>',
    description: 'a video that this endpoint is known to fail on (JOB-4, CR-3)',
    defaultText: 'none',
    default: noDefault,
    parse: httpUrl,
  },
  clip: {
    argument: '<file>',
    description: 'a video of your own in place of the short clip',
    defaultText: 'one that ships',
    default: noDefault,
    parse: text('a file'),
  },
  webhookSecret: {
    argument: '<secret>',
    description: 'what the endpoint signs webhooks with (WH-2)',
    defaultText: 'none',
    default: noDefault,
    parse: text('a secret'),
  },
  webhookUrl: {
    argument: '<url>',
    description: "how the endpoint reaches the suite's listener",
    defaultText: 'by itself on loopback',
    default: noDefault,
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
    default: noDefault,
    parse: value => (value === 'safe' || value === 'full' ? value : expected('safe or full')),
  },
  maxCredits: {
    argument: '<credits>',
    description: 'what may be spent at the most; the profile full needs it off loopback',
    defaultText: 'no bound on loopback',
    default: noDefault,
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
    default: noDefault,
    parse: commaList('names with commas between them, such as RL-2,jobs'),
  },
  skip: {
    argument: '<name,...>',
    description: 'those to leave out',
    defaultText: 'none',
    default: noDefault,
    parse: commaList('names with commas between them, such as webhooks'),
  },
  require: {
    argument: '<clause,...>',
    description: 'clauses that have to hold, "core" for all that the go-live needs: not tried is then a failure',
    defaultText: 'none',
    default: noDefault,
    parse: commaList('clauses with commas between them, such as core,WH-2'),
  },
  bail: {
    argument: '',
    isFlag: true,
    description: 'stop at the first broken clause',
    defaultText: 'off',
    default: noDefault,
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
    parse: seedText,
  },
  logs: {
    argument: '<file,...>',
    description: "the server's logs, in which request_ids and job_ids have to be found (GO-4)",
    defaultText: "the mock's journal",
    default: noDefault,
    parse: commaList('files with commas between them'),
  },
  header: {
    argument: '<name: value>',
    description: 'sent with every call; may be given more than once',
    defaultText: 'none',
    default: noDefault,
    // check() looks at it, and says what is wrong without it: it may be a secret.
    parse: value => [value],
  },
  timeout: {
    argument: '<time>',
    description: 'what one answer may take',
    defaultText: '30s',
    default: () => 30_000,
    parse: durationMs,
  },
  jobTimeout: {
    argument: '<time>',
    description: 'what one job may take',
    defaultText: '10m, on loopback 2m',
    default: noDefault,
    parse: durationMs,
  },
  maxWait: {
    argument: '<time>',
    description: 'how long a Retry-After is waited for at the most',
    defaultText: '2m',
    default: () => 120_000,
    parse: durationMs,
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
    default: noDefault,
    parse: onOff,
  },
  ca: {
    argument: '<file>',
    description: 'PEM file of a certificate authority to trust',
    defaultText: "the system's",
    default: noDefault,
    parse: text('a file'),
  },
  adminToken: adminTokenOption,
  control: {
    argument: '<on|off>',
    description: "whether the mock's own /__mock may help; off treats it like any other endpoint",
    defaultText: 'on',
    default: () => true,
    parse: onOff,
  },
} as const satisfies Table

export type CheckOptionName = keyof typeof checkOptions

export interface CheckFlags extends CheckSettings {
  reporter?: Chosen<ReporterName>[]
  baseline?: string
  /** Of a recording: the base URL of its calls. */
  base?: string
  list?: boolean
}
