/** The report itself, for programs. */
import type { Report } from '../suite/report.ts'
import * as text from './text.ts'

/** The id of the report's JSON Schema. */
export const reportSchemaId = 'understudy/report.schema.json'

export const json = (report: Report): string => text.json({ $schema: reportSchemaId, ...report })
