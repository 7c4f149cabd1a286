/**
 * /__mock/mcp: the tools for coding agents over streamable HTTP, under the guard of the control routes. What answers is given by
 * who starts the mock, as mcp/ knows of the server and not the other way round.
 */
import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { App } from '../app.ts'
import { openInternal } from '../pipeline/exchange.ts'
import { sendContinue } from '../pipeline/expect.ts'
import { guardControl } from './guard.ts'

/** What answers the protocol; closed with the mock, and all that its tools have started with it. */
export interface AgentEndpoint {
  answer(request: Request): Promise<Response>
  close(): Promise<void>
}

export const agentPath = '/__mock/mcp'

/** Arguments of tools are short; a scenario as an object is the longest. */
const maxMessageBytes = 1024 * 1024

/** Adds the route to an app that does not listen yet. `connect` is called by the first request. */
export function registerAgents({ fastify: app, mock }: App, connect: () => Promise<AgentEndpoint>): void {
  let endpoint: Promise<AgentEndpoint> | undefined
  const onRequest = [openInternal(mock), ...guardControl(mock)]
  app.register(async scope => {
    // The protocol has errors of its own for a body that is none of its messages.
    scope.removeAllContentTypeParsers()
    scope.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
    scope.route<{ Body: Buffer | undefined }>({
      method: ['GET', 'POST', 'DELETE'],
      url: agentPath,
      exposeHeadRoute: false,
      bodyLimit: maxMessageBytes,
      onRequest,
      preParsing: sendContinue,
      handler: async (request, reply) => {
        endpoint ??= connect()
        const gone = new AbortController()
        reply.raw.once('close', () => gone.abort())
        return sendOn(await (await endpoint).answer(webRequest(request, gone.signal)), reply)
      },
    })
  })
  app.addHook('preClose', async () => {
    // One that never came to be has nothing to close.
    const opened = await endpoint?.catch(() => undefined)
    await opened?.close()
  })
}

function webRequest(
  { method, url, headers, body }: FastifyRequest<{ Body: Buffer | undefined }>,
  signal: AbortSignal,
): Request {
  const sent = Object.entries(headers).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, String(value)] as [string, string]],
  )
  const hasBody = method === 'POST'
  return new Request(new URL(url, 'http://127.0.0.1'), {
    method,
    headers: sent,
    signal,
    ...(hasBody && { body: new Uint8Array(body ?? []) }),
  })
}

function sendOn(response: Response, reply: FastifyReply): FastifyReply {
  reply.code(response.status)
  for (const [name, value] of response.headers) reply.header(name, value)
  return reply.send(response.body === null ? '' : Readable.fromWeb(response.body as ReadableStream))
}
