/** What a webhook_url leads to: it keeps what comes, as text, for a transcript. */
import { createHmac } from 'node:crypto'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'

export interface Receiver {
  url: string
  /** What came, by its path and in its order. */
  lines(): string[]
  close(): void
}

/** Takes webhooks and keeps what they were. /flaky answers 500 to the first of each event. */
export async function receive(secret: string): Promise<Receiver> {
  const seen = new Map<string, string[]>()
  const failed = new Set<string>()
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const path = request.url ?? ''
    const headers = request.rawHeaders.flatMap((name, i, all) => (i % 2 === 0 ? [`${name}: ${all[i + 1]}`] : []))
    const told = headers.filter(line => !/^(host|content-length|connection)/i.test(line)).sort()
    // A signature is made over the time, which is never the same: it is told whether it fits.
    const stamp = request.headers['x-webhook-timestamp']
    const fitting = createHmac('sha256', secret).update(`${stamp}.${body}`).digest('hex')
    const line = told.join(' | ').replace(/[0-9a-f]{64}/g, found => (found === fitting ? '<fits>' : '<does not fit>'))
    seen.set(path, [...(seen.get(path) ?? []), `${request.method} ${line} ${body}`])
    const first = `${path} ${/job\.\w+/.exec(body)?.[0]}`
    response.statusCode = path === '/flaky' && !failed.has(first) ? 500 : 200
    failed.add(first)
    response.end()
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lines: () =>
      [...seen].sort(([a], [b]) => a.localeCompare(b)).flatMap(([path, lines]) => lines.map(line => `${path} ${line}`)),
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
