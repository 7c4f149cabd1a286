/** What `import … from 'understudy'` gives: the mock (startMock) and the contract suite (check). */

export type { ClauseResult, Evidence, Report, Verdict } from './contracts/suite/report.ts'
export { Report as reportSchema } from './contracts/suite/report.ts'
export { type Progress, TargetError } from './contracts/suite/run.ts'
export { type CheckOptions, check, type Plan } from './harness/check.ts'
export * from './server/index.ts'
