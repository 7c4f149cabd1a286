/**
 * Expect: 100-continue. The body is asked for only when all checks that need none have passed, so an upload that can't
 * succeed is refused before it is sent.
 */
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { FastifyReply, FastifyRequest, preParsingHookHandler } from 'fastify'

const waiting = new WeakSet<IncomingMessage>()

/** Takes the decision from Node, which would say "continue" to everybody. */
export function holdContinue(server: Server): void {
  server.on('checkContinue', (request: IncomingMessage, response: ServerResponse) => {
    waiting.add(request)
    server.emit('request', request, response)
  })
}

/** The checks have passed: the client may send its body. */
export const sendContinue: preParsingHookHandler = (request, reply, payload, done) => {
  askForBody(request, reply)
  done(null, payload)
}

export function askForBody({ raw }: FastifyRequest, reply: FastifyReply): void {
  if (raw.headers.expect !== undefined && waiting.delete(raw)) reply.raw.writeContinue()
}

/** Whether the client was refused before its body: what follows on the connection can't be told from one. */
export const isStillWaiting = (request: IncomingMessage): boolean => waiting.has(request)
