/**
 * `understudy-mock/replay`: sends a recording to an endpoint again, and says what was answered differently.
 *
 *     import { replay } from 'understudy-mock/replay'
 */
export type { Duration } from '../base/duration.ts'
export { UnderstudyError } from '../base/errors.ts'
export { ConfigError } from '../base/options.ts'
export { TargetError } from '../base/targetError.ts'
export { type Difference, ReplayReport as replayReportSchema, type ReplayReport } from './report.ts'
export { type ReplayOptions, type ReplayPlan, replay } from './run.ts'
