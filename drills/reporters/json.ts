/** The report itself, for programs. */
import * as text from '../../contracts/reporters/text.ts'
import type { DrillReport } from '../report.ts'

/** The id of the report's JSON Schema. */
export const drillReportSchemaId = 'understudy/drills/report.schema.json'

export const json = (report: DrillReport): string => text.json({ $schema: drillReportSchemaId, ...report })
