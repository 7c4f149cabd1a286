/**
 * Exchanges and webhooks as OpenTelemetry spans, by OTLP over HTTP (--otlp). Made of what the journal has, when it has it, so
 * that a call itself costs one object more; sent in batches by the official SDK. A collector that is slow or gone costs
 * spans, and nothing else. Loaded only when it is asked for.
 */
import { type Attributes, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BasicTracerProvider, BatchSpanProcessor, type SpanExporter } from '@opentelemetry/sdk-trace-base'
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_REQUEST_METHOD_ORIGINAL,
  ATTR_HTTP_REQUEST_RESEND_COUNT,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_HTTP_ROUTE,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_SERVICE_NAME,
  ATTR_SERVICE_VERSION,
  ATTR_URL_FULL,
  ATTR_URL_PATH,
  ATTR_URL_QUERY,
  ATTR_URL_SCHEME,
  ATTR_USER_AGENT_ORIGINAL,
} from '@opentelemetry/semantic-conventions'
import { monotonicMs, realDelay } from '../base/clock.ts'
import { packageVersion } from '../base/paths.ts'
import { redactUrl } from '../base/redaction.ts'
import { routeOf } from '../contracts/operations.ts'
import { faults } from './faults/index.ts'
import type { DeliveryAttempt, Entry, Exchange } from './journal.ts'
import type { JournalReader } from './journalView.ts'
import type { Log } from './log.ts'
import type { TraceSpan } from './trace.ts'

/** Real ms: spans wait so long for others to go with them. */
const gatherMs = 1_000
/** Real ms that a collector has for an answer, tries again included; and that the end of the mock waits for it. */
const answerWithinMs = 2_000
const flushWithinMs = 1_000

export interface SpanSender {
  /** Makes a span of an entry that is complete; what can't be sent is logged once. */
  write(entry: Entry, mock: { log: Log; journal: JournalReader }): void
  /** Sends what is left; gives up after a second. */
  close(): Promise<void>
}

/** `isTls`: whether the mock's own URLs begin with https. */
export function makeSpanSender(url: string, isTls: boolean): SpanSender {
  const inner = new OTLPTraceExporter({ url, timeoutMillis: answerWithinMs })
  const shownUrl = redactUrl(url)
  let log: Log | undefined
  let isTold = false
  const exporter: SpanExporter = {
    export: (spans, done) =>
      inner.export(spans, result => {
        if (result.error !== undefined && !isTold) {
          isTold = true
          log?.warn(
            { otlp: shownUrl },
            `spans can't be sent to ${shownUrl}: ${result.error.message || result.error.name}; it is not said again`,
          )
        }
        done(result)
      }),
    shutdown: () => inner.shutdown(),
    forceFlush: () => inner.forceFlush(),
  }
  /** Ids of the span that is being made: the journal has them already, and webhooks have sent them. */
  let next: TraceSpan | undefined
  const provider = new BasicTracerProvider({
    resource: resourceFromAttributes({
      [ATTR_SERVICE_NAME]: 'understudy-mock',
      [ATTR_SERVICE_VERSION]: packageVersion,
    }),
    spanProcessors: [
      new BatchSpanProcessor(exporter, { scheduledDelayMillis: gatherMs, exportTimeoutMillis: answerWithinMs }),
    ],
    idGenerator: { generateTraceId: () => next?.traceId ?? '', generateSpanId: () => next?.spanId ?? '' },
  })
  const tracer = provider.getTracer('understudy-mock', packageVersion)

  function send(
    own: TraceSpan,
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    endedAt: number,
    ms: number,
    failed: boolean,
  ): void {
    next = own
    const { traceId, parentId: spanId, flags } = own
    const parent =
      spanId === undefined
        ? ROOT_CONTEXT
        : trace.setSpanContext(ROOT_CONTEXT, {
            traceId,
            spanId,
            traceFlags: Number.parseInt(flags, 16),
            isRemote: true,
          })
    const span = tracer.startSpan(name, { kind, attributes, startTime: endedAt - ms }, parent)
    if (failed) span.setStatus({ code: SpanStatusCode.ERROR })
    span.end(endedAt)
  }

  return {
    write(entry, mock) {
      log = mock.log
      // What was lost on purpose, or dropped, was never sent.
      if (entry.trace === undefined || (entry.kind === 'webhook' && entry.requestHeaders.length === 0)) return
      const { name, kind, attributes, failed, endedAt } =
        entry.kind === 'webhook' ? ofWebhook(entry) : ofExchange(entry, isTls)
      const shown = mock.journal.redact(attributes, entry)
      send(entry.trace, name, kind, shown, endedAt, entry.ms, failed)
    },
    async close() {
      const ended = new AbortController()
      const flushed = provider.shutdown().catch(() => {})
      await Promise.race([flushed, realDelay(flushWithinMs, ended.signal)])
      ended.abort()
    },
  }
}

