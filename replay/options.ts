/** Every option of `understudy replay` in one table, as --help and replay()'s defaults have it. */

import { type OptionRow, onOff, speedFactor, text } from '../base/options.ts'
import type { Chosen } from '../reports/reporterOption.ts'
import { checkOptions } from '../suite/options.ts'
import type { ReplayReporterName } from './reporters.ts'

export interface ReplaySettings {
  /** How many times as fast as recorded, or 'instant' for no gaps at all. Default 1. */
  speed?: number | 'instant'
  /** Valid keys of the target, in the order in which the recording's keys first come up. On a mock they are drawn. */
  key?: string[]
  /** Compare JSON bodies field by field too: messages, numbers, progress. */
  strict?: boolean
  /** Headers that are sent with every call, as "Name: value". */
  header?: string[]
  /** ms that one answer may take. Default 30 s. */
  timeout?: number
  /** ms that a job may take to come as far as it had come. Default 10 min, on loopback 2 min. */
  jobTimeout?: number
  /** Take any certificate. */
  insecure?: boolean
  /** A PEM file of a certificate authority to trust. */
  ca?: string
  /** Send to a target that is not on this machine, where it may cost credits. */
  allowRemote?: boolean
  /** Use the mock's /__mock where there is one. Default true. */
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
    description: 'how many times as fast as recorded, or "instant" for no gaps',
    default: () => 1,
    parse: speedFactor,
  },
  key: {
    argument: '<key>',
    description: "a valid key for the recording's first key, again for its second; on the mock they are drawn",
    defaultText: 'none',
    default: none,
    parse: (value: string) => [text('a key')(value)],
  },
  strict: flag('compare JSON bodies field by field too: messages, numbers, progress'),
  header: checkOptions.header,
  timeout: checkOptions.timeout,
  jobTimeout: {
    ...checkOptions.jobTimeout,
    description: 'how long a job may take to come as far as it had come',
  },
  insecure: checkOptions.insecure,
  ca: checkOptions.ca,
  allowRemote: flag('send to a target that is not on this machine, where it may cost credits'),
} as const satisfies Record<string, OptionRow>

export interface ReplayFlags extends ReplaySettings {
  reporter?: Chosen<ReplayReporterName>[]
}
