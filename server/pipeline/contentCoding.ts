/** Packed bodies (Content-Encoding): JSON is unpacked within its size limit; what can't be is refused with what can (RFC 9110, 12.5.3). */
import type { Duplex } from 'node:stream'
import zlib from 'node:zlib'
import type { FastifyRequest, preParsingHookHandler } from 'fastify'
import { ApiError, apiError } from '../errors.ts'

/** Node has zstd from 22.15. */
const createZstd = (zlib as { createZstdDecompress?: () => Duplex }).createZstdDecompress
const codings: Record<string, () => Duplex> = {
  gzip: zlib.createGunzip,
  'x-gzip': zlib.createGunzip,
  deflate: zlib.createInflate,
  br: zlib.createBrotliDecompress,
  ...(createZstd && { zstd: createZstd }),
}
const accepted = Object.keys(codings)
  .filter(name => name !== 'x-gzip')
  .join(', ')

/** The codings of a body, in the order in which they were applied. */
const codingsOf = ({ raw }: FastifyRequest): string[] =>
  (raw.headers['content-encoding'] ?? '')
    .toLowerCase()
    .split(',')
    .map(name => name.trim())
    .filter(name => name !== '' && name !== 'identity')

const refused = (found: string[], taken: string): ApiError =>
  apiError('unsupported_media_type', `Content-Encoding is ${found.join(', ').slice(0, 80)}; expected ${taken}`, {
    'accept-encoding': taken,
  })

/** Unpacks a JSON body, before Fastify counts and parses it. */
export const unpack: preParsingHookHandler = (request, _reply, payload, done) => {
  if (request.raw.headers['content-encoding'] === undefined) return done(null, payload)
  const found = codingsOf(request)
  if (found.length === 0) return done(null, payload)
  const [name = '', ...more] = found
  const make = codings[name]
  // Nobody packs twice, and each layer multiplies what a few bytes can become.
  if (make === undefined || more.length > 0) return done(refused(found, accepted))
  const unpacked = make() as Duplex & { receivedEncodedLength?: number }
  unpacked.receivedEncodedLength = 0
  // First, so that what Fastify passes on says it in words.
  unpacked.once('error', error => {
    if (error instanceof ApiError) return
    error.message = `the body is not ${name}, which its Content-Encoding says (${error.message})`
  })
  payload.on('data', (chunk: Buffer) => {
    unpacked.receivedEncodedLength = (unpacked.receivedEncodedLength ?? 0) + chunk.length
  })
  payload.once('error', error => unpacked.destroy(error))
  done(null, payload.pipe(unpacked))
}

/** A form's videos are packed already: it is taken as it is only. */
export const refusePacked: preParsingHookHandler = (request, _reply, payload, done) => {
  const found = codingsOf(request)
  if (found.length === 0) done(null, payload)
  else done(refused(found, 'identity'))
}
