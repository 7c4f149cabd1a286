/**
 * `understudy-mock/drills`: load, rate limits and outages against any endpoint, with a verdict.
 *
 *     import { drill } from 'understudy-mock/drills'
 *     const report = await drill('sustain', 'http://127.0.0.1:4010', { rate: 50, duration: '30s' })
 */
export type { Duration } from '../base/duration.ts'
export { UnderstudyError } from '../base/errors.ts'
export { ConfigError } from '../base/options.ts'
export { TargetError } from '../base/targetError.ts'
export { type Compared, type Comparison, type ComparisonOutcome, compareDrills } from './compare.ts'
export { type DrillName, DrillReport as drillReportSchema, type DrillReport } from './report.ts'
export { type DrillOptions, type DrillPlan, drill } from './run.ts'
