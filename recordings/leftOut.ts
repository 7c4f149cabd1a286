/** Bodies that a recording has not: a tool may leave them out, and that is another thing than an empty body. */
import type { HarEntry } from './har.ts'

export const isTextType = (type: string | undefined): boolean =>
  /^text\/|json|xml|html|javascript|urlencoded/i.test(type ?? '')

/** Bytes of the body that was sent, as its own head says; undefined where nobody says. */
export function sentBytes({ headers, bodySize = -1 }: HarEntry['request']): number | undefined {
  const length = headers.find(({ name }) => /^content-length$/i.test(name))?.value
  if (length !== undefined && /^\d+$/.test(length)) return Number(length)
  return bodySize > 0 ? bodySize : undefined
}

/** Whether a request had a body of which the recording has nothing. */
export function isRequestBodyLeftOut({ request, _cut: cut }: HarEntry): boolean {
  const { postData, headers } = request
  if (cut?.when === 'in_request') return true
  if (postData?.text !== undefined || (postData?.params?.length ?? 0) > 0) return false
  if (postData?._body_file !== undefined) return postData._body_file.path === undefined
  return (sentBytes(request) ?? 0) > 0 || headers.some(({ name }) => /^transfer-encoding$/i.test(name))
}

/** Whether an answer had a body of which the recording has nothing. */
export function isAnswerBodyLeftOut({ request, response, _cut: cut }: HarEntry): boolean {
  const { content = {}, status, headers, bodySize = -1 } = response
  if (cut !== undefined || status < 200 || status === 204 || status === 304 || request.method === 'HEAD') return false
  if (content.text !== undefined || content._body_file?.path !== undefined) return false
  const length = headers.find(({ name }) => /^content-length$/i.test(name))?.value
  if (length !== undefined) return length !== '0'
  const type = content.mimeType ?? headers.find(({ name }) => /^content-type$/i.test(name))?.value ?? ''
  // Whoever says that it is JSON has sent some.
  return (content.size ?? 0) > 0 || bodySize > 0 || /json/i.test(type)
}
