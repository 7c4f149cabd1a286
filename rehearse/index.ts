/**
 * `understudy-mock/conduct`: the grade of a client, from a recording (conduct) or by running it under each scenario (rehearse).
 *
 *     import { conduct } from 'understudy-mock/conduct'
 *     const report = conduct('session.har', { require: ['ERR-3'] })
 */
export type { Duration } from '../base/duration.ts'
export { UnderstudyError } from '../base/errors.ts'
export { ConfigError } from '../base/options.ts'
export { conduct, type RecordedConduct } from '../conduct/fromRecording.ts'
export { ConductReport as conductReportSchema, type ConductReport, type RuleResult } from '../conduct/report.ts'
export type { RuleId, RuleLevel, RuleSet } from '../conduct/rule.ts'
export { Rehearsal as rehearsalSchema, type Rehearsal } from './report.ts'
export { type RehearseOptions, type RehearseProgress, rehearse } from './run.ts'
