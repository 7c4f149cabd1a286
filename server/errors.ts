/**
 * The one type of error that is thrown, and the one place that turns anything thrown into an answer's envelope.
 */
import { ScenarioError } from '../client/scenarioError.ts'
import { type ErrorCase, type ErrorCaseName, errorCases, statusOf } from '../contracts/errors.ts'
import type { ErrorEnvelope } from '../contracts/schemas.ts'

/** What a message echoes of a request is cut to this. */
const maxDetailLength = 400

export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly case: ErrorCaseName
  readonly status: number
  readonly headers: Record<string, string> | undefined

  constructor(name: ErrorCaseName, detail?: string, headers?: Record<string, string>) {
    const found: ErrorCase = errorCases[name]
    super(detail === undefined ? found.message : `${found.message}: ${limitDetail(detail)}`)
    this.case = name
    this.status = statusOf(name)
    this.headers = headers
  }

  envelope(requestId: string): ErrorEnvelope {
    return { error: { code: errorCases[this.case].code, message: this.message, request_id: requestId } }
  }
}

const limitDetail = (text: string): string =>
  text.length > maxDetailLength ? `${text.slice(0, maxDetailLength)}…` : text

/**
 * An error of the catalogue. `detail` follows the case's documented message: which field or limit, what was found, what
 * was expected.
 */
export const apiError = (name: ErrorCaseName, detail?: string, headers?: Record<string, string>): ApiError =>
  new ApiError(name, detail, headers)

/** What Fastify, its plugins and Node throw, by their codes. */
const casesByCode: Record<string, ErrorCaseName> = {
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid_json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'malformed_http',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported_media_type',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body_too_large',
  FST_ERR_BAD_URL: 'malformed_http',
  FST_ERR_MAX_PARAM_LENGTH: 'job_not_found',
  FST_INVALID_MULTIPART_CONTENT_TYPE: 'invalid_upload',
  FST_FILES_LIMIT: 'invalid_upload',
  FST_PARTS_LIMIT: 'invalid_upload',
  FST_FIELDS_LIMIT: 'invalid_upload',
  FST_PROTO_VIOLATION: 'invalid_upload',
  FST_REQ_FILE_TOO_LARGE: 'file_too_large',
  HPE_HEADER_OVERFLOW: 'headers_too_large',
  ERR_HTTP_REQUEST_TIMEOUT: 'request_incomplete',
}

/** The catalogue's error for anything thrown. A bug of ours becomes internal_error, and its text stays in the log. */
export function toApiError(thrown: unknown): ApiError {
  if (thrown instanceof ApiError) return thrown
  if (thrown instanceof ScenarioError) return apiError('invalid_field', thrown.firstFew)
  const error = thrown as { code?: unknown; message?: unknown; statusCode?: unknown }
  const known = typeof error?.code === 'string' ? casesByCode[error.code] : undefined
  if (known === 'job_not_found') return apiError(known)
  if (known) return apiError(known, String(error.message))
  if (typeof error?.code === 'string' && error.code.startsWith('HPE_')) {
    return apiError('malformed_http', String(error.message))
  }
  // A body that Fastify's own JSON parser refuses carries no code, only its status.
  if (error?.statusCode === 400) return apiError('invalid_json', String(error.message))
  return apiError('internal_error')
}
