/**
 * Every documented thing as one JSON Schema, with its type derived from it. The server validates and serializes
 * with these objects, the OpenAPI document and the docs are made from them.
 *
 * `title` is the component's name in the OpenAPI document. Units are in the names; durations are seconds, sizes bytes.
 */
import type { FromSchema, JSONSchema } from 'json-schema-to-ts'

export const models = ['original', 'light', 'pro', 'human'] as const
export const outputFormats = ['webm', 'mov', 'mp4', 'gif', 'webp', 'png_sequence'] as const
export const backgroundTypes = ['transparent', 'green', 'white', 'black', 'blue', 'custom', 'color', 'image'] as const
export const jobStates = ['created', 'pending', 'processing', 'completed', 'failed'] as const
export const billingStates = ['pending', 'charged', 'refunded', 'not_charged'] as const
export const webhookEvents = ['job.started', 'job.completed', 'job.failed'] as const

/** UP-2: what an upload may be; the extension is the one an upload without a Content-Type is known by (UP-4). */
export const videoTypes = {
  'video/mp4': ['mp4', 'm4v'],
  'video/quicktime': ['mov', 'qt'],
  'video/webm': ['webm'],
  'video/x-msvideo': ['avi'],
} as const

/** Other names of the same types, by browser and system: an AVI has a name of its own on each. */
export const videoTypeAliases = {
  'video/x-m4v': 'video/mp4',
  'video/m4v': 'video/mp4',
  'application/mp4': 'video/mp4',
  'video/x-quicktime': 'video/quicktime',
  'video/mov': 'video/quicktime',
  'video/x-webm': 'video/webm',
  'video/avi': 'video/x-msvideo',
  'video/msvideo': 'video/x-msvideo',
  'video/vnd.avi': 'video/x-msvideo',
  'video/x-avi': 'video/x-msvideo',
  'application/x-troff-msvideo': 'video/x-msvideo',
} as const satisfies Record<string, VideoType>

/** JOB-7: the formats that can carry a transparent background. */
export const alphaFormats: readonly OutputFormat[] = ['webm', 'mov', 'gif', 'webp', 'png_sequence']

/** CR-1: credits a minute. */
export const creditsPerMinute = { original: 60, light: 45, pro: 180, human: 45 } as const satisfies Record<
  Model,
  number
>

const nullable = <const T extends string>(type: T) => [type, 'null'] as const

const httpUrl = { type: 'string', format: 'uri', pattern: '^https?://', maxLength: 4096 } as const
const rgb = {
  type: 'array',
  items: { type: 'number', minimum: 0, maximum: 255 },
  minItems: 3,
  maxItems: 3,
  description: 'Red, green, blue; each 0 to 255.',
} as const

const background = {
  type: 'object',
  required: ['type'],
  properties: {
    type: { enum: ['transparent', 'color', 'image'] },
    color: { oneOf: [rgb, { type: 'string' }], description: 'For type color: RGB or a CSS colour.' },
    image_url: { ...httpUrl, description: 'For type image.' },
  },
} as const

const composition = {
  type: 'object',
  properties: {
    canvas: {
      type: 'object',
      properties: { width: { type: 'number', exclusiveMinimum: 0 }, height: { type: 'number', exclusiveMinimum: 0 } },
    },
    foreground: {
      type: 'object',
      properties: {
        anchor: { type: 'string' },
        scale: { type: 'number', exclusiveMinimum: 0 },
        offset: { type: 'object', properties: { x: { type: 'number' }, y: { type: 'number' } } },
      },
    },
  },
} as const

/** The inputs that a draft may still change when it is started (JOB-3). */
const jobInputs = {
  model: { enum: models, description: 'Which model removes the background; it sets the price (CR-1).' },
  output_format: { enum: outputFormats },
  bg_type: { enum: backgroundTypes, description: 'A transparent background needs an alpha format (JOB-7).' },
  bg_color: { ...rgb, description: 'For bg_type custom: red, green, blue; each 0 to 255.' },
  text_prompt: { type: 'string', maxLength: 10_000, description: 'Used with model pro.' },
  webhook_url: { ...httpUrl, description: 'Gets job.started, job.completed and job.failed (WH-1).' },
  background,
  composition,
} as const

