/** The options of `understudy webhook-check` in one table: --help, docs and the defaults are read from here. */
import { commaList, durationMs, noDefault, type OptionRow, text } from '../base/options.ts'
import type { ReporterName } from '../reports/names.ts'
import type { Chosen } from '../reports/reporterOption.ts'
import { checkOptions } from '../suite/options.ts'

export interface ReceiverSettings {
  /** The secret that the receiver verifies signatures with (WH-2). Without it deliveries are not signed. */
  secret?: string
  /** The secret that it takes as well while secrets change. */
  nextSecret?: string
  /** Hosts besides loopback that deliveries may be sent to. */
  allow?: string[]
  /** A JSON file with fields that each job in a delivery is to have, such as an id that the receiver knows. */
  job?: string
  /** Headers to send with every delivery, as "Name: value". */
  header?: string[]
  /** Timeout of one answer, ms. */
  timeout?: number
  /** Accept any certificate. */
  insecure?: boolean
  /** A PEM file of a certificate authority to trust. */
  ca?: string
  /** Seed of all ids. */
  seed?: string
}

const { header, insecure, ca, seed } = checkOptions

export const receiverOptions = {
  secret: {
    argument: '<secret>',
    description: 'secret that the receiver verifies signatures with (WH-2)',
    defaultText: 'unsigned',
    default: noDefault,
    parse: text('a secret'),
  },
  nextSecret: {
    argument: '<secret>',
    description: 'secret that the receiver takes as well, while secrets change',
    defaultText: 'none',
    default: noDefault,
    parse: text('a secret'),
  },
  allow: {
    argument: '<host,...>',
    description: 'hosts besides loopback that deliveries may be sent to',
    defaultText: 'loopback only',
    default: noDefault,
    parse: commaList('host names separated by commas'),
  },
  job: {
    argument: '<file>',
    description: 'JSON file with fields of the jobs, such as an id that the receiver knows',
    defaultText: 'jobs that nobody knows',
    default: noDefault,
    parse: text('a file'),
  },
  header: { ...header, description: 'header to send with every delivery; may be given more than once' },
  timeout: {
    argument: '<time>',
    description: 'timeout of one answer (WH-3)',
    defaultText: '5s',
    default: () => 5_000,
    parse: durationMs,
  },
  insecure,
  ca,
  seed,
} as const satisfies Record<keyof ReceiverSettings, OptionRow>

export interface ReceiverFlags extends ReceiverSettings {
  reporter?: Chosen<ReporterName>[]
}
