/** Heads as they are passed on: in their order and spelling, without what is meant for one connection alone. */

/** Name and value by turns, as Node gives and takes them. */
export type RawHeaders = readonly string[]

const hopByHop: ReadonlySet<string> = new Set([
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
])

export function* pairsOf(raw: RawHeaders): Generator<[name: string, value: string]> {
  for (let i = 0; i < raw.length; i += 2) yield [raw[i] as string, raw[i + 1] as string]
}

/** Without hop-by-hop headers; `change` gives another value, or undefined for none at all. */
export function forwarded(
  raw: RawHeaders,
  change: (lowerName: string, value: string) => string | undefined = (_, value) => value,
): string[] {
  const named = new Set<string>()
  for (const [name, value] of pairsOf(raw))
    if (name.toLowerCase() === 'connection') for (const item of value.split(',')) named.add(item.trim().toLowerCase())
  const left: string[] = []
  for (const [name, value] of pairsOf(raw)) {
    const lower = name.toLowerCase()
    const kept = hopByHop.has(lower) || named.has(lower) ? undefined : change(lower, value)
    if (kept !== undefined) left.push(name, kept)
  }
  return left
}

/** What a client sends, as the target gets it. */
export function toTarget(
  raw: RawHeaders,
  about: { method: string; host: string; contentLength?: number; keepExpect: boolean },
): string[] {
  const { method, host, contentLength, keepExpect } = about
  const has = (name: string) => raw.some((found, i) => i % 2 === 0 && found.toLowerCase() === name)
  const headers = forwarded(raw, (name, value) => {
    if (name === 'host') return host
    // A recording of packed bodies could neither be read nor searched for secrets.
    if (name === 'accept-encoding') return 'identity'
    if (name === 'content-length' && contentLength !== undefined) return String(contentLength)
    return name === 'expect' && !keepExpect ? undefined : value
  })
  if (!has('host')) headers.unshift('Host', host)
  if (!has('accept-encoding')) headers.push('Accept-Encoding', 'identity')
  const isChunked = has('transfer-encoding')
  if (isChunked) headers.push('Transfer-Encoding', 'chunked')
  // Node would send an empty chunked body in its place.
  else if (!has('content-length') && !/^(GET|HEAD|DELETE|OPTIONS|TRACE)$/.test(method))
    headers.push('Content-Length', '0')
  return headers
}