interface SpanFacts {
  name: string
  kind: SpanKind
  attributes: Attributes
  failed: boolean
  /** Real ms since the epoch. */
  endedAt: number
}

/** As the conventions for HTTP servers have it, and beside them what only the mock knows. */
function ofExchange(exchange: Exchange, isTls: boolean): SpanFacts {
  const { status, ruleContext, world, jobId, aborted, startedAt, ms } = exchange
  const route = routeOf(exchange.operation)?.split(' ')[1]
  const method = methods.has(exchange.method) ? exchange.method : '_OTHER'
  const [path = '', query] = redactUrl(exchange.url).split(/\?(.*)/s)
  const fired = ruleContext?.fired
  const fault = exchange.played?.fault ?? fired?.rule.then.fault?.name
  const isCut = status === 0 || (fault !== undefined && faults[fault]?.cuts !== undefined)
  const failed = isCut || status >= 500
  return {
    name: `${method === '_OTHER' ? 'HTTP' : method}${route === undefined ? '' : ` ${route}`}`,
    kind: SpanKind.SERVER,
    failed,
    endedAt: startedAt + ms,
    attributes: {
      [ATTR_HTTP_REQUEST_METHOD]: method,
      [ATTR_HTTP_REQUEST_METHOD_ORIGINAL]: method === '_OTHER' ? exchange.method : undefined,
      [ATTR_HTTP_ROUTE]: route,
      [ATTR_HTTP_RESPONSE_STATUS_CODE]: status === 0 ? undefined : status,
      [ATTR_URL_PATH]: path,
      [ATTR_URL_QUERY]: query || undefined,
      [ATTR_URL_SCHEME]: isTls ? 'https' : 'http',
      [ATTR_USER_AGENT_ORIGINAL]: headerIn(exchange.requestHeaders, 'user-agent'),
      ...addressIn(`${isTls ? 'https' : 'http'}://${headerIn(exchange.requestHeaders, 'host') ?? ''}`),
      [ATTR_ERROR_TYPE]: isCut ? (fault ?? (aborted ? 'client_gone' : '_OTHER')) : failed ? String(status) : undefined,
      'understudy.request_id': exchange.requestId,
      'understudy.world': world.name,
      'understudy.job_id': jobId ?? undefined,
      'understudy.scenario': ruleContext?.decider.scenario.name,
      'understudy.rule': fired?.rule.name,
      'understudy.fault': fault,
      'understudy.delay_ms': fired !== undefined && fired.delayMs > 0 ? Math.round(fired.delayMs) : undefined,
    },
  }
}

/** As those for HTTP clients have it. */
function ofWebhook(attempt: DeliveryAttempt): SpanFacts {
  const { url, status, error, attempt: nth, deliveryId, event, jobId, world, fault } = attempt
  return {
    name: 'POST',
    kind: SpanKind.CLIENT,
    failed: error !== null,
    endedAt: monotonicMs(),
    attributes: {
      [ATTR_HTTP_REQUEST_METHOD]: 'POST',
      [ATTR_HTTP_RESPONSE_STATUS_CODE]: status === 0 ? undefined : status,
      [ATTR_HTTP_REQUEST_RESEND_COUNT]: nth > 1 ? nth - 1 : undefined,
      [ATTR_URL_FULL]: redactUrl(url),
      ...addressIn(url),
      [ATTR_ERROR_TYPE]: error === null ? undefined : status === 0 ? error : String(status),
      'understudy.webhook.event': event,
      'understudy.webhook.delivery_id': deliveryId,
      'understudy.world': world.name,
      'understudy.job_id': jobId,
      'understudy.fault': fault,
    },
  }
}

const methods = new Set(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY'])

function addressIn(url: string): Attributes {
  if (!URL.canParse(url)) return {}
  const { hostname, port, protocol } = new URL(url)
  return { [ATTR_SERVER_ADDRESS]: hostname, [ATTR_SERVER_PORT]: Number(port) || (protocol === 'https:' ? 443 : 80) }
}

function headerIn(pairs: readonly string[], name: string): string | undefined {
  const at = pairs.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === name)
  return at < 0 ? undefined : pairs[at + 1]
}
