/** The body of an upload: a form, whose parts are read as they are asked for. */
import type { Readable } from 'node:stream'
import type { FastifyRequest } from 'fastify'
import { FormReader } from '../../base/form.ts'
import { boundaryOf } from '../../base/multipart.ts'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'

/** One file, and what texts a client may add. */
const maxParts = 52

/** The content type parser of forms: a request's body is its parts. A part over `maxUploadBytes` is refused (ERR-4). */
export function formParser({ config }: Mock) {
  const limits = { maxParts, maxPartBytes: config.maxUploadBytes, tooLarge }
  return ({ headers }: FastifyRequest, body: Readable, done: (error: Error | null, form?: unknown) => void): void => {
    const boundary = boundaryOf(headers['content-type'] ?? '')
    if (boundary === undefined) done(apiError('invalid_upload', 'its Content-Type has no boundary'))
    else done(null, new FormReader(body, boundary, limits).parts())
  }
}

export const tooLarge = (maxBytes: number) => apiError('file_too_large', `expected at most ${maxBytes} bytes`)
