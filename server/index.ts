/**
 * `understudy-mock`: the mock in this process.
 *
 *     import { startMock } from 'understudy-mock'
 *     const mock = await startMock({ speed: 'instant' })
 *
 * The other subpaths: understudy-mock/client (a mock in another process), /suite, /drills, /record, /replay, /conduct,
 * /contract, and the fixtures of test runners: /vitest, /jest, /playwright and /node-test.
 */
export type { Duration } from '../base/duration.ts'
export { ControlError, JournalEvictedError, UnderstudyError, WaitTimeoutError } from '../base/errors.ts'
export { ConfigError } from '../base/options.ts'
export type * from '../client/mock.ts'
export { type PlacedProblem, ScenarioError } from '../client/scenarioError.ts'
export type { LimitFormat, RuleFormat as Rule, ScenarioFile } from '../client/scenarioFormat.ts'
export type { Snapshot } from '../client/snapshotFormat.ts'
export { ConductError, type ConductExpectation } from '../conduct/expectation.ts'
export type { ExpectedWait, ExpectedWaitsOptions } from '../conduct/expectedWaits.ts'
export type { ConductReport } from '../conduct/report.ts'
export type { RuleId, RuleLevel, RuleSet } from '../conduct/rule.ts'
export type { ClauseId } from '../contracts/clauses.ts'
export type { OperationId } from '../contracts/operations.ts'
export type { Job, JobState } from '../contracts/schemas.ts'
export type { LogLevel, MockOptions } from './config.ts'
export { scenarioSchema } from './scenarios/format.ts'
export { type FromHarOptions, type MadeScenario, scenarioFromRecording } from './scenarios/fromHar.ts'
export { startMock } from './start.ts'
