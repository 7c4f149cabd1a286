/** The options of `understudy conduct` and of `understudy rehearse`, each in one table: flag, variable, default, meaning. */

import {
  adminTokenOption,
  caOption,
  commaList,
  durationMs,
  expected,
  httpUrl,
  type Option,
  text,
} from '../base/options.ts'
import { expectedFailuresOption } from '../reports/expectedFailures.ts'
import type { ReporterName } from '../reports/names.ts'
import type { Chosen } from '../reports/reporterOption.ts'
import { defaultMaxPollTimeMs, isRuleOrClause, namesOfRules } from './grade.ts'
import { newestRuleSet, type RuleLevel, type RuleSet, ruleLevels, ruleSets } from './rule.ts'

const none = () => undefined

const ruleNames = (value: string): string[] => {
  const names = commaList('rules or clauses separated by commas, such as ERR-3,RL-3')(value)
  const wrong = names.find(name => !isRuleOrClause(name))
  return wrong === undefined ? names : expected(`rules or clauses: ${namesOfRules().join(', ')}`)
}

export const maxPollTime = {
  argument: '<time>',
  description: 'longest time that a client may poll a job that never ends',
  defaultText: '30m',
  default: () => defaultMaxPollTimeMs,
  parse: durationMs,
} as const

export const required = {
  argument: '<rule,...>',
  description: 'rules or clauses that must be kept: the grade fails if they are not seen',
  defaultText: 'none',
  default: none,
  parse: ruleNames,
} as const

/** Of conduct and rehearse: what of the rules counts. */
export const ruleOptions = {
  level: {
    argument: '<must|should>',
    description: 'lowest level whose failure fails the grade; both are shown',
    default: () => 'must' as RuleLevel,
    parse: (value: string): RuleLevel => ruleLevels.find(one => one === value) ?? expected(ruleLevels.join(' or ')),
  },
  expectedFailures: expectedFailuresOption,
  rules: {
    argument: '<date>',
    description: 'the rule set to grade by: a newer one has rules that an older one has not',
    defaultText: `the newest, ${newestRuleSet}`,
    default: () => newestRuleSet as RuleSet,
    parse: (value: string): RuleSet => ruleSets.find(one => one === value) ?? expected(`one of ${ruleSets.join(', ')}`),
  },
} as const

export interface RuleSettings {
  level?: RuleLevel
  expectedFailures?: string
  /** The rule set. */
  rules?: RuleSet
}

export interface ConductSettings extends RuleSettings {
  key?: string
  world?: string
  maxPollTime?: number
  require?: string[]
  base?: string
  url?: string
  adminToken?: string
  /** PEM file of an authority that the mock's certificate is trusted by. */
  ca?: string
}

export const conductOptions = {
  key: {
    argument: '<key>',
    description: 'key of the client to grade, or its fingerprint',
    defaultText: 'all clients',
    default: none,
    parse: text('a key'),
  },
  world: {
    argument: '<name>',
    description: "the X-Mock-World, if a key's calls are divided by it",
    defaultText: 'all',
    default: none,
    parse: text('a name'),
  },
  maxPollTime,
  require: required,
  ...ruleOptions,
  base: {
    argument: '<url>',
    description: 'of a recording: the base URL of its calls',
    defaultText: 'derived from the routes',
    default: none,
    parse: httpUrl,
  },
  url: {
    argument: '<url>',
    description: 'base URL of a running mock',
    defaultText: 'this machine, port UNDERSTUDY_PORT or 4010',
    default: none,
    parse: httpUrl,
  },
  adminToken: adminTokenOption,
  ca: caOption,
} as const satisfies Record<keyof ConductSettings, Option<unknown>>

export interface ConductFlags extends ConductSettings {
  reporter?: Chosen<ReporterName>[]
}
