/** Every option of `understudy replay` in one table, as --help and replay()'s defaults have it. */

import { type Option, speedFactor, text, variableOf } from '../base/options.ts'
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

export interface ReplayOption extends Option<unknown> {
  isFlag?: true
  /** It may be given as its UNDERSTUDY_ variable. */
  hasVariable?: true
}

const none = () => undefined
const flag = (description: string): ReplayOption => ({
  argument: '',
  isFlag: true,
  description,
  defaultText: 'off',
  default: none,
  parse: checkOptions.insecure.parse,
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
    hasVariable: true,
  },
  strict: flag('compare JSON bodies field by field too: messages, numbers, progress'),
  header: { ...checkOptions.header, hasVariable: true },
  timeout: { ...checkOptions.timeout, hasVariable: true },
  jobTimeout: {
    ...checkOptions.jobTimeout,
    description: 'how long a job may take to come as far as it had come',
    hasVariable: true,
  },
  insecure: { ...flag(checkOptions.insecure.description), hasVariable: true },
  ca: { ...checkOptions.ca, hasVariable: true },
  allowRemote: flag('send to a target that is not on this machine, where it may cost credits'),
} as const satisfies Record<string, ReplayOption>

/** UNDERSTUDY_KEY for key; what the mock itself is started with is no wish for a replay. */
export const replayVariableOf = (name: string): string | undefined =>
  (replayOptions as Record<string, ReplayOption>)[name]?.hasVariable ? variableOf(name) : undefined

export interface ReplayFlags extends ReplaySettings {
  reporter?: Chosen<ReplayReporterName>[]
}