export const ErrorEnvelope = {
  title: 'ErrorEnvelope',
  description: 'Every non-2xx answer (ERR-1).',
  type: 'object',
  required: ['error'],
  additionalProperties: false,
  properties: {
    error: {
      type: 'object',
      required: ['code', 'message', 'request_id'],
      additionalProperties: false,
      properties: {
        code: { type: 'string', description: 'One of the catalogue of errors (ERR-2).' },
        message: { type: 'string' },
        request_id: { type: 'string', description: "Unique per answer; found in the server's logs (ERR-6)." },
      },
    },
  },
} as const satisfies JSONSchema
export type ErrorEnvelope = FromSchema<typeof ErrorEnvelope>

export const UploadForm = {
  title: 'UploadForm',
  description: 'multipart/form-data with exactly one file (UP-1).',
  type: 'object',
  required: ['file'],
  properties: {
    file: { type: 'string', format: 'binary', description: 'The video, at most 500 * 1024 * 1024 bytes.' },
  },
} as const satisfies JSONSchema

export const Upload = {
  title: 'Upload',
  type: 'object',
  required: ['success', 'video_id', 'video_url', 'filename', 'size'],
  properties: {
    success: { type: 'boolean' },
    video_id: { type: 'string' },
    video_url: { type: 'string', format: 'uri', description: 'What POST /v1/jobs takes as video_url.' },
    filename: { type: 'string' },
    size: { type: 'integer', description: 'Bytes.' },
  },
} as const satisfies JSONSchema
export type Upload = FromSchema<typeof Upload>

export const JobCreate = {
  title: 'JobCreate',
  description: 'Unknown fields are ignored (JOB-1).',
  type: 'object',
  required: ['video_url'],
  properties: {
    video_url: { ...httpUrl, description: "An upload's video_url, or any http(s) URL of a video." },
    ...jobInputs,
    model: { ...jobInputs.model, default: 'original' },
    output_format: { ...jobInputs.output_format, default: 'webm' },
    bg_type: { ...jobInputs.bg_type, default: 'transparent' },
    auto_start: { type: 'boolean', default: true, description: 'false makes a draft (JOB-3).' },
    metadata: { type: 'object', additionalProperties: true, description: "The caller's own ids (GO-7)." },
  },
} as const satisfies JSONSchema
export type JobCreate = FromSchema<typeof JobCreate>

export const JobStart = {
  title: 'JobStart',
  description: 'Overrides for the draft; all optional (JOB-3).',
  type: 'object',
  properties: jobInputs,
} as const satisfies JSONSchema
export type JobStart = FromSchema<typeof JobStart>

const jobStatus = { enum: jobStates, description: 'completed and failed are terminal (JOB-4).' } as const

export const JobAccepted = {
  title: 'JobAccepted',
  type: 'object',
  required: ['success', 'id', 'status', 'message'],
  properties: {
    success: { type: 'boolean' },
    id: { type: 'string' },
    status: jobStatus,
    message: { type: 'string' },
  },
} as const satisfies JSONSchema
export type JobAccepted = FromSchema<typeof JobAccepted>

export const WebhookDelivery = {
  title: 'WebhookDelivery',
  description: "One event's delivery state, as a job shows it (JOB-5).",
  type: 'object',
  required: ['event', 'status'],
  properties: { event: { enum: webhookEvents }, status: { enum: ['sent', 'failed'] }, delivery_id: { type: 'string' } },
} as const satisfies JSONSchema
export type WebhookDelivery = FromSchema<typeof WebhookDelivery>

export const Job = {
  title: 'Job',
  type: 'object',
  required: [
    'id',
    'status',
    'progress',
    'output_url',
    'error',
    'created_at',
    'duration_seconds',
    'billing_status',
    'webhook_url',
    'webhook_events',
    'video_url',
    'model',
    'output_format',
    'bg_type',
  ],
  properties: {
    id: { type: 'string' },
    status: jobStatus,
    progress: { type: 'integer', minimum: 0, maximum: 100, description: 'Never goes back (JOB-4).' },
    output_url: { type: nullable('string'), description: 'Set when completed.' },
    error: { type: nullable('string'), description: 'Set when failed: a string, not the envelope (JOB-5).' },
    created_at: { type: 'string', description: 'UTC, ISO 8601.' },
    duration_seconds: { type: nullable('number'), description: 'The billed duration (CR-1).' },
    billing_status: { enum: [...billingStates, null], description: 'null until started.' },
    message: { type: 'string', description: 'What there is to know of the output; the API documents none.' },
    webhook_url: { type: nullable('string') },
    webhook_events: { type: 'array', items: WebhookDelivery },
    video_url: { type: 'string' },
    model: jobInputs.model,
    output_format: jobInputs.output_format,
    bg_type: jobInputs.bg_type,
    bg_color: rgb,
    text_prompt: { type: 'string' },
    background,
    composition,
    metadata: { type: 'object', additionalProperties: true },
  },
} as const satisfies JSONSchema
export type Job = FromSchema<typeof Job>

