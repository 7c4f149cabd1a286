/** The target and the Host of a request, in the forms that RFC 9112 allows. */
import type { IncomingMessage } from 'node:http'

/** /v1/jobs for http://host/v1/jobs: the absolute form means the same (RFC 9112, 3.2.2), in the journal too. */
export function originForm({ url = '' }: { url?: string }): string {
  if (url.startsWith('/')) return url
  const absolute = /^https?:\/\/[^/?#]*(.*)$/is.exec(url)?.[1]
  if (absolute === undefined) return url
  return absolute.startsWith('/') ? absolute : `/${absolute}`
}

const hostForm = /^(\[[0-9a-f:.]+\]|[\w.~!$&'()*+,;=%-]*)(:\d*)?$/i

/** Why a request's Host is none (RFC 9112, 3.2: 400 for a missing, repeated or malformed one); undefined for a good one. */
export function hostProblem({ headers, rawHeaders, httpVersion }: IncomingMessage): string | undefined {
  const { host } = headers
  if (host === undefined) return httpVersion === '1.0' ? undefined : 'the header Host is missing'
  let count = 0
  for (let i = 0; i < rawHeaders.length; i += 2)
    if (rawHeaders[i]?.length === 4 && rawHeaders[i]?.toLowerCase() === 'host') count++
  if (count > 1) return `there are ${count} headers Host; expected one`
  return hostForm.test(host) ? undefined : `the header Host is ${JSON.stringify(host.slice(0, 80))}; expected host:port`
}
