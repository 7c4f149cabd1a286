/**
 * The schemas that an answer of any endpoint is held against: the contract's own, loosened where the documentation
 * leaves a choice. Nothing is listed here again; each is made from schemas.ts.
 */
import { jsonValueText } from '../base/text.ts'
import type { ClauseId } from './clauses.ts'
import type { OperationId } from './operations.ts'
import * as schemas from './schemas.ts'

export interface Shape {
  schema: object
  /** The clauses that a place in the body belongs to; the first that fits, by its JSON pointer. */
  clauses: readonly (readonly [pointer: RegExp, clauses: readonly ClauseId[]])[]
  /** The part of the answer that the schema is of, where it may stand further in. */
  part?: (json: unknown) => unknown
  /** Its body is not documented: it may as well have none. */
  mayBeEmpty?: true
  /** Statuses that are documented for success. */
  statuses: readonly number[]
}

const any2xx = [200, 201, 202, 203] as const
const everything = /^/

/** An input that was not given may be shown as null, or not at all. */
const orNull = (schema: object) => ({ anyOf: [schema, { type: 'null' }] })
const isRequired = (name: string): boolean => (schemas.Job.required as readonly string[]).includes(name)

const {
  billing_status: _billing,
  webhook_events: _events,
  progress: _progress,
  ...jobProperties
} = schemas.Job.properties

/** JOB-5, with what it leaves open: any name of a billing state (CR-3), and how a delivery's state is written. */
const job = {
  ...schemas.Job,
  properties: {
    ...Object.fromEntries(
      Object.entries(jobProperties).map(([name, schema]) => [name, isRequired(name) ? schema : orNull(schema)]),
    ),
    // Of a background's and a composition's parts an endpoint may show more than it was given, and null for the rest.
    background: { type: ['object', 'null'] },
    composition: { type: ['object', 'null'] },
    progress: { type: 'number', minimum: 0, maximum: 100 },
    billing_status: { type: ['string', 'null'] },
    webhook_events: {
      type: 'array',
      items: { type: ['object', 'string'], properties: { status: schemas.WebhookDelivery.properties.status } },
    },
  },
} as const

const succeeded = { const: true } as const
const nonEmpty = { type: 'string', minLength: 1 } as const

const { days: _days, daily: _daily, ...totals } = schemas.UsageSummary.properties

export const shapes: Partial<Record<OperationId, Shape>> = {
  uploadVideo: upload(),
  uploadVideoLegacy: upload(),
  createJob: accepted(),
  // JOB-3: what a start answers is not documented; where it shows a state, that is one of JOB-4.
  startJob: {
    schema: { type: 'object', properties: { status: jobProperties.status } },
    mayBeEmpty: true,
    statuses: [...any2xx, 204],
    clauses: [
      [/^\/status$/, ['JOB-4']],
      [everything, ['JOB-3']],
    ],
  },
  getJob: {
    schema: job,
    statuses: any2xx,
    clauses: [
      [/^\/status$/, ['JOB-4']],
      [/^\/(model|output_format|video_url|metadata)$/, ['JOB-5', 'GO-7']],
      [everything, ['JOB-5']],
    ],
  },
  listJobs: {
    // What the list is called, what stands beside it, and what of a job an entry shows is not documented.
    schema: {
      type: 'array',
      reads: 'a list of jobs',
      items: { type: 'object', properties: { status: jobProperties.status } },
    },
    part: listIn,
    statuses: any2xx,
    clauses: [
      [/^(\/\w+)?\/\d+\/status$/, ['JOB-4']],
      [everything, ['JOB-6']],
    ],
  },
  getDownload: {
    schema: {
      ...schemas.Download,
      properties: { ...schemas.Download.properties, success: succeeded, download_url: nonEmpty },
    },
    statuses: [200],
    clauses: [[everything, ['DL-1']]],
  },
  getUsageSummary: {
    // How the days are written is not documented.
    schema: { ...schemas.UsageSummary, required: Object.keys(totals), properties: totals },
    part: totalsIn,
    statuses: any2xx,
    clauses: [[everything, ['US-1']]],
  },
  getUsageEvents: { schema: { type: ['object', 'array'] }, statuses: any2xx, clauses: [[everything, ['US-2']]] },
  getPricing: {
    // What a second costs may be told in any form: of price_per_second_cents only the name is documented.
    schema: {
      ...schemas.Pricing,
      properties: { ...schemas.Pricing.properties, price_per_second_cents: {}, packages: { type: 'array' } },
    },
    statuses: any2xx,
    clauses: [[everything, ['CR-2']]],
  },
}

function upload(): Shape {
  const { properties } = schemas.Upload
  return {
    schema: { ...schemas.Upload, properties: { ...properties, video_id: nonEmpty, video_url: nonEmpty } },
    statuses: [200],
    clauses: [[everything, ['UP-3']]],
  }
}

function accepted(): Shape {
  const { properties } = schemas.JobAccepted
  return {
    schema: { ...schemas.JobAccepted, properties: { ...properties, success: succeeded, id: nonEmpty } },
    statuses: [200, 201, 202],
    clauses: [
      [/^\/status$/, ['JOB-4']],
      [everything, ['JOB-2']],
    ],
  }
}

/** What a job shows of an input is JOB-5's matter; of those that an audit needs, GO-7's too. */
export const clausesOfInput = (name: string): readonly ClauseId[] =>
  ['video_url', 'model', 'output_format', 'metadata'].includes(name) ? ['JOB-5', 'GO-7'] : ['JOB-5']

/** US-2: one event of the list, wherever the list stands in the answer. Of status, credits and time only the names are documented. */
export const usageEvent = {
  ...schemas.UsageEvent,
  properties: { ...schemas.UsageEvent.properties, status: {}, credits: {}, time: {} },
} as const

/** US-1: where the totals stand is not documented: in the answer itself, or in a part of it. */
export function totalsIn(json: unknown): Record<string, unknown> | undefined {
  const has = (part: unknown): part is Record<string, unknown> =>
    typeof part === 'object' && part !== null && 'total_jobs' in part
  if (has(json)) return json
  return typeof json === 'object' && json !== null ? Object.values(json).find(has) : undefined
}

/** The first list in an answer: its name is not documented everywhere. */
export function listIn(json: unknown): unknown[] | undefined {
  if (Array.isArray(json)) return json
  if (typeof json !== 'object' || json === null) return undefined
  return Object.values(json).find(Array.isArray)
}

/** The ids of the jobs of a list (JOB-6), whatever the list is called. */
export const listedIds = (json: unknown): string[] =>
  (listIn(json) ?? []).map(job => jsonValueText((job as { id?: unknown } | null)?.id))

/** Where `part` stands in an answer, as a JSON pointer: '' for the answer itself. */
export function pointerTo(part: unknown, json: unknown): string {
  if (part === json || typeof json !== 'object' || json === null) return ''
  const found = Object.entries(json).find(([, value]) => value === part)
  return found === undefined ? '' : `/${found[0]}`
}