/** A page of a list: `limit` 1 to 100, `offset` from 0. */
const limit = { type: 'integer', minimum: 1, maximum: 100, default: 20 } as const

export const JobListQuery = {
  title: 'JobListQuery',
  type: 'object',
  properties: {
    limit,
    offset: { type: 'integer', minimum: 0, maximum: 1_000_000_000, default: 0 },
    status: { enum: jobStates },
  },
} as const satisfies JSONSchema
export type JobListQuery = FromSchema<typeof JobListQuery>

export const JobList = {
  title: 'JobList',
  description: "The key's own jobs, newest first (JOB-6).",
  type: 'object',
  required: ['jobs', 'total', 'limit', 'offset'],
  properties: {
    jobs: { type: 'array', items: Job },
    total: { type: 'integer' },
    limit: { type: 'integer' },
    offset: { type: 'integer' },
  },
} as const satisfies JSONSchema
export type JobList = FromSchema<typeof JobList>

export const JobParams = {
  title: 'JobParams',
  type: 'object',
  required: ['job_id'],
  properties: { job_id: { type: 'string', minLength: 1, description: 'The id that POST /v1/jobs gave.' } },
} as const satisfies JSONSchema

export const Download = {
  title: 'Download',
  type: 'object',
  required: ['success', 'download_url', 'output_format'],
  properties: {
    success: { type: 'boolean' },
    download_url: { type: 'string', format: 'uri', description: 'A playable file; range requests work (DL-3).' },
    output_format: { type: nullable('string') },
  },
} as const satisfies JSONSchema
export type Download = FromSchema<typeof Download>

const usageTotals = {
  total_jobs: { type: 'integer' },
  completed_jobs: { type: 'integer' },
  failed_jobs: { type: 'integer' },
  credits_used: { type: 'number', description: 'Credits charged.' },
} as const
const usageFields = ['total_jobs', 'completed_jobs', 'failed_jobs', 'credits_used'] as const

export const UsageSummaryQuery = {
  title: 'UsageSummaryQuery',
  type: 'object',
  properties: { days: { type: 'integer', minimum: 1, maximum: 90, default: 7 } },
} as const satisfies JSONSchema
export type UsageSummaryQuery = FromSchema<typeof UsageSummaryQuery>

export const UsageSummary = {
  title: 'UsageSummary',
  description: 'Totals over the days asked for, and a row a day (US-1).',
  type: 'object',
  required: ['days', ...usageFields, 'daily'],
  properties: {
    days: { type: 'integer' },
    ...usageTotals,
    daily: {
      type: 'array',
      items: {
        type: 'object',
        required: ['date', ...usageFields],
        properties: { date: { type: 'string', description: 'UTC day, YYYY-MM-DD.' }, ...usageTotals },
      },
    },
  },
} as const satisfies JSONSchema
export type UsageSummary = FromSchema<typeof UsageSummary>

export const UsageEventsQuery = {
  title: 'UsageEventsQuery',
  type: 'object',
  properties: { limit },
} as const satisfies JSONSchema
export type UsageEventsQuery = FromSchema<typeof UsageEventsQuery>

export const UsageEvent = {
  title: 'UsageEvent',
  type: 'object',
  required: ['request_id', 'job_id', 'endpoint', 'status', 'credits', 'time'],
  properties: {
    request_id: { type: 'string' },
    job_id: { type: nullable('string') },
    endpoint: { type: 'string', description: 'Method and route, e.g. "POST /v1/jobs".' },
    status: { type: 'integer', description: 'The HTTP status that was answered.' },
    credits: { type: 'number', description: 'Credits that this call reserved; charged when the job completes.' },
    time: { type: 'string', description: 'UTC, ISO 8601.' },
  },
} as const satisfies JSONSchema
export type UsageEvent = FromSchema<typeof UsageEvent>

export const UsageEvents = {
  title: 'UsageEvents',
  description: 'Recent calls, newest first (US-2).',
  type: 'object',
  required: ['events', 'limit'],
  properties: { events: { type: 'array', items: UsageEvent }, limit: { type: 'integer' } },
} as const satisfies JSONSchema
export type UsageEvents = FromSchema<typeof UsageEvents>

