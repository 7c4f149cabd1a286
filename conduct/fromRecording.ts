/** conduct(): the grade of the client in a recording. */

import { fingerprintOf } from '../base/fingerprint.ts'
import { defined } from '../base/inputs.ts'
import { ConfigError } from '../base/options.ts'
import { packageVersion } from '../base/paths.ts'
import { refuseRenamed } from '../base/renamed.ts'
import { openHar } from '../recordings/read.ts'

import { checkRuleOptions, grade, isRuleOrClause, namesOfRules } from './grade.ts'
import type { ConductReport } from './report.ts'
import type { RuleLevel, RuleSet } from './rule.ts'

export interface RecordedConduct {
  /** The key whose client is graded, or its fingerprint; all clients without one. */
  key?: string
  /** The X-Mock-World, where a key's calls are divided by it. */
  world?: string
  /** The base URL of the calls, where it can't be told from their routes. */
  base?: string
  /** The longest that a job may be polled that doesn't end, ms; 30 min by default. */
  maxPollTimeMs?: number
  /** Clauses or rules that have to be kept. */
  require?: readonly string[]
  /** The lowest level whose failure fails the grade; must by default. */
  level?: RuleLevel
  /** The rule set, such as "2026-12"; the newest by default. */
  rules?: RuleSet
}

/**
 * Grades the client in a recording (HAR). Throws a ConfigError for a file that can't be read as one, that holds no call
 * of the API, or none of the key.
 */
export function conduct(file: string, options: RecordedConduct = {}): ConductReport {
  refuseRenamed(options)
  checkRuleOptions(options)
  const wrong = options.require?.find(name => !isRuleOrClause(name))
  if (wrong !== undefined)
    throw new ConfigError(
      `there is no rule or clause ${JSON.stringify(wrong)}; expected one of ${namesOfRules().join(', ')}`,
    )
  const har = openHar(file, defined({ base: options.base }))
  try {
    har.requireTraffic()
    const report = grade(har.traffic(), {
      about: { understudy: packageVersion, source: file, ...defined({ incomplete: har.log._incomplete }) },
      ...defined({
        key: nameOf(options),
        maxPollTimeMs: options.maxPollTimeMs,
        require: options.require,
        level: options.level,
        ruleSet: options.rules,
      }),
    })
    if (report.calls + report.webhooks > 0) return report
    const { keys } = grade(har.traffic(), { about: { understudy: packageVersion, source: file } })
    throw new ConfigError(
      `${file} holds no call of that key; expected the key, or the fingerprint, of one of ${keys.join(', ')}`,
    )
  } finally {
    har.close()
  }
}

const isFingerprint = /^([0-9a-f]{12}|anonymous|redacted)$/

function nameOf({ key, world }: RecordedConduct): string | undefined {
  if (key === undefined) return undefined
  const name = isFingerprint.test(key) ? key : fingerprintOf(key)
  return world === undefined ? name : `${name}/${world}`
}
