/** Uploads (UP-1 to UP-4), their two documented refusals (ERR-4), and the clips of GO-6. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import type { MultipartFile } from '@fastify/multipart'
import type { FastifyRequest } from 'fastify'
import { packageRoot } from '../../base/paths.ts'
import type { VideoType } from '../../contracts/schemas.ts'
import { ApiError, apiError } from '../errors.ts'
import type { Received } from '../uploads.ts'
import {
  afterKey,
  beforeRoute,
  changeConfig,
  type Json,
  onAnswer,
  onCase,
  onNewJob,
  restatusCase,
  rewriteJson,
} from './change.ts'
import type { Mutant } from './mutant.ts'
import type { Mutation } from './mutation.ts'

const routes = ['uploadVideo', 'uploadVideoLegacy'] as const

/** The answer with one thing of it wrong. */
const wrong = (id: string, what: string, change: (upload: Json) => void): Mutant => ({
  id: `upload-${id}`,
  breaks: ['UP-3'],
  what,
  apply: mutation => rewriteJson(mutation, routes, change),
})

/** One of the documented types isn't taken. */
const refused = (name: string, type: VideoType): Mutant => ({
  id: `upload-${name}-refused`,
  breaks: ['UP-2'],
  what: `${type} is refused`,
  apply: mutation =>
    onReceive(mutation, async ({ receive, acted }) => {
      const received = await receive()
      if (received.type !== type) return received
      acted()
      await mutation.mock.uploads.drop(received)
      throw apiError('invalid_file_type')
    }),
})

const gone = (operation: (typeof routes)[number], route: string): Mutant => ({
  id: `${operation}-gone`,
  breaks: ['UP-1'],
  also: [
    'UP-2',
    'UP-3',
    'UP-4',
    ...(operation === 'uploadVideo' ? (['GO-1', 'ID-1'] as const) : (['ERR-4', 'AUTH-2'] as const)),
  ],
  what: `${route} is gone`,
  apply: mutation =>
    afterKey(mutation, operation, () => {
      throw apiError('route_not_found')
    }),
})

interface Receiving {
  receive: () => Promise<Received>
  stream: Readable
  filename: string
  /** The part's Content-Type. */
  claimed: string | undefined
  /** Its request is answered otherwise. */
  acted: () => void
}

/** Puts something around the receiving of a file. */
function onReceive(mutation: Mutation, act: (receiving: Receiving) => Promise<Received>): void {
  const { uploads } = mutation.mock
  const requests = new WeakMap<Readable, FastifyRequest>()
  beforeRoute(mutation, routes, request => {
    const { parts } = request
    request.parts = async function* (this: typeof request, options: Parameters<typeof parts>[0]) {
      for await (const part of parts.call(this, options)) {
        if (part.type === 'file') requests.set(part.file, request)
        yield part
      }
    } as typeof parts
  })
  const receive = uploads.receive.bind(uploads)
  uploads.receive = (stream, filename, claimed) => {
    const request = requests.get(stream)
    const acted = () => request && mutation.acted(request)
    return act({ receive: () => receive(stream, filename, claimed), stream, filename, claimed, acted })
  }
}

/** Takes what is not a video for one, and says its true name and size. */
function acceptEverything(mutation: Mutation): void {
  const { uploads } = mutation.mock
  const take = uploads.receive.bind(uploads)
  const clip = readFileSync(join(packageRoot, 'fixtures/clips/short.mp4'))
  onReceive(mutation, async ({ stream, filename, acted }) => {
    const bytes = await buffer(stream)
    try {
      return { ...(await take(Readable.from([bytes]), 'clip.mp4', undefined)), filename }
    } catch (error) {
      if (!(error instanceof ApiError) || error.case !== 'invalid_file_type') throw error
      acted()
      return { ...(await take(Readable.from([clip]), 'clip.mp4', undefined)), filename, size: bytes.length }
    }
  })
}

