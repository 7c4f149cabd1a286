/**
 * `understudy-mock/suite`: the contract suite against any endpoint, and against a recording.
 *
 *     import { check } from 'understudy-mock/suite'
 *     const report = await check('http://127.0.0.1:4010')
 */
export type { Duration } from '../base/duration.ts'
export { UnderstudyError } from '../base/errors.ts'
export { ConfigError } from '../base/options.ts'
export { TargetError } from '../base/targetError.ts'
export type { ClauseId } from '../contracts/clauses.ts'
export type { Evidence } from '../contracts/evidence.ts'
export type { Verdict } from '../contracts/verdict.ts'
export { type CheckRecordingOptions, checkRecording } from './checkRecording.ts'
export type { Profile } from './needs.ts'
export { type ClauseResult, Report as reportSchema, type Report } from './report.ts'
export { type CheckOptions, type CheckPlan, check } from './runCheck.ts'
export type { Progress } from './runOptions.ts'
