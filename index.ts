/**
 * What `import … from 'understudy'` gives: the mock (startMock), the contract suite (check), the drills (drill), recordings
 * (startRecorder, replay) and the grade of a client (conduct, rehearse).
 */

export { TargetError } from './base/targetError.ts'
export { conduct, type RecordedConduct } from './conduct/fromRecording.ts'
export {
  ConductReport as conductReportSchema,
  type ConductReport,
  type RuleResult,
} from './conduct/report.ts'
export type { Evidence } from './contracts/evidence.ts'
export type { Verdict } from './contracts/verdict.ts'
export {
  type DrillName,
  DrillReport as drillReportSchema,
  type DrillReport,
} from './drills/report.ts'
export { type DrillOptions, type DrillPlan, drill } from './drills/run.ts'
export { type Recorder, type RecorderOptions, startRecorder } from './record/recorder.ts'
export { type Rehearsal, Rehearsal as rehearsalSchema } from './rehearse/report.ts'
export { type RehearseOptions, rehearse } from './rehearse/run.ts'
export { ReplayReport as replayReportSchema, type ReplayReport } from './replay/report.ts'
export { type ReplayOptions, replay } from './replay/run.ts'
export * from './server/index.ts'
export type { ClauseResult, Report } from './suite/report.ts'
export { Report as reportSchema } from './suite/report.ts'
export { type CheckOptions, type CheckPlan as Plan, check } from './suite/runCheck.ts'
export type { Progress } from './suite/runOptions.ts'
