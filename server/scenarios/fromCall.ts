/** A call that failed, as what a rule says of it; and whether the client itself was to blame. */

import type { ThenFormat } from '../../client/scenarioFormat.ts'
import { field } from '../../contracts/answers.ts'
import { type ErrorCaseName, errorCases, errorCodes, statusOf } from '../../contracts/errors.ts'
import { problemsOf } from '../../contracts/judge.ts'
import { operations, routeOf } from '../../contracts/operations.ts'
import { JobCreate, JobStart, videoTypes } from '../../contracts/schemas.ts'
import type { RecordedCall } from '../../recordings/traffic.ts'
import { givenBy } from '../../recordings/traffic.ts'

/** A client that hangs up sooner has not been kept waiting by the server. */
const patienceMs = 5_000
/** A longer body or message says no more. */
export const maxBody = 2_000

const messageOf = (call: RecordedCall): string | undefined => {
  const message = (field(call, 'error') as { message?: unknown } | null | undefined)?.message
  return typeof message === 'string' && message !== '' ? message : undefined
}

export const saying = ({ status, code, operation }: RecordedCall): string =>
  [status, ...(code === undefined ? [] : [code]), 'on', routeOf(operation)].join(' ')

export const failureLabel = (call: RecordedCall): string =>
  call.cut ? `cut ${call.cut.when.replace('_', ' ')}` : call.code ? `${call.status} ${call.code}` : `${call.status}`

/** The connection's own end, as the matching fault. */
export function cutThen(call: RecordedCall): ThenFormat | string | undefined {
  const { cut, operation, status, jobId, ms } = call
  if (cut === undefined || operation === undefined) return undefined
  if (cut.by === 'client' && (cut.when !== 'before_head' || ms < patienceMs))
    return `${routeOf(operation)}: the client hung up`
  const bytes = cut.bytes === undefined ? {} : { after_bytes: cut.bytes }
  const withBytes = (type: string) => (cut.bytes === undefined ? type : { type, ...bytes })
  if (cut.when === 'in_body') {
    const fault = withBytes(cut.how === 'reset' ? 'reset_mid_body' : 'truncated_body')
    return { ...(status >= 400 && { error: 'internal_error', status }), fault }
  }
  if (cut.when === 'in_request' && 'body' in operations[operation]) return { fault: withBytes('cut_upload') }
  const type =
    cut.by === 'client' || cut.how === 'silence' ? 'no_answer' : cut.how === 'closed' ? 'close_before_head' : 'reset'
  // The recorder knows which job was made, though its maker never heard of it.
  const isDone = operation === 'createJob' && jobId !== undefined
  return { ...(isDone && { pass: 'before_delay' }), fault: type }
}

const cases = Object.entries(errorCases) as [ErrorCaseName, (typeof errorCases)[ErrorCaseName]][]
/** What a code stands for without a message that says more. */
const caseOfCode: Readonly<Record<string, ErrorCaseName>> = {
  invalid_request: 'invalid_field',
  not_found: 'job_not_found',
}

export function errorThen(call: RecordedCall, redact: (text: string) => string): ThenFormat {
  const { status, code, json, text, headers } = call
  const message = messageOf(call)
  const wait = headers['retry-after'] ?? ''
  const retry = /^\d{1,6}$/.test(wait)
    ? { retry_after: Number(wait) }
    : status === 429
      ? { headers: { 'retry-after': null } }
      : {}
  if (code !== undefined) {
    const found = cases.find(([name, one]) => {
      return one.code === code && statusOf(name) === status && message?.startsWith(one.message)
    })
    const known = code in errorCodes
    const name = found?.[0] ?? (known ? code : status >= 500 ? 'internal_error' : 'invalid_request')
    const by = found?.[0] ?? ((name in errorCases ? name : caseOfCode[name]) as ErrorCaseName)
    return {
      error: name as ThenFormat['error'],
      ...(statusOf(by) !== status && { status }),
      ...(message !== undefined &&
        message !== errorCases[by].message && { message: redact(message).slice(0, maxBody) }),
      ...(!known && { patch: { error: { code: redact(code) } } }),
      ...retry,
    } as ThenFormat
  }
  const type = headers['content-type'] ?? ''
  if (json === undefined && /html/i.test(type) && [502, 503, 504].includes(status))
    return { fault: status === 502 ? 'proxy_html' : { type: 'proxy_html', status } }
  if (text === '') {
    const isEmpty = headers['content-length'] === '0'
    const error = { error: status === 429 ? ('rate_limited' as const) : ('internal_error' as const) }
    return { ...error, status, ...retry, ...(isEmpty && { fault: 'empty_reply' }) } as ThenFormat
  }
  const whole = redact(text)
  if (json !== undefined && whole.length <= maxBody) return { status, body: JSON.parse(whole) as never }
  const isPrintable = /^[\t\x20-\x7e]+$/.test(type)
  return { status, ...(isPrintable && { headers: { 'content-type': type } }), body: whole.slice(0, maxBody) }
}

const extensions: readonly string[] = Object.values(videoTypes).flat()
const maxUploadBytes = 500 * 1024 * 1024
const smallestVideo = 1024

export function uploadFault(call: RecordedCall): string | undefined {
  const [part] = call.sent.form ?? []
  const message = messageOf(call) ?? ''
  if (/^Invalid upload/i.test(message)) return 'its form was wrong'
  if (part === undefined) return undefined
  const size = part.sha256 === undefined ? undefined : part.size
  if (/too large/i.test(message)) return size !== undefined && size > maxUploadBytes ? 'it was too large' : undefined
  const extension = /\.(\w+)$/.exec(part.filename)?.[1]?.toLowerCase() ?? ''
  if (part.field !== 'file') return 'its form was wrong'
  const isVideo = extensions.includes(extension) && (size === undefined || size >= smallestVideo)
  return isVideo ? undefined : 'its file was no supported video'
}

const bodies = { createJob: JobCreate, startJob: JobStart }

export function bodyFault(call: RecordedCall): string | undefined {
  const { body } = call.sent
  if (body === undefined) return undefined
  const given = givenBy(call)
  if (given === undefined) return 'its body was no JSON object'
  if (problemsOf(bodies[call.operation as keyof typeof bodies], given).length > 0)
    return 'its body does not fit the schema'
  const isOpaque = given.output_format === 'mp4' && (given.bg_type ?? 'transparent') === 'transparent'
  return isOpaque && given.background === undefined ? 'a transparent mp4 there is not (JOB-7)' : undefined
}
