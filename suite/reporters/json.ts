/** The report itself, for programs. */

import * as text from '../../base/text.ts'
import type { Report } from '../report.ts'

/** The id of the report's JSON Schema. */
export const reportSchemaId = 'understudy/report.schema.json'

export const suiteJson = (report: Report): string => text.formatJson({ $schema: reportSchemaId, ...report })
