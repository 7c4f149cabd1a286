/** The parser of JSON bodies, and the refusal of all that is not JSON where JSON is expected. */
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { apiError } from '../errors.ts'
import { refuseDeepJson } from './validation.ts'

export const refuseContentType = (request: FastifyRequest, _body: unknown, done: (error: Error) => void): void =>
  done(unsupportedContentType(request))

export function unsupportedContentType(request: FastifyRequest) {
  const isUpload = request.exchange.operation?.startsWith('uploadVideo')
  const found = request.headers['content-type'] ?? 'missing'
  const expected = isUpload ? 'multipart/form-data' : 'application/json'
  return apiError('unsupported_media_type', `Content-Type is ${found.slice(0, 80)}; expected ${expected}`)
}

export function jsonParser(app: FastifyInstance) {
  const parse = app.getDefaultJsonParser('error', 'error')
  return (request: FastifyRequest, body: string, done: (error: Error | null, body?: unknown) => void): void => {
    request.exchange.requestBody = body
    // A client may announce JSON and send none: the schema says whether a body was needed.
    if (body === '') return done(null, undefined)
    parse(request, body, (error, parsed) => {
      if (error) return done(apiError('invalid_json', whyInvalid(body)))
      try {
        refuseDeepJson(parsed)
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
