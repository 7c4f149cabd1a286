/**
 * Every option of `understudy check` in one table: its flag, its variable, its default and what it means. --help, the
 * README's table and check()'s defaults are read from here.
 */

import {
  adminTokenOption,
  caOption,
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
import { expectedFailuresOption } from '../reports/expectedFailures.ts'
import type { ReporterName } from '../reports/names.ts'
import type { Chosen } from '../reports/reporterOption.ts'
import { type Profile, profiles } from './needs.ts'

export interface CheckSettings {
  /** A valid API key of the endpoint. On the mock one is created if none is given. */
  key?: string
  /** A valid key of another account, to check who owns jobs and limits (AUTH-3, RL-1). */
  secondKey?: string
  /** A valid key of an account without credits (CR-3). */
  emptyAccountKey?: string
  /** URL of a video that this endpoint fails to process (JOB-4, CR-3). */
  failingUrl?: string
  /** A video file of your own, instead of the short clip. */
  clip?: string
  /** The secret that the endpoint signs webhooks with (WH-2). */
  webhookSecret?: string
  /** URL by which the endpoint reaches the suite's webhook listener; not needed on loopback. */
  webhookUrl?: string
  /** Port of the suite's own listener; 0 takes a free one. */
  webhookPort?: number
  /** Opens the mock's /__mock off loopback. */
  adminToken?: string
  /** safe spends no credits, and sends no burst and at most a few MB. */
  profile?: Profile
  /** Most credits that a run may spend; required by the profiles quick and full off loopback. */
  maxCredits?: number
  /** Output format of the three clips (GO-6). */
  outputFormat?: OutputFormat
  /** Clauses, checks or themes to run: RL-2, jobs.list, webhooks. */
  only?: string[]
  /** Clauses, checks or themes to leave out. */
  skip?: string[]
  /** Clauses that must hold, or the run fails; "core" for all that the go-live needs. */
  require?: string[]
  /** Stop at the first broken clause. */
  bail?: boolean
  /** Number of random sequences of calls, generated from the seed; 0 for none. */
  explore?: number
  /** Seed of everything random. */
  seed?: string
  /** The server's log files, which must contain request_ids and job_ids (GO-4). */
  logs?: string[]
  /** Headers to send with every call, as "Name: value". */
  header?: string[]
  /** Timeout of one response, ms. */
  timeout?: number
  /** Timeout of one job, ms. */
  jobTimeout?: number
  /** Longest Retry-After that is waited for, ms. */
  maxWait?: number
  /** Longest that the whole run may take, ms: then it ends with a report of what is known, which is not ok. */
  maxTime?: number
  /** Most calls that are sent to reach a rate limit. */
  burst?: number
  /** Accept any certificate. */
  insecure?: boolean
  /** A PEM file of a certificate authority to trust. */
  ca?: string
  /** A file of clauses that are known to be broken: they are shown and fail nothing; one that passes does. */
  expectedFailures?: string
  /** Use the mock's /__mock if the target has one; off: treat it like any other endpoint. */
  control?: boolean
}

type Table = { [Name in keyof CheckSettings]-?: Option<Required<CheckSettings>[Name] | undefined> & { isFlag?: true } }

export const checkOptions = {
  key: {
    argument: '<key>',
    description: 'a valid API key; on the mock one is created if none is given',
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
    description: 'URL of a video that this endpoint fails to process (JOB-4, CR-3)',
    defaultText: 'none',
    default: noDefault,
    parse: httpUrl,
  },
  clip: {
    argument: '<file>',
    description: 'a video file of your own, instead of the short clip',
    defaultText: 'the one included',
    default: noDefault,
    parse: text('a file'),
  },
  webhookSecret: {
    argument: '<secret>',
    description: 'the secret that the endpoint signs webhooks with (WH-2)',
    defaultText: 'none',
    default: noDefault,
    parse: text('a secret'),
  },
  webhookUrl: {
    argument: '<url>',
    description: "URL by which the endpoint reaches the suite's webhook listener",
    defaultText: 'not needed on loopback',
    default: noDefault,
    parse: httpUrl,
  },
  webhookPort: {
    argument: '<port>',
    description: "port of the suite's webhook listener; 0 takes a free one",
    default: () => 0,
    parse: wholeNumber(0, 65535, ''),
  },
  profile: {
    argument: '<safe|quick|full>',
    description:
      'safe: no credits, no burst, at most a few MB; quick: all but bursts and the uploads of 500 MB; full: everything',
    defaultText: 'full on loopback, else safe',
    default: noDefault,
    parse: value => profiles.find(profile => profile === value) ?? expected('safe, quick or full'),
  },
  maxCredits: {
    argument: '<credits>',
    description: 'the most that may be spent; required by the profiles quick and full off loopback',
    defaultText: 'unlimited on loopback',
    default: noDefault,
    parse: numberFrom0(' credits'),
  },
  outputFormat: {
    argument: '<format>',
    description: 'output format of the three clips (GO-6)',
    default: () => 'webm' as const,
    parse: value => outputFormats.find(format => format === value) ?? expected(`one of ${outputFormats.join(', ')}`),
  },
  only: {
    argument: '<name,...>',
    description: 'clauses, checks or themes to run: RL-2, jobs.list, webhooks',
    defaultText: 'all',
    default: noDefault,
    parse: commaList('names separated by commas, such as RL-2,jobs'),
  },
  skip: {
    argument: '<name,...>',
    description: 'clauses, checks or themes to leave out',
    defaultText: 'none',
    default: noDefault,
    parse: commaList('names separated by commas, such as webhooks'),
  },
  require: {
    argument: '<clause,...>',
    description: 'clauses that must hold, "core" for all that the go-live needs: the run fails if they are not tried',
    defaultText: 'none',
    default: noDefault,
    parse: commaList('clauses separated by commas, such as core,WH-2'),
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
    description: 'number of random sequences of calls, generated from the seed',
    default: () => 0,
    parse: wholeNumber(0, 100_000, ' sequences'),
  },
  seed: {
    argument: '<text>',
    description: 'seed of everything random',
    defaultText: 'random, and printed',
    default: freshSeed,
    parse: seedText,
  },
  logs: {
    argument: '<file,...>',
    description: "the server's log files, which must contain request_ids and job_ids (GO-4)",
    defaultText: "the mock's journal",
    default: noDefault,
    parse: commaList('files separated by commas'),
  },
  header: {
    argument: '<name: value>',
    description: 'header to send with every call; may be given more than once',
    defaultText: 'none',
    default: noDefault,
    // check() parses it, so that an error doesn't show it: it may be a secret.
    parse: value => [value],
  },
  timeout: {
    argument: '<time>',
    description: 'timeout of one response',
    defaultText: '30s',
    default: () => 30_000,
    parse: durationMs,
  },
  jobTimeout: {
    argument: '<time>',
    description: 'timeout of one job',
    defaultText: '10m, on loopback 2m',
    default: noDefault,
    parse: durationMs,
  },
  maxWait: {
    argument: '<time>',
    description: 'longest Retry-After that is waited for',
    defaultText: '2m',
    default: () => 120_000,
    parse: durationMs,
  },
  maxTime: {
    argument: '<time>',
    description: 'longest that the run may take: then it reports what is known, skips the rest, and exits 1',
    defaultText: '5m on loopback, else none',
    default: noDefault,
    parse: durationMs,
  },
  burst: {
    argument: '<calls>',
    description: 'most calls that are sent to reach a rate limit',
    default: () => 150,
    parse: wholeNumber(1, 10_000, ' calls'),
  },
  insecure: {
    argument: '',
    isFlag: true,
    description: 'accept any certificate',
    defaultText: 'off',
    default: noDefault,
    parse: onOff,
  },
  ca: caOption,
  adminToken: adminTokenOption,
  expectedFailures: expectedFailuresOption,
  control: {
    argument: '<on|off>',
    description: "whether to use the mock's own /__mock; off treats it like any other endpoint",
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
