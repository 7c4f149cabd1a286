/** The report itself, for programs. */
import * as text from '../../base/text.ts'
import type { DrillReport } from '../report.ts'

/** The id of the report's JSON Schema. */
export const drillReportSchemaId = 'understudy/drills/report.schema.json'

export const drillJson = (report: DrillReport): string => text.formatJson({ $schema: drillReportSchemaId, ...report })
