import type { ScenarioFile } from '../../client/scenarioFormat.ts'
import type { OperationId } from '../../contracts/operations.ts'
import type { LimitSpec } from '../world/limits.ts'
import type { PlanChanges } from '../world/plan.ts'
import type { ScenarioRule } from './rule.ts'
import type { RuleIndex } from './ruleIndex.ts'
export interface Scenario {
  readonly name: string
  readonly description: string
  readonly clauses: readonly string[]
  /** ms that a client which does all right needs, at the least. */
  readonly lastsMs: number
  /** As it is written, with all that it extends. */
  readonly source: ScenarioFile
  readonly account: {
    credits: number | undefined
    requests: LimitSpec | undefined
    jobs: LimitSpec | undefined
    revokedAfterCalls: number | undefined
    revokedAfterMs: number | undefined
    idempotencyMs: number | undefined
  }
  readonly jobs: PlanChanges | undefined
  readonly rules: readonly ScenarioRule[]
  /** Whether a rule asks for the state of the call's job. */
  readonly asksJobState: boolean
  /** The rules that could fit a call of an operation, in their order. */
  readonly rulesOf: ReadonlyMap<OperationId, RuleIndex>
}
