/** How a call failed that has no answer, or not all of one: browsers' tools say it in words, in fields of their own. */
import { redactText } from '../base/redaction.ts'
import type { Cut, HarEntry } from './har.ts'

type Fields = Record<string, unknown>

/** Playwright's, DevTools' and those of some others; of the answer or of the whole entry. */
const fields = ['_failureText', '_error', '_errorMessage', '_errorText']

/** By what Chromium, Firefox, WebKit, curl and Node say, the special before the general. */
const words: readonly (readonly [RegExp, Pick<Cut, 'by' | 'how'>])[] = [
  [/ABORTED|cancel|BLOCKED_BY|interrupted by/i, { by: 'client', how: 'closed' }],
  [
    /REFUSED|NAME_NOT_RESOLVED|UNKNOWN_HOST|ENOTFOUND|UNREACH|DISCONNECTED|OFFLINE|CONNECTION_TIMED_OUT|CONNECTION_FAILED|_CERT_|SSL_|PROXY_|could not (connect|resolve)|can.t connect/i,
    { by: 'server', how: 'no_connection' },
  ],
  [/TIMED_?OUT|timeout|timed out/i, { by: 'server', how: 'silence' }],
  [/RESET|reset by/i, { by: 'server', how: 'reset' }],
  [
    /EMPTY_RESPONSE|CLOSED|hang up|INTERRUPT|connection was lost|terminated|CONTENT_LENGTH_MISMATCH|INCOMPLETE_CHUNKED|PARTIAL_TRANSFER|premature|INVALID_(CHUNKED|HTTP)|HTTP2_|QUIC_/i,
    { by: 'server', how: 'closed' },
  ],
]

/** The cut that an entry tells of in a field that is its tool's own; undefined where it tells of none. */
export function cutOfFailure(raw: Fields, { response, time = 0 }: HarEntry): Cut | undefined {
  const places = [raw.response as Fields | undefined, raw]
  const found = places.flatMap(place => fields.map(name => place?.[name])).find(isSaid)
  if (found === undefined) return undefined
  const message = redactText(found).slice(0, 200)
  const [, cut] = words.find(([pattern]) => pattern.test(found)) ?? []
  if (cut === undefined) return undefined
  const { status, headers, content } = response
  // Nobody waited in vain who was let go at once.
  const how = cut.how === 'silence' && time <= 0 ? 'closed' : cut.how
  if (status <= 0) return { ...cut, how, when: 'before_head', message }
  const length = headers.find(({ name }) => /^content-length$/i.test(name))?.value
  const bytes = content?.text === undefined ? undefined : Buffer.byteLength(content.text)
  // A download that was saved, or a page that was left behind: all of it had come.
  if (bytes !== undefined && String(bytes) === length) return undefined
  return { ...cut, how, when: 'in_body', ...(bytes !== undefined && { bytes }), message }
}

const isSaid = (value: unknown): value is string => typeof value === 'string' && value !== ''
