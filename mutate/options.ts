/** The options of `understudy mutate`, in one table: flag, variable, default, meaning. */
import {
  commaList,
  durationMs,
  expected,
  noDefault,
  numberFrom0,
  type Option,
  speedFactor,
  text,
  wholeNumber,
} from '../base/options.ts'
import { envOption } from '../rehearse/options.ts'
import { expectedFailuresOption } from '../reports/expectedFailures.ts'
import type { Chosen } from '../reports/reporterOption.ts'
import { options } from '../server/config.ts'
import type { MutationReporterName } from './reporters.ts'

const none = () => undefined

export interface MutateSettings {
  /** Clauses, mutants or variants, by their ids; all by default. */
  only?: string[]
  /** So many of them, drawn so that each clause has one. */
  sample?: number
  /** A JSON report of before: what was noticed or accepted then is not run again. */
  since?: string
  /** Runs in parallel. */
  jobs?: number
  /** Timeout of a run without a mutant, ms; one with a mutant has three times what the slowest of those took. */
  timeout?: number
  /** Lowest score that passes, in percent. */
  minScore?: number
  /** 'must': an unnoticed mutant by which a client loses data, money or users fails the run. */
  require?: 'must'
  expectedFailures?: string
  /** Speed factor of jobs. */
  speed?: number | 'instant'
  rateLimit?: number
  jobLimit?: number
  credits?: number
  /** NAME=VALUE; {url}, {key}, {secret} and {run} are replaced by the mock's. */
  env?: string[]
  seed?: string
}

export const mutateOptions = {
  only: {
    argument: '<name,...>',
    description: 'clauses, mutants or variants to run, by id',
    defaultText: 'all',
    default: none,
    parse: commaList('clauses, mutants or variants separated by commas, such as DL-3,JOB-4'),
  },
  sample: {
    argument: '<count>',
    description: 'number of mutants and variants to run, drawn so that each clause has one',
    defaultText: 'all',
    default: noDefault,
    parse: wholeNumber(1, 10_000, ' mutants'),
  },
  since: {
    argument: '<report.json>',
    description: 'JSON report of before: what was noticed or accepted then is taken over, not run again',
    defaultText: 'none',
    default: noDefault,
    parse: text('a file'),
  },
  jobs: {
    argument: '<count>',
    description: 'runs in parallel, each with a mock of its own',
    default: () => 2,
    parse: wholeNumber(1, 64, ' runs'),
  },
  timeout: {
    argument: '<time>',
    description: 'timeout of a run without a mutant; one with a mutant has 3 times what the slowest of those took',
    defaultText: '5m',
    default: () => 300_000,
    parse: durationMs,
  },
  minScore: {
    argument: '<percent>',
    description: 'lowest score that passes: mutants noticed, of those reached',
    defaultText: 'none',
    default: noDefault,
    parse: (value: string) => {
      const score = numberFrom0(' percent')(value)
      return score <= 100 ? score : expected('a number from 0 to 100')
    },
  },
  require: {
    argument: '<must>',
    description: '"must": fail if a mutant goes unnoticed by which a client loses data, money or users',
    defaultText: 'none',
    default: noDefault,
    parse: (value: string) => (value === 'must' ? value : expected('must')),
  },
  expectedFailures: {
    ...expectedFailuresOption,
    description:
      'file of known blind spots, a mutant a line: they are shown and fail nothing; one that is noticed does',
  },
  speed: {
    argument: '<factor>',
    description: 'speed factor of jobs',
    default: () => 10 as number | 'instant',
    parse: speedFactor,
  },
  rateLimit: options.rateLimit,
  jobLimit: options.jobLimit,
  credits: options.credits,
  env: envOption('{url}, {key}, {secret} and {run}'),
  seed: options.seed,
} as const satisfies Record<keyof MutateSettings, Option<unknown>>

export interface MutateFlags extends MutateSettings {
  reporter?: Chosen<MutationReporterName>[]
  list?: boolean
  json?: boolean
}
