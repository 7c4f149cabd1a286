import {
  commaList,
  durationMs,
  expected,
  noDefault,
  type Option,
  onOff,
  speedFactor,
  text,
  wholeNumber,
} from '../base/options.ts'
import { maxPollTime, type RuleSettings, required, ruleOptions } from '../conduct/options.ts'
import type { Chosen } from '../reports/reporterOption.ts'
import { options } from '../server/config.ts'
import type { RehearsalReporterName } from './reporters.ts'

const none = () => undefined

/** --env of the verbs that run a command; what is replaced in it differs. */
export const envOption = (places: string) =>
  ({
    argument: '<NAME=VALUE>',
    description: `variable for the command; ${places} are replaced by the mock's`,
    defaultText: 'none',
    default: () => undefined as string[] | undefined,
    parse: (value: string) => (/^[A-Za-z_]\w*=/.test(value) ? [value] : expected('NAME=VALUE, such as API_URL={url}')),
  }) as const

export interface RehearseSettings extends RuleSettings {
  /** Scenarios by name or file; by default "none" and then all that last 5 s at the most. */
  scenario?: string[]
  /** Those that last longer too. */
  slow?: boolean
  /** Folder with scenario files of your own. */
  scenarios?: string
  /** Timeout of one run of the command, ms. */
  timeout?: number
  /** Runs in parallel. */
  jobs?: number
  /** Speed factor of jobs. */
  speed?: number | 'instant'
  maxPollTime?: number
  require?: string[]
  /** Folder that the reports are written to. */
  out?: string
  /** NAME=VALUE; {url}, {key}, {secret}, {scenario} and {ca} are replaced by the mock's. */
  env?: string[]
  /** The mock speaks TLS; the program trusts it by NODE_EXTRA_CA_CERTS, and {ca} is the file for others. */
  tls?: boolean
  seed?: string
}

export const rehearseOptions = {
  scenario: {
    argument: '<name,...>',
    description: 'scenarios to rehearse, by name or file; "none" for the run without one',
    defaultText: 'none, then all that last up to 5 s',
    default: none,
    parse: commaList('names separated by commas'),
  },
  slow: {
    argument: '',
    isFlag: true,
    description: 'the scenarios that last longer than 5 s too; they run beside the others, all at a time',
    defaultText: 'off',
    default: noDefault,
    parse: onOff,
  },
  scenarios: options.scenarios,
  timeout: {
    argument: '<time>',
    description: 'timeout of one run of the command, beside what its scenario lasts',
    defaultText: '90s',
    default: () => 90_000,
    parse: durationMs,
  },
  jobs: {
    argument: '<count>',
    description: 'runs in parallel',
    default: () => 4,
    parse: wholeNumber(1, 64, ' runs'),
  },
  speed: {
    argument: '<factor>',
    description: 'speed factor of jobs; the clock, and so every pause of the client, is not changed',
    default: () => 10 as number | 'instant',
    parse: speedFactor,
  },
  maxPollTime,
  require: required,
  ...ruleOptions,
  out: {
    argument: '<folder>',
    description: 'folder for the reports of each scenario',
    default: () => 'understudy-rehearsal',
    parse: text('a folder'),
  },
  env: envOption('{url}, {key}, {secret}, {scenario} and {ca}'),
  tls: {
    ...options.tls,
    description: 'the mock speaks TLS; the command has NODE_EXTRA_CA_CERTS, and {ca} is the file with what to trust',
    default: noDefault,
  },
  seed: options.seed,
} as const satisfies Record<keyof RehearseSettings, Option<unknown> & { isFlag?: true }>

export interface RehearseFlags extends RehearseSettings {
  reporter?: Chosen<RehearsalReporterName>[]
}
