/** Every option of `understudy replay` in one table, as --help and replay()'s defaults have it. */

import { type OptionRow, onOff, speedFactor, text, tlsFileOptions } from '../base/options.ts'
import type { TlsFiles } from '../base/pem.ts'
import type { Chosen } from '../reports/reporterOption.ts'
import { checkOptions } from '../suite/options.ts'
import type { ReplayReporterName } from './reporters.ts'

export interface ReplaySettings extends TlsFiles {
  /** Speed factor, or 'instant' for no gaps. Default 1. */
  speed?: number | 'instant'
  /** Valid keys of the target, in the order in which the recording's keys first appear. On a mock they are created. */
  key?: string[]
  /** Compare JSON bodies field by field too: messages, numbers, progress. */
  strict?: boolean
  /** Headers to send with every call, as "Name: value". */
  header?: string[]
  /** Timeout of one response, ms. Default 30 s. */
  timeout?: number
  /** Timeout for a job to reach its recorded state, ms. Default 10 min, on loopback 2 min. */
  jobTimeout?: number
  /** Accept any certificate. */
  insecure?: boolean
  /** Send to a target off loopback, where it may cost credits. */
  allowRemote?: boolean
  /** Use the mock's /__mock if the target has one. Default true. */
  control?: boolean
}

const none = () => undefined
const flag = (description: string): OptionRow => ({
  argument: '',
  isFlag: true,
  description,
  defaultText: 'off',
  default: none,
  parse: onOff,
})

export const replayOptions = {
  speed: {
    argument: '<factor>',
    description: 'speed factor, or "instant" for no gaps',
    default: () => 1,
    parse: speedFactor,
  },
  key: {
    argument: '<key>',
    description: "a valid key for the recording's first key, given again for its second; on the mock they are created",
    defaultText: 'none',
    default: none,
    parse: (value: string) => [text('a key')(value)],
  },
  strict: flag('also compare JSON bodies field by field: messages, numbers, progress'),
  header: checkOptions.header,
  timeout: checkOptions.timeout,
  jobTimeout: {
    ...checkOptions.jobTimeout,
    description: 'timeout for a job to reach its recorded state',
  },
  insecure: checkOptions.insecure,
  ...tlsFileOptions,
  allowRemote: flag('send to a target off loopback, where it may cost credits'),
} as const satisfies Record<string, OptionRow>

export interface ReplayFlags extends ReplaySettings {
  reporter?: Chosen<ReplayReporterName>[]
}
