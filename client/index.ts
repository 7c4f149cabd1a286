/**
 * `understudy-mock/client`: a mock that runs in another process, such as a container, with the methods of startMock()'s result.
 *
 *     import { connectMock } from 'understudy-mock/client'
 *     const mock = await connectMock('http://127.0.0.1:4010')
 *     await mock.setKey({ key: 'test_signup', topUp: 50 })
 */
export type { Duration } from '../base/duration.ts'
export { ControlError, JournalEvictedError, UnderstudyError, WaitTimeoutError } from '../base/errors.ts'
export { ConfigError } from '../base/options.ts'
export { ConductError, type ConductExpectation } from '../conduct/expectation.ts'
export type { ExpectedWait, ExpectedWaitsOptions } from '../conduct/expectedWaits.ts'
export type { ConductReport } from '../conduct/report.ts'
export type { RuleId, RuleLevel, RuleSet } from '../conduct/rule.ts'
export type { ClauseId } from '../contracts/clauses.ts'
export type { OperationId } from '../contracts/operations.ts'
export type { Job, JobState } from '../contracts/schemas.ts'
export { type ConnectOptions, connectMock } from './connect.ts'
export type * from './mock.ts'
export { type PlacedProblem, ScenarioError } from './scenarioError.ts'
export type { RuleFormat as Rule, ScenarioFile } from './scenarioFormat.ts'
export type { Snapshot } from './snapshotFormat.ts'
