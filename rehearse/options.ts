import { commaList, durationMs, expected, type Option, speedFactor, text, wholeNumber } from '../base/options.ts'
import { maxPollTime, required } from '../conduct/options.ts'
import type { Chosen } from '../reports/reporterOption.ts'
import { options } from '../server/config.ts'
import type { RehearsalReporterName } from './reporters.ts'

const none = () => undefined

export interface RehearseSettings {
  /** Scenarios by name or file; all that ship by default, and none at all before them. */
  scenario?: string[]
  /** Folder with scenario files of your own. */
  scenarios?: string
  /** ms that one run of the command may take. */
  timeout?: number
  /** Runs at a time. */
  jobs?: number
  /** How many times faster jobs are processed. */
  speed?: number | 'instant'
  maxPollTime?: number
  require?: string[]
  /** Folder that the reports are written to. */
  out?: string
  /** NAME=VALUE, where {url}, {key}, {secret} and {scenario} stand for what they are. */
  env?: string[]
  seed?: string
}

export const rehearseOptions = {
  scenario: {
    argument: '<name,...>',
    description: 'scenarios to rehearse, by name or file; "none" for the run without one',
    defaultText: 'none, then all that there are',
    default: none,
    parse: commaList('names with commas between them'),
  },
  scenarios: options.scenarios,
  timeout: {
    argument: '<time>',
    description: 'what one run of the command may take',
    defaultText: '90s',
    default: () => 90_000,
    parse: durationMs,
  },
  jobs: {
    argument: '<count>',
    description: 'runs at a time',
    default: () => 4,
    parse: wholeNumber(1, 64, ' runs'),
  },
  speed: {
    argument: '<factor>',
    description:
      'how many times faster jobs are processed; the clock, and so every pause of the client, stays as it is',
    default: () => 10 as number | 'instant',
    parse: speedFactor,
  },
  maxPollTime,
  require: required,
  out: {
    argument: '<folder>',
    description: 'where the reports of each scenario are written',
    default: () => 'understudy-rehearsal',
    parse: text('a folder'),
  },
  env: {
    argument: '<NAME=VALUE>',
    description: "a variable for the command; {url}, {key}, {secret} and {scenario} stand for the mock's",
    defaultText: 'none',
    default: none,
    parse: value => (/^[A-Za-z_]\w*=/.test(value) ? [value] : expected('NAME=VALUE, such as API_URL={url}')),
  },
  seed: options.seed,
} as const satisfies Record<keyof RehearseSettings, Option<unknown>>

export interface RehearseFlags extends RehearseSettings {
  reporter?: Chosen<RehearsalReporterName>[]
}