export const uploadMutants: readonly Mutant[] = [
  {
    id: 'upload-any-type-accepted',
    breaks: ['UP-2'],
    also: ['ERR-4', 'UP-4'],
    what: 'a file that is not a video is taken',
    apply: acceptEverything,
  },
  {
    id: 'upload-invalid-type-415',
    breaks: ['ERR-4'],
    also: ['ERR-5'],
    what: 'Invalid file type is answered 415',
    apply: mutation => restatusCase(mutation, routes, 'invalid_file_type', 415),
  },
  {
    id: 'upload-too-large-accepted',
    breaks: ['UP-2'],
    also: ['ERR-4', 'ERR-5'],
    what: 'a file may be as large as it likes',
    apply(mutation) {
      const { maxUploadBytes } = mutation.mock.config
      changeConfig(mutation, { maxUploadBytes: 2 ** 40 })
      onAnswer(mutation, routes, ({ body }, request) => {
        if (body.size > maxUploadBytes) mutation.acted(request)
      })
    },
  },
  {
    id: 'upload-too-large-413',
    breaks: ['ERR-5'],
    also: ['ERR-4'],
    what: 'File too large is answered 413',
    apply: mutation => restatusCase(mutation, routes, 'file_too_large', 413),
  },
  {
    id: 'upload-untyped-refused',
    breaks: ['UP-4'],
    what: 'a file part without a Content-Type is refused',
    apply: mutation =>
      onReceive(mutation, async ({ receive, acted, stream, claimed }) => {
        if (claimed !== undefined) return receive()
        acted()
        stream.resume()
        throw apiError('invalid_file_type')
      }),
  },
  refused('webm', 'video/webm'),
  refused('mov', 'video/quicktime'),
  refused('avi', 'video/x-msvideo'),
  wrong('size-off', 'size counts one byte too many', upload => {
    upload.size++
  }),
  wrong('size-text', 'size is a text', upload => {
    upload.size = String(upload.size)
  }),
  wrong('filename-own', 'filename is not the one that was sent', upload => {
    upload.filename = 'upload.bin'
  }),
  wrong('url-missing', 'there is no video_url', upload => {
    delete upload.video_url
  }),
  wrong('success-text', 'success is a text', upload => {
    upload.success = 'true'
  }),
  {
    id: 'upload-legacy-id-missing',
    breaks: ['UP-3'],
    what: 'POST /api/upload gives no video_id',
    apply: mutation =>
      rewriteJson(mutation, 'uploadVideoLegacy', upload => {
        delete upload.video_id
      }),
  },
  {
    id: 'upload-legacy-other-field',
    breaks: ['UP-1'],
    also: ['UP-3', 'UP-4'],
    what: 'POST /api/upload wants the file in the field "video"',
    apply: mutation =>
      beforeRoute(mutation, 'uploadVideoLegacy', request => {
        const { parts } = request
        const named: Record<string, string> = { file: 'other', video: 'file' }
        request.parts = async function* (this: typeof request, options: Parameters<typeof parts>[0]) {
          for await (const part of parts.call(this, options)) {
            mutation.acted(request)
            yield Object.assign(part, { fieldname: named[part.fieldname] ?? part.fieldname }) as MultipartFile
          }
        } as typeof parts
      }),
  },
  {
    id: 'upload-without-file-accepted',
    breaks: ['UP-1'],
    what: 'a form without a file is taken',
    apply: mutation =>
      onCase(mutation, routes, 'invalid_upload', answer => {
        if (!answer.body.error.message.includes('is missing')) return
        answer.status = 200
        answer.body = { success: true, video_id: 'vid_0', video_url: 'http://127.0.0.1/vid_0', filename: '', size: 0 }
      }),
  },
  gone('uploadVideo', 'POST /v1/uploads'),
  gone('uploadVideoLegacy', 'POST /api/upload'),
  {
    id: 'longer-clips-fail',
    breaks: ['GO-6'],
    also: ['GO-5'],
    what: 'the job of an uploaded clip of more than 10 s fails',
    apply: mutation =>
      onNewJob(mutation, job => {
        if (job.view.video_url.includes('/files/uploads/') && (job.durationMs ?? 0) > 10_000) {
          job.plan = { ...job.plan, outcome: 'failed' }
          mutation.showsWhere(['getJob', 'listJobs'], text => text.includes(job.view.id) && text.includes('"failed"'))
        }
      }),
  },
]
