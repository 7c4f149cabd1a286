/** Idempotency-Key (ID-1): the same request sent again gets the first answer again, and nothing happens twice. */
import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import stringify from 'safe-stable-stringify'
import { apiError } from '../errors.ts'
import type { RequestContext } from './context.ts'

const maxKeyLength = 255
export const replayedHeader = 'idempotency-replayed'

/** Runs when the body is known but not yet validated: what is compared is what the client sent. */
export function claimIdempotency(isUpload: boolean) {
  return (request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    const given = request.headers['idempotency-key'] as string | undefined
    if (given === undefined) return done()
    // "a" and a are the same key: the draft's form is a quoted string, and most clients send it bare.
    const key = /^"((?:[^"\\]|\\["\\])*)"$/.exec(given)?.[1]?.replace(/\\(["\\])/g, '$1') ?? given
    const { context, exchange } = request
    if (key === '' || key.length > maxKeyLength) {
      return done(
        apiError('invalid_field', `Idempotency-Key has ${key.length} characters; expected 1 to ${maxKeyLength}`),
      )
    }
    const scoped = `${exchange.operation} ${pathOf(exchange.url)} ${key}`
    // An upload's body is its file: the handler compares that when it has arrived.
    const fingerprint = isUpload ? undefined : hash('sha256', stringify(request.body ?? null) ?? '')
    try {
      const first = context.world.idempotency.claim(scoped, fingerprint, exchange.at, context.account.idempotencyMs)
      if (first) return void replayFirstAnswer(reply, first.answer as string)
    } catch (error) {
      return done(error as Error)
    }
    context.idempotencyKey = scoped
    context.fingerprint = fingerprint
    done()
  }
}

/** The first answer again, marked as such. */
export function replayFirstAnswer(reply: FastifyReply, answer: string): FastifyReply {
  reply.request.context.replayed = true
  return reply.header(replayedHeader, 'true').type('application/json; charset=utf-8').send(answer)
}

/** Keeps a good answer for retries; after an error the key is free again, as the client is told to retry those (ERR-3). */
export function settleIdempotency({ world, idempotencyKey, fingerprint, exchange }: RequestContext): void {
  const { status, responseBody } = exchange
  if (idempotencyKey === undefined) return
  if (status < 300 && fingerprint !== undefined) world.idempotency.settle(idempotencyKey, fingerprint, responseBody)
  else world.idempotency.release(idempotencyKey)
}

/** The request will have no answer: its key is free at once, and no longer its own. */
export function releaseIdempotency(context: RequestContext): void {
  if (context.idempotencyKey === undefined) return
  context.world.idempotency.release(context.idempotencyKey)
  context.idempotencyKey = undefined
}

const pathOf = (url: string): string => url.split('?', 1)[0] as string
