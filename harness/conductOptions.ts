/** The options of `understudy conduct` and of `understudy rehearse`, each in one table: flag, variable, default, meaning. */
import { defaultPatienceMs, isRuleOrClause, namesOfRules } from '../contracts/conduct/grade.ts'
import { expected, type Option, options, text, wholeNumber } from '../server/config.ts'
import { checkOptions, duration, httpUrl, list } from './options.ts'

const none = () => undefined

const ruleNames = (value: string): string[] => {
  const names = list('rules or clauses with commas between them, such as ERR-3,RL-3')(value)
  const wrong = names.find(name => !isRuleOrClause(name))
  return wrong === undefined ? names : expected(`rules or clauses: ${namesOfRules().join(', ')}`)
}

const patience = {
  argument: '<time>',
  description: 'the longest that a job may be polled that never ends',
  defaultText: '30m',
  default: () => defaultPatienceMs,
  parse: duration,
} as const

const required = {
  argument: '<rule,...>',
  description: 'rules, or clauses, that have to be kept: not seen is not enough then',
  defaultText: 'none',
  default: none,
  parse: ruleNames,
} as const

export interface ConductSettings {
  key?: string
  world?: string
  patience?: number
  require?: string[]
  base?: string
  url?: string
  adminToken?: string
}

export const conductOptions = {
  key: {
    argument: '<key>',
    description: 'the key whose client is graded, or its fingerprint',
    defaultText: 'all clients',
    default: none,
    parse: text('a key'),
  },
  world: {
    argument: '<name>',
    description: "the X-Mock-World, where a key's calls are divided by it",
    defaultText: 'all',
    default: none,
    parse: text('a name'),
  },
  patience,
  require: required,
  base: {
    argument: '<url>',
    description: 'of a recording: the base URL of its calls',
    defaultText: 'what is in front of most routes',
    default: none,
    parse: httpUrl,
  },
  url: {
    argument: '<url>',
    description: 'of a running mock: where it is',
    defaultText: 'this machine, port UNDERSTUDY_PORT or 4010',
    default: none,
    parse: httpUrl,
  },
  adminToken: checkOptions.adminToken,
} as const satisfies Record<keyof ConductSettings, Option<unknown>>

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
  patience?: number
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
    parse: list('names with commas between them'),
  },
  scenarios: options.scenarios,
  timeout: {
    argument: '<time>',
    description: 'what one run of the command may take',
    defaultText: '90s',
    default: () => 90_000,
    parse: duration,
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
    parse: options.speed.parse,
  },
  patience,
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
