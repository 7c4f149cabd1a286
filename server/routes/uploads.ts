/** POST /v1/uploads and POST /api/upload: one file, streamed to disk, sniffed and measured (UP-1 to UP-4, ID-1). */
import { hash } from 'node:crypto'
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { Upload } from '../../contracts/schemas.ts'
import { typeOfName } from '../../media/video.ts'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import { type FormPart, readForm, tooLarge } from '../pipeline/form.ts'
import { replayFirstAnswer } from '../pipeline/idempotency.ts'
import { readByRule } from '../pipeline/scenario.ts'
import type { Received } from '../uploads.ts'
import { ownBaseUrl } from './baseUrl.ts'

/** What a multipart form may add to the file, for a declared size to be believed. */
const formOverheadBytes = 64 * 1024
const maxNameLength = 3000
/** A second file is let in to be told of. */
const formLimits = { files: 2, fields: 50, parts: 52 }

/** Refuses what can't succeed before its body is sent: no credits, or too large by its own account. */
export function refuseDoomedUpload({ config }: Mock) {
  return (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    if (request.context.account.credits.available <= 0) {
      return done(apiError('insufficient_credits', 'the key has none'))
    }
    const declared = Number(request.headers['content-length'])
    done(declared > config.maxUploadBytes + formOverheadBytes ? tooLarge(config.maxUploadBytes) : undefined)
  }
}

export function upload({ config, uploads }: Mock) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<Upload | FastifyReply> => {
    const { context, exchange } = request
    const { jobs } = context.world
    const received = await receiveOne(request, reply, config.maxUploadBytes)
    if (context.world.jobs !== jobs) {
      await uploads.drop(received)
      throw apiError('invalid_upload', 'its world was reset while the file arrived; send it again')
    }
    const { filename, size, sha256, type } = received
    exchange.upload = { filename, size, type, sha256 }
    if (context.idempotencyKey !== undefined) {
      context.fingerprint = hash('sha256', `${sha256} ${filename}`)
      try {
        const first = context.world.idempotency.match(context.idempotencyKey, context.fingerprint)
        if (first) {
          await uploads.drop(received)
          return replayFirstAnswer(reply, first.answer as string)
        }
      } catch (error) {
        await uploads.drop(received)
        throw error
      }
    }
    const videoId = await uploads.keep(context.world, received)
    const videoUrl = `${ownBaseUrl(request)}/files/uploads/${videoId}/${encodeURIComponent(filename)}`
    return { success: true, video_id: videoId, video_url: videoUrl, filename, size }
  }

  /** The form's one file. Anything else in the form than one file named "file" is refused, and nothing kept. */
  async function receiveOne(request: FastifyRequest, reply: FastifyReply, maxBytes: number): Promise<Received> {
    let received: Received | undefined
    try {
      for await (const part of readForm(request, { ...formLimits, fileSize: maxBytes })) {
        const { name, file } = part
        if (file === undefined) {
          if (name === 'file') throw apiError('invalid_upload', 'the field "file" is a text; expected a file')
          continue
        }
        if (name !== 'file') {
          throw apiError('invalid_upload', `the file is in the field ${JSON.stringify(name)}; expected "file"`)
        }
        if (received) throw apiError('invalid_upload', 'there are two files; expected one')
        request.exchange.upload = noteOf(part, request)
        received = await uploads.receive(readByRule(request, reply, file), nameOf(part), claimOf(part))
        if (file.truncated) throw tooLarge(maxBytes)
      }
    } catch (error) {
      // The rest of the body is read and thrown away: a client that is still sending gets to see the answer.
      request.raw.unpipe()
      request.raw.resume()
      if (received) await uploads.drop(received)
      throw isBrokenForm(error) ? apiError('invalid_upload', `the multipart form is broken: ${error.message}`) : error
    }
    if (!received) throw apiError('invalid_upload', 'the field "file" is missing; expected a video')
    return received
  }
}

/** The file's name: it becomes a part of its video_url, which POST /v1/jobs has to take. */
function nameOf({ filename = '' }: FormPart): string {
  // Some say the folder that it lay in; what is nothing but dots is one.
  const [last = ''] = /[^/\\]*$/.exec(filename) ?? []
  const name = /^\.{1,2}$/.test(last) ? '' : last.toWellFormed()
  const { length } = encodeURIComponent(name)
  if (length <= maxNameLength) return name
  throw apiError(
    'invalid_upload',
    `the file's name takes ${length} characters in a URL; expected at most ${maxNameLength}`,
  )
}

/** UP-4: the part's Content-Type, if the client sent one; text/plain is what some write for want of a better. */
const claimOf = ({ type }: FormPart): string | undefined => (type === 'text/plain' ? undefined : type)

/** What is known of a file before it is there: the journal tells of a refused one too. */
const noteOf = (part: FormPart, { headers }: FastifyRequest) => ({
  filename: part.filename ?? '',
  size: Number(headers['content-length'] ?? 0),
  type: claimOf(part) ?? typeOfName(part.filename ?? '') ?? 'unknown',
  sha256: '',
})

/** What the form's parser throws, or a client that went away; a disk that fails is neither, and is our own error. */
const isBrokenForm = (error: unknown): error is Error =>
  error instanceof Error && error.constructor === Error && !('statusCode' in error) && !('syscall' in error)