export const Pricing = {
  title: 'Pricing',
  type: 'object',
  required: ['model_pricing_credits_per_minute', 'price_per_second_cents', 'packages'],
  properties: {
    model_pricing_credits_per_minute: {
      type: 'object',
      required: models,
      properties: {
        original: { type: 'number' },
        light: { type: 'number' },
        pro: { type: 'number' },
        human: { type: 'number' },
      },
    },
    price_per_second_cents: { type: 'number' },
    packages: {
      type: 'array',
      items: {
        type: 'object',
        required: ['name', 'credits', 'price_cents'],
        properties: { name: { type: 'string' }, credits: { type: 'number' }, price_cents: { type: 'number' } },
      },
    },
  },
} as const satisfies JSONSchema
export type Pricing = FromSchema<typeof Pricing>

export const Health = {
  title: 'Health',
  type: 'object',
  required: ['status'],
  properties: { status: { type: 'string' } },
} as const satisfies JSONSchema
export type Health = FromSchema<typeof Health>

export const WebhookEvent = {
  title: 'WebhookEvent',
  description: 'The body of a webhook (WH-1).',
  type: 'object',
  required: ['event', 'data'],
  properties: { event: { enum: webhookEvents }, data: Job },
} as const satisfies JSONSchema
export type WebhookEvent = FromSchema<typeof WebhookEvent>

export const AdminConfig = {
  title: 'AdminConfig',
  type: 'object',
  required: ['models', 'output_formats', 'max_upload_bytes', 'rate_limits', 'webhook_signing'],
  properties: {
    models: { type: 'array', items: { type: 'string' } },
    output_formats: { type: 'array', items: { type: 'string' } },
    max_upload_bytes: { type: 'integer' },
    rate_limits: {
      type: 'object',
      required: ['requests_per_minute', 'jobs_per_minute'],
      properties: { requests_per_minute: { type: 'integer' }, jobs_per_minute: { type: 'integer' } },
    },
    webhook_signing: { type: 'boolean' },
  },
} as const satisfies JSONSchema
export type AdminConfig = FromSchema<typeof AdminConfig>

const adminKey = {
  key_fingerprint: { type: 'string' },
  client_id: { type: 'string' },
  note: { type: nullable('string') },
  disabled: { type: 'boolean' },
  created_at: { type: 'string' },
} as const
const adminKeyFields = ['key_fingerprint', 'client_id', 'note', 'disabled', 'created_at'] as const

export const AdminKey = {
  title: 'AdminKey',
  description: 'A key as its fingerprint; the key itself is shown once, when it is made.',
  type: 'object',
  required: adminKeyFields,
  properties: adminKey,
} as const satisfies JSONSchema
export type AdminKey = FromSchema<typeof AdminKey>

export const AdminKeys = {
  title: 'AdminKeys',
  type: 'object',
  required: ['keys'],
  properties: { keys: { type: 'array', items: AdminKey } },
} as const satisfies JSONSchema
export type AdminKeys = FromSchema<typeof AdminKeys>

export const AdminKeyCreate = {
  title: 'AdminKeyCreate',
  type: 'object',
  required: ['client_id'],
  properties: {
    client_id: { type: 'string', minLength: 1, maxLength: 200 },
    note: { type: 'string', maxLength: 1000 },
  },
} as const satisfies JSONSchema
export type AdminKeyCreate = FromSchema<typeof AdminKeyCreate>

export const AdminKeyCreated = {
  title: 'AdminKeyCreated',
  type: 'object',
  required: ['api_key', ...adminKeyFields],
  properties: { api_key: { type: 'string', description: 'Shown only now.' }, ...adminKey },
} as const satisfies JSONSchema
export type AdminKeyCreated = FromSchema<typeof AdminKeyCreated>

export const KeyFingerprint = {
  title: 'KeyFingerprint',
  type: 'object',
  required: ['key_fingerprint'],
  properties: { key_fingerprint: { type: 'string', minLength: 1, maxLength: 200 } },
} as const satisfies JSONSchema
export type KeyFingerprint = FromSchema<typeof KeyFingerprint>

export type Model = (typeof models)[number]
export type OutputFormat = (typeof outputFormats)[number]
export type BackgroundType = (typeof backgroundTypes)[number]
export type JobState = (typeof jobStates)[number]
export type BillingStatus = (typeof billingStates)[number]
export type WebhookEventName = (typeof webhookEvents)[number]
export type VideoType = keyof typeof videoTypes
