/** What is written down of every answer: its entry in the journal, its line in the log, its count, its headers. */

import { monotonicMs } from '../../base/clock.ts'
import { redactUrl } from '../../base/redaction.ts'
import { type Exchange, maxBodyBytes } from '../journal.ts'
import type { Mock } from '../mock.ts'
import type { RequestContext } from './context.ts'

/** Writes a finished exchange to journal, log, metrics and usage. */
export function record(mock: Mock, { exchange, world, subject }: RequestContext): void {
  const now = monotonicMs()
  exchange.ms = now - exchange.startedAt
  const { operation } = exchange
  exchange.endedAt = (subject ?? world).clock.now(now)
  exchange.requestBody = limitBody(exchange.requestBody)
  exchange.responseBody = limitBody(exchange.responseBody)
  mock.feed.write(exchange)
  mock.metrics.answered(exchange, now)
  if (exchange.keyState === 'valid' && operation !== undefined) world.usage.called(exchange)
  if (mock.log.isLevelEnabled('info')) log(mock, exchange)
}

export function log(mock: Mock, exchange: Exchange): void {
  const { status, ms, world } = exchange
  const line = {
    request_id: exchange.requestId,
    job_id: exchange.jobId ?? undefined,
    method: exchange.method,
    url: redactUrl(exchange.url),
    status,
    ms: Math.round(ms * 1000) / 1000,
    world: world.name,
    trace_id: exchange.trace?.traceId,
  }
  if (status >= 500) mock.log.error(line, 'answered')
  else mock.log.info(line, 'answered')
}

/** A long body is copied when it is cut: a slice would keep the whole of it in memory. */
function limitBody<T extends string | Buffer | undefined>(body: T): T | string {
  if (typeof body !== 'string' || body.length <= maxBodyBytes) return body
  return Buffer.from(body.slice(0, maxBodyBytes)).toString()
}
