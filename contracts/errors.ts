/**
 * The catalogue of errors. Two tables: the codes that an answer can carry (ERR-2, ERR-3, ERR-5), and the cases in
 * which the mock answers with one (ERR-4). The docs' errors page and the OpenAPI document are made from them.
 */

/** ERR-3: what a client should do, by class. */
export const errorClasses = {
  client: 'Fix the payload or the configuration; do not retry.',
  capacity: 'Retry with backoff, or top up.',
  server: 'Retry with a fallback and alerting.',
} as const

export interface ErrorCode {
  /** The HTTP status of ERR-5; a case may say another one. */
  status: number
  class: keyof typeof errorClasses
  /** false: an extension of the mock, which ERR-2 leaves open. */
  documented: boolean
}

export const errorCodes = {
  invalid_request: { status: 400, class: 'client', documented: true },
  missing_api_key: { status: 401, class: 'client', documented: true },
  invalid_api_key: { status: 401, class: 'client', documented: true },
  insufficient_credits: { status: 402, class: 'capacity', documented: true },
  rate_limited: { status: 429, class: 'capacity', documented: true },
  internal_error: { status: 500, class: 'server', documented: true },
  timeout: { status: 504, class: 'server', documented: true },
  not_found: { status: 404, class: 'client', documented: false },
} as const satisfies Record<string, ErrorCode>

export interface ErrorCase {
  code: keyof typeof errorCodes
  /** Where it differs from the code's own status. */
  status?: number
  /** What `message` begins with; a detail may follow after a colon. */
  message: string
  /** What the caller should do about it. */
  action: string
  clauses: readonly string[]
}

