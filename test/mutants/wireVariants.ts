/** Variants of how things are written: the same is said, in other bytes, at another pace. */
import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import type { App } from '../../server/app.ts'
import { onDelivery } from './relay.ts'
import { type Answer, type Json, onAnswer, onFile, type Variant } from './tools.ts'

const limitHeaders = [
  'ratelimit',
  'ratelimit-policy',
  'x-ratelimit-limit',
  'x-ratelimit-remaining',
  'x-ratelimit-reset',
]
const optionalHeaders = ['x-request-id', 'idempotency-replayed']

/** JSON written otherwise; what it says stays the same. */
const written = (id: string, what: string, write: (body: Json) => string): Variant => ({
  id,
  what,
  apply: app =>
    onAnswer(app, '*', answer => {
      answer.body = write(answer.body)
    }),
})

function reversed(value: Json): Json {
  if (Array.isArray(value)) return value.map(reversed)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([name, inner]) => [name, reversed(inner)]),
  )
}

/** Header names as they are written on the wire: Fastify knows them in lower case only. */
function writeNames({ fastify }: App, write: (name: string) => string): void {
  fastify.addHook('onSend', (_request, { raw }, payload, done) => {
    const writeHead = raw.writeHead.bind(raw) as (status: number, headers: Answer['headers']) => typeof raw
    raw.writeHead = ((status: number, headers: Answer['headers'] = {}) =>
      writeHead(
        status,
        Object.fromEntries(Object.entries(headers).map(([name, value]) => [write(name), value])),
      )) as typeof raw.writeHead
    const setHeader = raw.setHeader.bind(raw)
    raw.setHeader = (name, value) => setHeader(write(name), value)
    done(null, payload)
  })
}

const oddly = (name: string): string => [...name].map((c, i) => (i % 3 === 0 ? c.toUpperCase() : c)).join('')

const pause = (ms: number) => new Promise<undefined>(resolve => setTimeout(resolve, ms, undefined))

export const wireVariants: readonly Variant[] = [
  {
    id: 'more-headers',
    what: 'answers have headers as a proxy adds them',
    apply: app =>
      onAnswer(app, '*', ({ status, headers }) => {
        Object.assign(headers, {
          server: 'cloud',
          via: '1.1 edge',
          vary: 'Accept-Encoding',
          'strict-transport-security': 'max-age=31536000',
          'cache-control': 'no-store',
          'set-cookie': ['lb=1; Path=/', 'lb2=2; Path=/'],
          ...(status === 401 && { 'www-authenticate': 'ApiKey realm="api"' }),
        })
      }),
  },
  { id: 'headers-odd-case', what: "headers' names are in odd case", apply: app => writeNames(app, oddly) },
  {
    id: 'slow',
    what: 'every answer takes 20 to 80 ms',
    apply(app) {
      let n = 0
      app.fastify.addHook('onSend', async () => {
        await pause(20 + ((n++ * 37) % 61))
      })
    },
  },
  {
    id: 'few-headers',
    what: 'no header that is not asked for: rate limits on 429 only, no X-Request-Id, no ETag',
    apply(app) {
      onAnswer(app, '*', ({ status, headers }) => {
        for (const name of status === 429 ? optionalHeaders : [...optionalHeaders, ...limitHeaders])
          delete headers[name]
      })
      onFile(app, ({ headers }) => {
        for (const name of [...optionalHeaders, 'etag', 'last-modified']) delete headers[name]
      })
    },
  },
  {
    id: 'files-as-bytes',
    what: 'files are application/octet-stream, to be saved',
    apply: app =>
      onFile(app, ({ headers }) => {
        headers['content-type'] = 'application/octet-stream'
        headers['content-disposition'] = 'attachment; filename="result"'
      }),
  },
  {
    id: 'chunked',
    what: 'JSON comes in chunks, without a Content-Length',
    apply({ fastify }) {
      fastify.addHook('onSend', (request, reply, payload, done) => {
        if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return done(null, payload)
        const text = Buffer.from(payload)
        reply.removeHeader('content-length')
        if (request.method === 'HEAD') return done(null, payload)
        done(null, Readable.from([text.subarray(0, 9), text.subarray(9)].filter(({ length }) => length > 0)))
      })
    },
  },
  written('keys-reversed', 'the members of JSON objects come in another order', body => JSON.stringify(reversed(body))),
  written('json-pretty', 'JSON has line breaks', body => `\r\n${JSON.stringify(body, null, '\t')}\n`),
  {
    id: 'json-without-charset',
    what: 'JSON is application/json without a charset, or with one in capitals for errors',
    apply: app =>
      onAnswer(app, '*', ({ status, headers }) => {
        headers['content-type'] = status < 300 ? 'application/json' : 'Application/JSON;charset=UTF-8'
      }),
  },
  {
    id: 'webhook-headers-lower-case',
    what: 'the headers of webhooks are in lower case, and there are more of them',
    apply: app =>
      onDelivery(app, delivery => {
        const lower = Object.entries(delivery.headers).map(([name, value]) => [name.toLowerCase(), value])
        delivery.headers = { ...Object.fromEntries(lower), 'x-webhook-version': '1', accept: '*/*' }
        return undefined
      }),
  },
  {
    id: 'webhook-retries-later',
    what: 'a webhook is sent again a second later than it could be',
    apply: app => onDelivery(app, ({ attempt }) => (attempt > 1 ? pause(1000) : undefined)),
  },
  {
    id: 'webhook-body-more-fields',
    what: 'webhooks say more than is documented, in lines of their own',
    apply: app =>
      onDelivery(app, delivery => {
        delivery.json = { id: 'evt_1', ...delivery.json, created: 0 }
        delivery.encode = json => JSON.stringify(json, null, 2)
        return undefined
      }),
  },
  {
    id: 'connection-close',
    what: 'every answer ends its connection',
    apply: app =>
      onAnswer(app, '*', ({ headers }) => {
        headers.connection = 'close'
      }),
  },
  {
    id: 'gzip',
    what: 'JSON is compressed where that is asked for',
    apply({ fastify }) {
      fastify.addHook('onSend', (request, reply, payload, done) => {
        const asked = String(request.headers['accept-encoding'] ?? '')
        if (!/\bgzip\b/.test(asked) || (typeof payload !== 'string' && !Buffer.isBuffer(payload)))
          return done(null, payload)
        reply.header('content-encoding', 'gzip').header('vary', 'accept-encoding')
        done(null, gzipSync(payload))
      })
    },
  },
]
