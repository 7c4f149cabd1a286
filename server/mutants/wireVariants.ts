/** Variants of how things are written: the same is said, in other bytes, at another pace. */

import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import { laterReal } from '../../base/clock.ts'
import { type Json, type MutableAnswer, onAnswer, onFile } from './change.ts'
import type { Variant } from './mutant.ts'
import { type Mutation, messageOf } from './mutation.ts'
import { onDelivery } from './onDelivery.ts'

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
  grants: 'RFC 8259',
  what,
  apply: mutation =>
    onAnswer(mutation, '*', answer => {
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
function writeNames(mutation: Mutation, write: (name: string) => string): void {
  mutation.showsAt('*')
  mutation.fastify.addHook('onSend', (request, { raw }, payload, done) => {
    mutation.acted(request)
    const writeHead = raw.writeHead.bind(raw) as (status: number, headers: MutableAnswer['headers']) => typeof raw
    raw.writeHead = ((status: number, headers: MutableAnswer['headers'] = {}) =>
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

const pause = (ms: number) => new Promise<undefined>(resolve => laterReal(ms, () => resolve(undefined)))

export const wireVariants: readonly Variant[] = [
  {
    id: 'more-headers',
    grants: 'RFC 9110',
    what: 'answers have headers as a proxy adds them',
    apply: mutation =>
      onAnswer(mutation, '*', ({ status, headers }) => {
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
  {
    id: 'headers-odd-case',
    grants: 'RFC 9110',
    what: "headers' names are in odd case",
    apply: mutation => writeNames(mutation, oddly),
  },
  {
    id: 'slow',
    grants: 'GO-5',
    what: 'every answer takes 20 to 80 ms',
    apply(mutation) {
      let n = 0
      mutation.fastify.addHook('onSend', async request => {
        mutation.acted(request)
        await pause(20 + ((n++ * 37) % 61))
      })
    },
  },
  {
    id: 'few-headers',
    grants: 'RL-2',
    what: 'no header that is not asked for: rate limits on 429 only, no X-Request-Id, no ETag',
    apply(mutation) {
      onAnswer(mutation, '*', ({ status, headers }) => {
        for (const name of status === 429 ? optionalHeaders : [...optionalHeaders, ...limitHeaders])
          delete headers[name]
      })
      onFile(mutation, ({ headers }) => {
        for (const name of [...optionalHeaders, 'etag', 'last-modified']) delete headers[name]
      })
    },
  },
  {
    id: 'files-as-bytes',
    grants: 'DL-3',
    what: 'files are application/octet-stream, to be saved',
    apply: mutation =>
      onFile(mutation, ({ headers }) => {
        headers['content-type'] = 'application/octet-stream'
        headers['content-disposition'] = 'attachment; filename="result"'
      }),
  },
  {
    id: 'chunked',
    grants: 'RFC 9112',
    what: 'JSON comes in chunks, without a Content-Length',
    apply(mutation) {
      mutation.showsAt('*')
      mutation.fastify.addHook('onSend', (request, reply, payload, done) => {
        if (typeof payload !== 'string' && !Buffer.isBuffer(payload)) return done(null, payload)
        const text = Buffer.from(payload)
        mutation.acted(request, messageOf(reply, text.toString()))
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
    grants: 'ERR-1',
    what: 'JSON is application/json without a charset, or with one in capitals for errors',
    apply: mutation =>
      onAnswer(mutation, '*', ({ status, headers }) => {
        headers['content-type'] = status < 300 ? 'application/json' : 'Application/JSON;charset=UTF-8'
      }),
  },
  {
    id: 'webhook-headers-lower-case',
    grants: 'WH-2',
    what: 'the headers of webhooks are in lower case, and there are more of them',
    apply: mutation =>
      onDelivery(mutation, delivery => {
        const lower = Object.entries(delivery.headers).map(([name, value]) => [name.toLowerCase(), value])
        delivery.headers = { ...Object.fromEntries(lower), 'x-webhook-version': '1', accept: '*/*' }
        return undefined
      }),
  },
  {
    id: 'webhook-retries-later',
    grants: 'WH-3',
    what: 'a webhook is sent again a second later than it could be',
    apply: mutation => onDelivery(mutation, ({ attempt }) => (attempt > 1 ? pause(1000) : undefined)),
  },
  {
    id: 'webhook-body-more-fields',
    grants: 'WH-1',
    what: 'webhooks say more than is documented, in lines of their own',
    apply: mutation =>
      onDelivery(mutation, delivery => {
        delivery.json = { id: 'evt_1', ...delivery.json, created: 0 }
        delivery.encode = json => JSON.stringify(json, null, 2)
        return undefined
      }),
  },
  {
    id: 'connection-close',
    grants: 'RFC 9112',
    what: 'every answer ends its connection',
    apply: mutation =>
      onAnswer(mutation, '*', ({ headers }) => {
        headers.connection = 'close'
      }),
  },
  {
    id: 'gzip',
    grants: 'RFC 9110',
    what: 'JSON is compressed where that is asked for',
    apply(mutation) {
      mutation.showsAt('*')
      mutation.fastify.addHook('onSend', (request, reply, payload, done) => {
        const asked = String(request.headers['accept-encoding'] ?? '')
        if (!/\bgzip\b/.test(asked) || (typeof payload !== 'string' && !Buffer.isBuffer(payload)))
          return done(null, payload)
        mutation.acted(request, messageOf(reply, payload.toString()))
        reply.header('content-encoding', 'gzip').header('vary', 'accept-encoding')
        done(null, gzipSync(payload))
      })
    },
  },
]
