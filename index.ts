/**
 * What `import … from 'understudy'` gives: the mock (startMock), the contract suite (check), the drills (drill), recordings
 * (startRecorder, replay) and the grade of a client (conduct, rehearse).
 */

export { type Rehearsal, Rehearsal as rehearsalSchema } from './contracts/conduct/rehearsal.ts'
export {
  ConductReport as conductReportSchema,
  type ConductReport,
  type RuleResult,
} from './contracts/conduct/report.ts'
export { ReplayReport as replayReportSchema, type ReplayReport } from './contracts/replay/report.ts'
export type { ClauseResult, Evidence, Report, Verdict } from './contracts/suite/report.ts'
export { Report as reportSchema } from './contracts/suite/report.ts'
export { type Progress, TargetError } from './contracts/suite/run.ts'
export {
  type DrillName,
  DrillReport as drillReportSchema,
  type DrillReport,
  type DrillVerdict,
} from './drills/report.ts'
export { type DrillOptions, type DrillPlan, drill } from './drills/run.ts'
export { type CheckOptions, check, type Plan } from './harness/check.ts'
export { conduct, type RecordedConduct } from './harness/conduct.ts'
export { type Recorder, type RecorderOptions, startRecorder } from './harness/recorder.ts'
export { type RehearseOptions, rehearse } from './harness/rehearse.ts'
export { type ReplayOptions, replay } from './harness/replay.ts'
export * from './server/index.ts'
