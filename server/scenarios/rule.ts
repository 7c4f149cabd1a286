import type { OperationId } from '../../contracts/operations.ts'
import type { Then } from './compileThen.ts'
import type { Condition } from './conditions.ts'

export interface ScenarioRule {
  readonly index: number
  readonly name: string
  readonly operations: ReadonlySet<OperationId>
  /** Its route as it is written. */
  readonly routeText: string
  /** What the call itself has to be; asked in this order. */
  readonly conditions: readonly Condition[]
  /** Where there is a JSON body it is waited for: a condition asks for it, or chance tells requests apart by it. */
  readonly needsBody: boolean
  readonly calls: { from: number; to: number } | undefined
  readonly after: number
  readonly first: number
  readonly every: number
  readonly times: number
  readonly forMs: number
  readonly time: { fromMs: number; toMs: number } | undefined
  readonly probability: number | undefined
  readonly then: Then
}
