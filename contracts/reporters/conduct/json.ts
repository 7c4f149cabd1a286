/** The report itself, for programs. */
import type { ConductReport } from '../../conduct/report.ts'
import * as text from '../text.ts'

/** The id of the report's JSON Schema. */
export const conductSchemaId = 'understudy/conduct.schema.json'

export const json = (report: ConductReport): string => text.json({ $schema: conductSchemaId, ...report })
