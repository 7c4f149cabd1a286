/** The report itself, for programs. */

import * as text from '../../base/text.ts'
import type { ConductReport } from '../report.ts'

/** The id of the report's JSON Schema. */
export const conductSchemaId = 'understudy/conduct.schema.json'

export const conductJson = (report: ConductReport): string => text.formatJson({ $schema: conductSchemaId, ...report })
