/** A report as a JSON document: its schema's id and version, how it is written, and how one that was written before is read. */
import { textSchema } from '../base/jsonSchema.ts'
import { ConfigError } from '../base/options.ts'
import { formatJson, oneLine } from '../base/text.ts'

/** Counts up when a field of any report is renamed, removed or changes its meaning; CHANGELOG.md says which. */
export const reportVersion = 2

/** The fields that each report's schema begins with. */
export const documentFields = {
  $schema: { ...textSchema, description: 'The id of the JSON Schema; only in a file.' },
  schema_version: { const: reportVersion, description: 'Of the JSON Schema: counts up when a field moves.' },
} as const

/** The text of a report's file. */
export const documentText = (schemaId: string, report: { schema_version: typeof reportVersion }): string =>
  formatJson({ $schema: schemaId, ...report })

/**
 * Throws a ConfigError for a report of another version: it names the file, the version found, the one expected, and
 * `command`, which makes a new one. Any other value passes.
 */
export function requireReportVersion(value: unknown, file: string, command: string): void {
  if (typeof value !== 'object' || value === null) return
  const { schema_version: version } = value as { schema_version?: unknown }
  if (version === reportVersion) return
  const found =
    version === undefined
      ? 'no schema_version, as version 1 had none'
      : `schema_version ${oneLine(JSON.stringify(version))}`
  throw new ConfigError(
    `${file} has ${found}; expected ${reportVersion}: make a new report with ${command} --reporter json=FILE (CHANGELOG.md lists what moved)`,
  )
}
