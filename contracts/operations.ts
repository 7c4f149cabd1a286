/**
 * The catalogue of operations: every documented route with its schemas, clauses and errors. The server registers its
 * routes from it and the OpenAPI document is made from it, so neither can know a route that the other does not.
 */
import type { JSONSchema } from 'json-schema-to-ts'
import type { ClauseId } from './clauses.ts'
import type { ErrorCaseName } from './errors.ts'
import * as schemas from './schemas.ts'

export interface Operation {
  method: 'GET' | 'POST'
  /** In OpenAPI's notation: /v1/jobs/{job_id}. */
  path: string
  tag: 'uploads' | 'jobs' | 'download' | 'usage' | 'system' | 'admin' | 'files'
  summary: string
  clauses: readonly ClauseId[]
  /** key: X-Api-Key is needed (AUTH-1). optional_key: used when sent (AUTH-2). admin: X-Admin-Token (AD-1). */
  auth: 'key' | 'optional_key' | 'admin' | 'none'
  /** What it counts against (RL-1). */
  limits?: readonly ('requests' | 'jobs')[]
  /** Takes an Idempotency-Key (ID-1). */
  idempotent?: boolean
  params?: JSONSchema
  query?: JSONSchema
  body?: JSONSchema
  /** The body may be left out altogether. */
  bodyOptional?: boolean
  /** The 200 answer; without one it is a file. */
  answer?: JSONSchema
  /** What it can be refused with, beside what its auth, limits and idempotency bring along. */
  errors: readonly ErrorCaseName[]
}

const requests = ['requests'] as const
const params = schemas.JobParams
const fileParams = (name: string) =>
  ({
    type: 'object',
    required: [name, 'filename'],
    properties: { [name]: { type: 'string' }, filename: { type: 'string' } },
  }) as const

const upload = {
  method: 'POST',
  tag: 'uploads',
  limits: requests,
  body: schemas.UploadForm,
  answer: schemas.Upload,
  errors: ['invalid_upload', 'invalid_file_type', 'file_too_large', 'insufficient_credits', 'unsupported_media_type'],
} as const

export const operations = {
  uploadVideo: {
    ...upload,
    path: '/v1/uploads',
    summary: 'Upload a video',
    idempotent: true,
    auth: 'key',
    clauses: ['UP-1', 'UP-2', 'UP-3', 'UP-4', 'ID-1'],
  },
  uploadVideoLegacy: {
    ...upload,
    path: '/api/upload',
    summary: 'Upload a video (legacy, no key needed)',
    auth: 'optional_key',
    clauses: ['UP-1', 'UP-2', 'UP-3', 'UP-4', 'AUTH-2', 'ERR-4'],
  },
  createJob: {
    method: 'POST',
    path: '/v1/jobs',
    tag: 'jobs',
    summary: 'Create a job, and start it unless auto_start is false',
    clauses: ['JOB-1', 'JOB-2', 'JOB-7', 'CR-1', 'CR-3', 'ERR-4', 'ID-1'],
    auth: 'key',
    limits: ['requests', 'jobs'],
    idempotent: true,
    body: schemas.JobCreate,
    answer: schemas.JobAccepted,
    errors: ['invalid_field', 'invalid_json', 'insufficient_credits', 'processing_failed', 'unsupported_media_type'],
  },
  startJob: {
    method: 'POST',
    path: '/v1/jobs/{job_id}/start',
    tag: 'jobs',
    summary: 'Start a draft, or a failed job again',
    clauses: ['JOB-3', 'JOB-4', 'JOB-7', 'CR-3', 'GO-3', 'ID-1'],
    auth: 'key',
    limits: requests,
    idempotent: true,
    params,
    body: schemas.JobStart,
    bodyOptional: true,
    answer: schemas.JobAccepted,
    errors: ['invalid_field', 'invalid_json', 'insufficient_credits', 'job_not_found', 'unsupported_media_type'],
  },
  getJob: {
    method: 'GET',
    path: '/v1/jobs/{job_id}',
    tag: 'jobs',
    summary: 'Get a job: state, progress, output',
    clauses: ['JOB-4', 'JOB-5', 'AUTH-3', 'ERR-4', 'GO-7'],
    auth: 'key',
    limits: requests,
    params,
    answer: schemas.Job,
    errors: ['job_not_found'],
  },
  listJobs: {
    method: 'GET',
    path: '/v1/jobs',
    tag: 'jobs',
    summary: "List the key's own jobs, newest first",
    clauses: ['JOB-6', 'AUTH-3'],
    auth: 'key',
    limits: requests,
    query: schemas.JobListQuery,
    answer: schemas.JobList,
    errors: ['invalid_field'],
  },
  getDownload: {
    method: 'GET',
    path: '/api/download/{job_id}',
    tag: 'download',
    summary: "Get the URL of a completed job's output (legacy, no key needed)",
    clauses: ['DL-1', 'DL-2', 'AUTH-2', 'ERR-4'],
    auth: 'optional_key',
    limits: requests,
    params,
    answer: schemas.Download,
    errors: ['job_not_completed', 'job_not_found'],
  },
  getUsageSummary: {
    method: 'GET',
    path: '/v1/usage/summary',
    tag: 'usage',
    summary: 'Daily aggregates and totals',
    clauses: ['US-1'],
    auth: 'key',
    limits: requests,
    query: schemas.UsageSummaryQuery,
    answer: schemas.UsageSummary,
    errors: ['invalid_field'],
  },
  getUsageEvents: {
    method: 'GET',
    path: '/v1/usage/events',
    tag: 'usage',
    summary: 'Recent calls, newest first',
    clauses: ['US-2', 'GO-7'],
    auth: 'key',
    limits: requests,
    query: schemas.UsageEventsQuery,
    answer: schemas.UsageEvents,
    errors: ['invalid_field'],
  },
  getPricing: {
    method: 'GET',
    path: '/api/pricing',
    tag: 'system',
    summary: 'Prices by model, and the packages',
    clauses: ['CR-1', 'CR-2', 'AUTH-2'],
    auth: 'optional_key',
    limits: requests,
    answer: schemas.Pricing,
    errors: [],
  },
  getHealth: {
    method: 'GET',
    path: '/health',
    tag: 'system',
    summary: 'Is the server up?',
    clauses: ['SYS-1'],
    auth: 'none',
    answer: schemas.Health,
    errors: ['headers_too_large'],
  },
  getOutputFile: {
    method: 'GET',
    path: '/files/outputs/{job_id}/{filename}',
    tag: 'files',
    summary: "A completed job's output: what output_url and download_url point at",
    clauses: ['DL-3'],
    auth: 'none',
    params: fileParams('job_id'),
    errors: ['file_not_found', 'range_not_satisfiable', 'precondition_failed'],
  },
  getUploadedFile: {
    method: 'GET',
    path: '/files/uploads/{video_id}/{filename}',
    tag: 'files',
    summary: 'An uploaded video: what video_url points at',
    clauses: ['UP-3'],
    auth: 'none',
    params: fileParams('video_id'),
    errors: ['file_not_found', 'range_not_satisfiable', 'precondition_failed'],
  },
  getAdminConfig: {
    method: 'GET',
    path: '/v1/admin/config',
    tag: 'admin',
    summary: "The server's configuration",
    clauses: ['AD-1'],
    auth: 'admin',
    answer: schemas.AdminConfig,
    errors: [],
  },
  listAdminKeys: {
    method: 'GET',
    path: '/v1/admin/keys',
    tag: 'admin',
    summary: 'List the keys by their fingerprints',
    clauses: ['AD-1'],
    auth: 'admin',
    answer: schemas.AdminKeys,
    errors: [],
  },
  createAdminKey: {
    method: 'POST',
    path: '/v1/admin/keys',
    tag: 'admin',
    summary: 'Make a key; it is shown only in this answer',
    clauses: ['AD-1'],
    auth: 'admin',
    body: schemas.AdminKeyCreate,
    answer: schemas.AdminKeyCreated,
    errors: ['invalid_field', 'invalid_json', 'unsupported_media_type'],
  },
  disableAdminKey: {
    method: 'POST',
    path: '/v1/admin/keys/disable',
    tag: 'admin',
    summary: 'Disable a key: it is answered 401 from now on',
    clauses: ['AD-1'],
    auth: 'admin',
    body: schemas.KeyFingerprint,
    answer: schemas.AdminKey,
    errors: ['invalid_field', 'invalid_json', 'unsupported_media_type'],
  },
  enableAdminKey: {
    method: 'POST',
    path: '/v1/admin/keys/enable',
    tag: 'admin',
    summary: 'Enable a disabled key again',
    clauses: ['AD-1'],
    auth: 'admin',
    body: schemas.KeyFingerprint,
    answer: schemas.AdminKey,
    errors: ['invalid_field', 'invalid_json', 'unsupported_media_type'],
  },
} as const satisfies Record<string, Operation>

