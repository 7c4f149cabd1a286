/**
 * The catalogue of clauses: every documented sentence that the mock keeps and the suite checks, by its id.
 * Code, test names and reports cite these ids.
 */
export interface Clause {
  /** The documented sentence. */
  text: string
  /** core: what the project was founded on, it wins over the rest. wider: from the same API's other pages. open: undocumented, our default. */
  level: 'core' | 'wider' | 'open'
  /** Where the documentation leaves a choice: the default that the mock picks. */
  open?: string
  /** Why no caller from outside can see whether a server keeps it. */
  unseen?: string
  /** The routes it speaks of; without any it holds for all. */
  routes?: readonly string[]
}

export const clauses = {
  'ERR-1': {
    level: 'core',
    text: 'Every non-2xx answer is JSON with exactly this envelope: {"error": {"code": string, "message": string, "request_id": string}} e.g. insufficient_credits / "Not enough credits to process this video" / "req_123456".',
  },
  'ERR-2': {
    level: 'core',
    text: 'Documented codes: invalid_request, invalid_api_key, rate_limited, insufficient_credits, internal_error, timeout, missing_api_key.',
    open: 'Codes beyond these are extensions: listed in the catalogue, reported, and no violation.',
  },
  'ERR-3': {
    level: 'core',
    text: 'Classes and what a client should do: 4xx client error (invalid_request, invalid_api_key): fix payload or config, do not retry. capacity (rate_limited, insufficient_credits): retry with backoff, or top up. 5xx (internal_error, timeout): retry with fallback and alerting.',
    unseen: 'it is about what the client does, not the endpoint',
  },
  'ERR-4': {
    level: 'core',
    text: 'Documented cases: POST /api/upload 400 "Invalid file type" and 400 "File too large"; GET /v1/jobs/{job_id} 404 "Job not found"; GET /api/download/{job_id} 400 "Job not completed"; POST /v1/jobs 500 "Processing failed".',
    routes: ['POST /api/upload', 'GET /v1/jobs/{job_id}', 'GET /api/download/{job_id}', 'POST /v1/jobs'],
  },
  'ERR-5': {
    level: 'wider',
    text: 'HTTP status per code: 401 missing_api_key / invalid_api_key, 402 insufficient_credits, 429 rate_limited, 400 invalid_request, 500 internal_error. "File too large" is 400, not 413.',
    open: 'timeout is 504.',
  },
  'ERR-6': {
    level: 'core',
    text: "request_id is unique per answer, and can be found in the server's logs.",
  },
  'GO-1': {
    level: 'core',
    text: 'Authentication: an endpoint called with a valid key answers 200, with an invalid key 401.',
  },
  'GO-2': {
    level: 'core',
    text: 'Rate limits: a burst is answered with 429, and a client that backs off gets through.',
  },
  'GO-3': {
    level: 'core',
    text: 'Idempotency: the same request sent again has no duplicate side effects.',
  },
  'GO-4': {
    level: 'core',
    text: 'Observability: request_id and job_id appear in logs and dashboards.',
  },
  'GO-5': {
    level: 'core',
    text: 'Paths: success, failure, timeout, retry and insufficient credits are each tried with realistic video files and the output format that will ship.',
  },
  'GO-6': {
    level: 'core',
    text: 'Clips: at least one short, one longer and one visually difficult clip.',
  },
  'GO-7': {
    level: 'core',
    text: "Audit: input reference, model, output format, credit usage and final job status are kept beside the caller's own user or project id.",
    routes: ['GET /v1/jobs/{job_id}', 'GET /v1/usage/events'],
  },
  'AUTH-1': {
    level: 'wider',
    text: '/v1/* needs the header X-Api-Key (in any spelling: field names are case-insensitive, RFC 9110 5.1). Missing: 401 missing_api_key. Unknown: 401 invalid_api_key.',
  },
  'AUTH-2': {
    level: 'wider',
    text: 'Legacy /api/* needs no key.',
    open: 'A key that is sent there is used (an unknown one: 401).',
  },
  'AUTH-3': {
    level: 'wider',
    text: 'A job belongs to the key that made it: another key gets 404 Job not found.',
    routes: ['GET /v1/jobs/{job_id}'],
  },
  'UP-1': {
    level: 'wider',
    text: 'POST /v1/uploads and POST /api/upload: multipart/form-data, one file field `file`.',
    routes: ['POST /v1/uploads', 'POST /api/upload'],
  },
  'UP-2': {
    level: 'wider',
    text: 'MIME: video/mp4, video/quicktime, video/webm, video/x-msvideo. At most 500MB.',
    open: '500MB is 500 * 1024 * 1024 bytes.',
    routes: ['POST /v1/uploads', 'POST /api/upload'],
  },
  'UP-3': {
    level: 'wider',
    text: '200: {success: boolean, video_id: string, video_url: string, filename: string, size: number}.',
    routes: ['POST /v1/uploads', 'POST /api/upload'],
  },
  'UP-4': {
    level: 'wider',
    text: "The API's own Python client sends the file part without a Content-Type: the type is then known from the file's extension and its first bytes.",
    routes: ['POST /v1/uploads', 'POST /api/upload'],
  },
  'JOB-1': {
    level: 'wider',
    text: 'POST /v1/jobs. Fields: video_url (string, required), model original|light|pro|human (default original), output_format webm|mov|mp4|gif|webp|png_sequence (default webm), bg_type transparent|green|white|black|blue|custom|color|image (default transparent), bg_color (number[3], RGB, for custom), text_prompt (string, used with model pro), webhook_url (string), auto_start (boolean, default true), metadata (object), background ({type: transparent|color|image, color?, image_url?}), composition ({canvas:{width,height}, foreground:{anchor,scale,offset:{x,y}}}).',
    open: "Unknown fields are ignored, as the API's own clients may send more.",
    routes: ['POST /v1/jobs'],
  },
  'JOB-2': {
    level: 'wider',
    text: 'Answer: {success: true, id, status, message}.',
    open: 'HTTP 200 (the suite accepts 200, 201, 202).',
    routes: ['POST /v1/jobs'],
  },
  'JOB-3': {
    level: 'wider',
    text: 'auto_start false makes a draft; POST /v1/jobs/{job_id}/start, with optional overrides of model, output_format, bg_type, bg_color, text_prompt, webhook_url, background, composition, starts it. Starting twice, or after completion, has no second side effect (GO-3).',
    open: 'Answered 200 with the job as it is; a 4xx is accepted too.',
    routes: ['POST /v1/jobs/{job_id}/start'],
  },
  'JOB-4': {
    level: 'wider',
    text: 'States. One page says created|processing|completed|failed, another pending|processing|completed|failed. The mock: created = draft, pending = accepted and queued, then processing, then completed or failed. completed and failed are terminal; progress never goes back. A failed job can be started again.',
    routes: ['GET /v1/jobs/{job_id}'],
  },
  'JOB-5': {
    level: 'wider',
    text: "GET /v1/jobs/{job_id}: {id, status, progress 0-100, output_url string|null (set when completed), error string|null (set when failed: a STRING, not the envelope), created_at (UTC ISO 8601), duration_seconds number|null, billing_status string|null, webhook_url string|null, webhook_events array of each event's delivery state (sent|failed)}, plus model, output_format and the other inputs (GO-7).",
    routes: ['GET /v1/jobs/{job_id}'],
  },
  'JOB-6': {
    level: 'wider',
    text: "GET /v1/jobs?limit&offset&status: the key's own jobs, newest first.",
    open: '{jobs: [...], total, limit, offset}; limit 1..100, default 20.',
    routes: ['GET /v1/jobs'],
  },
  'JOB-7': {
    level: 'wider',
    text: 'A transparent background needs an alpha format (webm, mov, gif, webp, png_sequence).',
    open: 'mp4 + transparent: 400 invalid_request. Where no background was named, either answer is right.',
    routes: ['POST /v1/jobs', 'POST /v1/jobs/{job_id}/start'],
  },
  'DL-1': {
    level: 'core',
    text: 'GET /api/download/{job_id}: 200 {success: true, download_url: string, output_format: string|null}.',
    routes: ['GET /api/download/{job_id}'],
  },
  'DL-2': {
    level: 'core',
    text: 'Before completion: 400 Job not completed. Unknown job: 404 Job not found.',
    routes: ['GET /api/download/{job_id}'],
  },
  'DL-3': {
    level: 'core',
    text: "download_url and output_url are real: a GET on them returns a playable file of the job's output_format (range requests too).",
    routes: ['GET /files/outputs/{job_id}/{filename}'],
  },
  'CR-1': {
    level: 'wider',
    text: 'Credits a minute: original 60, light 45, pro 180, human 45. Charged on the billed duration.',
    open: 'Rounding: the mock charges exactly; a server may round the duration up to whole seconds and the credits up to whole ones. Less than exact, or a whole credit more than the rounded price, breaks CR-1.',
  },
  'CR-2': {
    level: 'wider',
    text: 'GET /api/pricing: {model_pricing_credits_per_minute: {...}, price_per_second_cents, packages: [...]}.',
    routes: ['GET /api/pricing'],
  },
  'CR-3': {
    level: 'wider',
    text: 'Too few credits: 402 insufficient_credits; nothing is charged, no job starts. A failed job is not charged; billing_status tells.',
    open: 'billing_status is pending|charged|refunded|not_charged.',
    routes: ['POST /v1/jobs', 'POST /v1/jobs/{job_id}/start'],
  },
  'US-1': {
    level: 'wider',
    text: "GET /v1/usage/summary?days=1..90: daily aggregates and totals; the API's own n8n template reads total_jobs, completed_jobs, credits_used (failed_jobs too).",
    open: "How the daily rows are called and shaped (days, daily, by_day, …), and whether the number of days is echoed: no name but the totals' is documented.",
    routes: ['GET /v1/usage/summary'],
  },
  'US-2': {
    level: 'wider',
    text: 'GET /v1/usage/events?limit=1..100: recent call events (request_id, job_id, endpoint, status, credits, time).',
    routes: ['GET /v1/usage/events'],
  },
  'SYS-1': {
    level: 'wider',
    text: 'GET /health: 200.',
    routes: ['GET /health'],
  },
  'RL-1': {
    level: 'wider',
    text: 'Per key; legacy calls without a key count per client address.',
    open: '100 requests and 10 job creations a minute as defaults, all configurable, off with 0.',
  },
  'RL-2': {
    level: 'wider',
    text: '429 carries Retry-After (RFC 9110, whole seconds, never a lie: waiting that long is enough) and RateLimit headers (the IETF draft, -11 of 2026-05-23: t never beyond Retry-After, which outranks it), and the classic X-RateLimit-Limit/-Remaining/-Reset.',
  },
  'RL-3': {
    level: 'wider',
    text: 'Documented client policy: exponential backoff with jitter, 1-2s, 2-4s, 4-8s, then 8-16s as the cap. Polling: 2s at first, backing off to 5-10s for long jobs; stop at a terminal state.',
    unseen: 'it is about what the client does, not the endpoint',
  },
  'WH-1': {
    level: 'wider',
    text: "Events job.started, job.completed, job.failed, POSTed as JSON {event, data: {job}} — the API's own n8n template reads event, data.id, data.status, data.output_url.",
  },
  'WH-2': {
    level: 'wider',
    text: 'Headers X-Webhook-Event, X-Webhook-Delivery-Id (unique), X-Webhook-Timestamp (ISO 8601) and, when a signing secret is set, X-Webhook-Signature: "sha256=" + hex HMAC-SHA256(secret, timestamp + "." + raw body).',
  },
  'WH-3': {
    level: 'open',
    text: 'A delivery that is not answered 2xx in 5 s is retried 3 times, 10 s apart (times scalable); the same delivery id each time.',
  },
  'AD-1': {
    level: 'wider',
    text: "X-Admin-Token guards /v1/admin/config, /v1/admin/keys (GET, POST {client_id, note}), /v1/admin/keys/disable and /enable ({key_fingerprint}). The API's own admin client calls them. Off until a token is set; a suite never calls them on a real endpoint.",
    unseen: 'the suite never calls admin routes',
    routes: [
      'GET /v1/admin/config',
      'GET /v1/admin/keys',
      'POST /v1/admin/keys',
      'POST /v1/admin/keys/disable',
      'POST /v1/admin/keys/enable',
    ],
  },
  'BR-1': {
    level: 'open',
    text: 'The documentation says nothing of CORS. The mock allows loopback origins by default (a switch turns it off); the suite notes what it sees and accuses nobody.',
  },
  'ID-1': {
    level: 'core',
    text: "`Idempotency-Key` (IETF draft -07, expired 2026-04-18: a quoted string; nearly all clients send it bare: both spellings are one key) on POST /v1/jobs, /v1/jobs/{id}/start, /v1/uploads: same key and same body: the first answer again, with no second job or charge; same key, another body: 422 invalid_request; still in flight: 409. For an upload the body is the file's bytes and name (a multipart boundary is drawn anew on each try). Without the header the mock treats each create as new; GETs never change anything.",
    open: 'The header is open: the documentation asks for the effect only (GO-3).',
    routes: ['POST /v1/jobs', 'POST /v1/jobs/{job_id}/start', 'POST /v1/uploads'],
  },
} as const satisfies Record<string, Clause>

export type ClauseId = keyof typeof clauses