export const errorCases = {
  missing_api_key: {
    code: 'missing_api_key',
    message: 'Missing API key',
    action: 'Send the header X-Api-Key.',
    clauses: ['AUTH-1', 'ERR-5'],
  },
  invalid_api_key: {
    code: 'invalid_api_key',
    message: 'Invalid API key',
    action: 'Check the key; against the mock, use one that starts with test_.',
    clauses: ['AUTH-1', 'GO-1', 'ERR-5'],
  },
  invalid_admin_token: {
    code: 'invalid_api_key',
    message: 'Invalid admin token',
    action: 'Send the token that the server was started with as X-Admin-Token.',
    clauses: ['AD-1'],
  },
  invalid_field: {
    code: 'invalid_request',
    message: 'Invalid request',
    action: 'Change the field that the message names.',
    clauses: ['ERR-5', 'JOB-1', 'JOB-7'],
  },
  invalid_json: {
    code: 'invalid_request',
    message: 'Invalid JSON',
    action: 'Send a JSON object as the body.',
    clauses: ['ERR-5'],
  },
  invalid_upload: {
    code: 'invalid_request',
    message: 'Invalid upload',
    action: 'Send multipart/form-data with one file in the field "file".',
    clauses: ['UP-1'],
  },
  invalid_file_type: {
    code: 'invalid_request',
    message: 'Invalid file type',
    action: 'Use a supported video MIME: video/mp4, video/quicktime, video/webm or video/x-msvideo.',
    clauses: ['ERR-4', 'UP-2'],
  },
  file_too_large: {
    code: 'invalid_request',
    message: 'File too large',
    action: 'Keep the file at or under 500MB.',
    clauses: ['ERR-4', 'ERR-5', 'UP-2'],
  },
  job_not_found: {
    code: 'not_found',
    message: 'Job not found',
    action: 'Check the job id, and that the key is the one that made the job.',
    clauses: ['ERR-4', 'AUTH-3', 'DL-2'],
  },
  job_not_completed: {
    code: 'invalid_request',
    message: 'Job not completed',
    action: 'Poll the status until it is completed.',
    clauses: ['ERR-4', 'DL-2'],
  },
  insufficient_credits: {
    code: 'insufficient_credits',
    message: 'Not enough credits to process this video',
    action: 'Top up, then send it again.',
    clauses: ['CR-3', 'ERR-5'],
  },
  rate_limited: {
    code: 'rate_limited',
    message: 'Too many requests',
    action: 'Wait for the seconds in Retry-After, then back off exponentially with jitter.',
    clauses: ['RL-1', 'RL-2', 'RL-3', 'GO-2'],
  },
  processing_failed: {
    code: 'internal_error',
    message: 'Processing failed',
    action: 'Retry with backoff.',
    clauses: ['ERR-4'],
  },
  internal_error: {
    code: 'internal_error',
    message: 'Internal error',
    action: 'Retry with a fallback and alerting; report the request_id.',
    clauses: ['ERR-3', 'ERR-5'],
  },
  timeout: {
    code: 'timeout',
    message: 'The request timed out',
    action: 'Retry with backoff.',
    clauses: ['ERR-5'],
  },
  idempotency_mismatch: {
    code: 'invalid_request',
    status: 422,
    message: 'This Idempotency-Key was used with another body',
    action: 'Draw a new Idempotency-Key for each new request.',
    clauses: ['ID-1'],
  },
  idempotency_in_flight: {
    code: 'invalid_request',
    status: 409,
    message: 'A request with this Idempotency-Key is still in flight',
    action: 'Wait for the first request, then send it again.',
    clauses: ['ID-1'],
  },
  route_not_found: {
    code: 'not_found',
    message: 'Route not found',
    action: 'Check the method and the path; GET /docs lists all of them.',
    clauses: ['ERR-2'],
  },
  control_not_found: {
    code: 'not_found',
    message: 'Not found',
    action: 'Check the id or the name in the path: what has it is gone, or never was.',
    clauses: ['ERR-2'],
  },
  file_not_found: {
    code: 'not_found',
    message: 'File not found',
    action: 'Use an output_url, download_url or video_url as the API gave it.',
    clauses: ['DL-3'],
  },
  control_refused: {
    code: 'invalid_request',
    status: 403,
    message: 'Refused',
    action:
      'Call /__mock by a loopback address and not from a page of another origin, or name it when the mock starts.',
    clauses: ['ERR-1'],
  },
  method_not_allowed: {
    code: 'invalid_request',
    status: 405,
    message: 'Method not allowed',
    action: 'Use one of the methods in the Allow header.',
    clauses: ['ERR-1'],
  },
  unsupported_media_type: {
    code: 'invalid_request',
    status: 415,
    message: 'Unsupported content type',
    action: 'Send application/json, or multipart/form-data for an upload.',
    clauses: ['ERR-1'],
  },
  body_too_large: {
    code: 'invalid_request',
    status: 413,
    message: 'Request body too large',
    action: 'Keep a JSON body at or under 1 MiB.',
    clauses: ['ERR-1'],
  },
  malformed_http: {
    code: 'invalid_request',
    message: 'Malformed HTTP request',
    action: 'Send a valid HTTP/1.1 request.',
    clauses: ['ERR-1'],
  },
  request_incomplete: {
    code: 'invalid_request',
    status: 408,
    message: 'The request did not arrive in time',
    action: 'Send the whole request; check the connection.',
    clauses: ['ERR-1'],
  },
  headers_too_large: {
    code: 'invalid_request',
    status: 431,
    message: 'Request headers too large',
    action: 'Keep all headers together at or under 16 KiB.',
    clauses: ['ERR-1'],
  },
  expectation_failed: {
    code: 'invalid_request',
    status: 417,
    message: 'Expectation failed',
    action: 'Send only "Expect: 100-continue".',
    clauses: ['ERR-1'],
  },
  precondition_failed: {
    code: 'invalid_request',
    status: 412,
    message: 'Precondition failed',
    action: 'Ask again without If-Match or If-Unmodified-Since.',
    clauses: ['DL-3'],
  },
  range_not_satisfiable: {
    code: 'invalid_request',
    status: 416,
    message: 'Range not satisfiable',
    action: "Ask for a range inside the file; Content-Range tells the file's size.",
    clauses: ['DL-3'],
  },
} as const satisfies Record<string, ErrorCase>

export type ErrorCodeName = keyof typeof errorCodes
export type ErrorCaseName = keyof typeof errorCases

/** The HTTP status that a case is answered with. */
export function statusOf(name: ErrorCaseName): number {
  const found: ErrorCase = errorCases[name]
  return found.status ?? errorCodes[found.code].status
}
