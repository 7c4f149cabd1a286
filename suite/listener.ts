/** The suite's own webhook receiver: a path for each job, what came in there, and what it was answered. */

import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Answering, Delivery, Listener, SuiteClock } from './environment.ts'

interface Inbox {
  deliveries: Delivery[]
  answer: Answering
}

const maxBodyBytes = 1024 * 1024

export interface ListenerOptions {
  /** How the endpoint reaches it; undefined: by loopback. */
  publicUrl?: string
  port: number
  clock: SuiteClock
}

/** Listens on loopback, or on every address where the endpoint comes from elsewhere. */
export async function startListener({
  publicUrl,
  port,
  clock,
}: ListenerOptions): Promise<Listener & { close(): void }> {
  const inboxes = new Map<string, Inbox>()
  const waiting = new Set<() => void>()
  const server = createServer((request, response) => {
    receive(request, response).catch(() => response.destroy())
  })
  async function receive(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const inbox = inboxes.get((request.url ?? '').split(/[?#]/, 1)[0]?.split('/').at(-1) ?? '')
    const chunks: Buffer[] = []
    let size = 0
    for await (const chunk of request) {
      size += (chunk as Buffer).length
      if (size > maxBodyBytes) return void response.writeHead(413).end()
      chunks.push(chunk as Buffer)
    }
    if (inbox === undefined || request.method !== 'POST') return void response.writeHead(404).end()
    const headers = Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, String(value)]))
    const delivery = { headers, body: Buffer.concat(chunks).toString(), at: clock.now() }
    const answered = inbox.answer(delivery, inbox.deliveries)
    inbox.deliveries.push({ ...delivery, answered })
    response.writeHead(answered).end()
    for (const wake of [...waiting]) wake()
  }
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, publicUrl === undefined ? '127.0.0.1' : '0.0.0.0', resolve)
  })
  server.unref()
  const base = (publicUrl ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}`).replace(/\/$/, '')
  return {
    open(name, answer = () => 200) {
      const inbox: Inbox = { deliveries: [], answer }
      inboxes.set(name, inbox)
      return { url: `${base}/${name}`, deliveries: inbox.deliveries }
    },
    until(isMet, withinMs) {
      if (isMet()) return Promise.resolve(true)
      return new Promise(resolve => {
        const over = new AbortController()
        const end = (met: boolean) => {
          over.abort()
          waiting.delete(wake)
          resolve(met)
        }
        const wake = () => isMet() && end(true)
        waiting.add(wake)
        void clock.sleep(withinMs, over.signal).then(() => end(isMet()))
      })
    },
    close() {
      server.close()
      server.closeAllConnections()
    },
  }
}
