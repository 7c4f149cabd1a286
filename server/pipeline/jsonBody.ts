/** The parser of JSON bodies, and the refusal of all that is not JSON where JSON is expected. */
import { isUtf8 } from 'node:buffer'
import type { IncomingMessage } from 'node:http'
import type { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { keepExact } from '../../base/exactNumbers.ts'
import { apiError } from '../errors.ts'
import { refuseDeepJson } from './validation.ts'

/** What is not JSON is refused, unless there is nothing: a type belongs to content (RFC 9110, 8.3). */
export function refuseContentType(
  request: FastifyRequest,
  body: Readable,
  done: (error: Error | null, body?: undefined) => void,
): void {
  const found = (chunk?: unknown) => {
    body.off('data', found).off('end', found)
    if (chunk === undefined) done(null, undefined)
    else done(unsupportedContentType(request))
  }
  body.on('data', found).on('end', found)
}

/** The same for who says at once that nothing follows; a wrong type would be refused before anybody looks. */
export function forgetTypeOfNothing({ headers }: IncomingMessage): void {
  if (headers['content-length'] === '0') delete headers['content-type']
}

export function unsupportedContentType(request: FastifyRequest) {
  const isUpload = request.exchange.operation?.startsWith('uploadVideo')
  const found = request.headers['content-type'] ?? 'missing'
  const expected = isUpload ? 'multipart/form-data' : 'application/json'
  return apiError('unsupported_media_type', `Content-Type is ${found.slice(0, 80)}; expected ${expected}`)
}

export function jsonParser(app: FastifyInstance) {
  const parse = app.getDefaultJsonParser('error', 'error')
  return (request: FastifyRequest, bytes: Buffer, done: (error: Error | null, body?: unknown) => void): void => {
    if (!isUtf8(bytes)) return done(apiError('invalid_json', 'the body is not UTF-8'))
    const body = bytes.toString()
    request.exchange.requestBody = body
    // A client may announce JSON and send none: the schema says whether a body was needed.
    if (body === '') return done(null, undefined)
    parse(request, body, (error, parsed) => {
      if (error) return done(apiError('invalid_json', whyInvalid(body)))
      try {
        refuseDeepJson(parsed)
        keepExact(parsed, body)
        done(null, parsed)
      } catch (deep) {
        done(deep as Error)
      }
    })
  }
}

/** What the engine's own parser says; it takes what the safe one refuses for its field names. */
function whyInvalid(body: string): string {
  try {
    JSON.parse(body)
    return 'the field names __proto__ and constructor are not taken'
  } catch (error) {
    return (error as Error).message.slice(0, 200)
  }
}