export type OperationId = keyof typeof operations

const routes = new Map<string, string>(
  Object.entries<Operation>(operations).map(([id, { method, path }]) => [id, `${method} ${path}`]),
)

/** "GET /v1/jobs/{job_id}" for getJob; null for what is no operation. */
export const routeOf = (operation: string | undefined): string | null => routes.get(operation ?? '') ?? null

const patterns = Object.entries<Operation>(operations).map(([id, { method, path }]) => ({
  id: id as OperationId,
  method,
  pattern: new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`),
}))

/** The operations whose path template a path matches, whatever their method. The query does not matter. */
export function operationsAt(path: string): OperationId[] {
  const bare = path.split('?', 1)[0] as string
  return patterns.filter(({ pattern }) => pattern.test(bare)).map(({ id }) => id)
}

/** The methods that a path knows, for the Allow header of a 405; none when it is unknown. */
export function methodsOf(path: string): string[] {
  const methods = operationsAt(path).flatMap(id => {
    const { method } = operations[id]
    return method === 'GET' ? ['GET', 'HEAD'] : [method]
  })
  return [...new Set(methods)]
}

/** The operation that answers a method and a path below the base URL; the query does not matter. */
export function operationOf(method: string, path: string): OperationId | undefined {
  const bare = path.split('?', 1)[0] as string
  return patterns.find(known => known.method === method && known.pattern.test(bare))?.id
}

/** All that an operation can be refused with: its own errors and what its auth, limits and idempotency bring along. */
export function errorsOf(operation: Operation): ErrorCaseName[] {
  const found: ErrorCaseName[] = []
  if (operation.auth === 'key') found.push('missing_api_key', 'invalid_api_key')
  if (operation.auth === 'optional_key') found.push('invalid_api_key')
  if (operation.auth === 'admin') found.push('invalid_admin_token', 'route_not_found')
  found.push(...operation.errors)
  if (operation.body && operation.tag !== 'uploads') found.push('body_too_large')
  if (operation.body) found.push('request_incomplete')
  if (operation.idempotent) found.push('idempotency_in_flight', 'idempotency_mismatch')
  if (operation.limits) found.push('rate_limited')
  if (operation.tag !== 'files') found.push('internal_error')
  found.push('timeout')
  return found
}
