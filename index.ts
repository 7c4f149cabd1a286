/** What `import … from 'understudy'` gives: the mock (startMock), the contract suite (check) and the drills (drill). */

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
export * from './server/index.ts'
