/** The one webhook endpoint of all runs: each has a path of its own. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import type { Delivery } from './environment.ts'
import type { Run } from './run.ts'

export interface Receiver {
  urlOf(path: string): string
  /** By path. */
  readonly runs: Map<string, Run>
  close(): void
}

export async function openReceiver(): Promise<Receiver> {
  const runs = new Map<string, Run>()
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const run = runs.get(request.url ?? '')
    await run?.deliver(deliveryOf(request.headers, body), status => answer(response, status))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    urlOf: path => `http://127.0.0.1:${port}${path}`,
    runs,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}

/** Resolves when the sender has gone: then it has read the answer, or waits for none any more. */
async function answer(response: ServerResponse, status: number | undefined): Promise<void> {
  const closed = response.closed ? undefined : once(response, 'close')
  if (status !== undefined) response.writeHead(status).end()
  await closed
}

const deliveryOf = (headers: IncomingHttpHeaders, body: string): Delivery => ({
  // Without an id, event and job are all that tells two apart.
  id: String(headers['x-webhook-delivery-id'] ?? body.replace(/"data":\{"id":"([^"]*)".*/, '$1')),
  event: String(headers['x-webhook-event']),
  timestamp: String(headers['x-webhook-timestamp']),
  signature: headers['x-webhook-signature'] as string | undefined,
  body,
})
