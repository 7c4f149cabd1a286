/** The grade of a client as an assertion. */
import { UnderstudyError } from '../base/errors.ts'
import { ConfigError } from '../base/options.ts'
import { plural } from '../base/text.ts'
import type { ClauseId } from '../contracts/clauses.ts'
import { isFailing, isRuleOrClause, namesOfRules, resultsFor } from './grade.ts'
import type { ConductReport, RuleResult } from './report.ts'
import type { RuleId } from './rule.ts'

/** The name as it is known. Throws a ConfigError for one that no rule has. */
export function knownRule(name: string): string {
  if (isRuleOrClause(name)) return name
  throw new ConfigError(
    `There is no rule of conduct or clause ${JSON.stringify(name)}; expected one of ${namesOfRules().join(', ')}`,
  )
}

/** A client did not keep what was expected of it. The message has the evidence and what to do. */
export class ConductError extends UnderstudyError {
  override readonly name = 'ConductError'
  readonly code = 'ERR_CONDUCT'
  readonly report: ConductReport

  constructor(message: string, report: ConductReport) {
    super(message)
    this.report = report
  }
}

/** mock.expectConduct(key) */
export interface ConductExpectation {
  /**
   * Resolves when each of the rules, or some rule of each of the clauses, passed and none failed. Rejects with a
   * ConductError that has the evidence when one failed, or when the situation never arose.
   */
  toKeep(...names: [ClauseId | RuleId, ...(ClauseId | RuleId)[]]): Promise<ConductReport>
  /** Resolves when no rule failed; skipped rules do not matter. */
  toBreakNothing(): Promise<ConductReport>
}

export const expectationOn = (read: () => ConductReport | Promise<ConductReport>): ConductExpectation => ({
  async toKeep(...names) {
    const report = await read()
    for (const name of names) {
      const results = resultsFor(report.rules, knownRule(name))
      const broken = results.filter(({ verdict }) => verdict === 'failed')
      if (broken.length > 0) throw new ConductError(`${name} failed\n${broken.map(brokenText).join('\n')}`, report)
      if (results.every(({ verdict }) => verdict === 'skipped'))
        throw new ConductError(`${name} was skipped\n${results.map(unseenText).join('\n')}`, report)
    }
    return report
  },
  async toBreakNothing() {
    const report = await read()
    if (report.calls + report.webhooks === 0) throw new ConductError(report.why, report)
    const broken = report.rules.filter(({ verdict }) => verdict === 'failed')
    if (broken.length > 0) throw new ConductError(`${report.why}\n${broken.map(brokenText).join('\n')}`, report)
    return report
  },
})

/** The rules that make the report not ok by its own level, with the evidence; undefined where none does. */
export function conductProblem(report: ConductReport): ConductError | undefined {
  const broken = report.rules.filter(rule => isFailing(rule, report.level))
  return broken.length === 0
    ? undefined
    : new ConductError(
        `${plural(broken.length, 'rule')} of conduct failed\n${broken.map(brokenText).join('\n')}`,
        report,
      )
}

const shownPieces = 3

function brokenText({ id, clause, title, evidence, advice }: RuleResult): string {
  const pieces = evidence
    .slice(0, shownPieces)
    .flatMap(({ said, entries }) => [
      `    ${said}`,
      ...entries.map(({ number, time, what }) => `      #${number} ${time.slice(11, 23)} ${what}`),
    ])
  const more = evidence.length > shownPieces ? [`    and ${evidence.length - shownPieces} more`] : []
  return [`  ${id} (${clause}): ${title}`, ...pieces, ...more, `    advice: ${advice}`].join('\n')
}

const unseenText = ({ id, reason, provoke }: RuleResult): string =>
  `  ${id}: ${reason}${provoke.length > 0 ? `; provoke it with the scenario ${provoke.join(' or ')}` : ''}`
