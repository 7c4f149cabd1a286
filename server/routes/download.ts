/** GET /api/download/{job_id} (DL-1, DL-2), and the files that its URLs lead to (DL-3). */
import { basename, dirname } from 'node:path'
import send from '@fastify/send'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Download } from '../../contracts/schemas.ts'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import { outputsFolder } from '../paths.ts'
import { outputName } from '../world/jobs.ts'

/** A call without a key finds any job by its id, as the legacy route needs none (AUTH-2); a key finds only its own. */
export const getDownload =
  ({ worlds }: Mock) =>
  async ({ exchange, params }: FastifyRequest<{ Params: { job_id: string } }>): Promise<Download> => {
    const world = exchange.keyState === 'valid' ? exchange.world : worlds.ofId(params.job_id)
    world?.clock.catchUp()
    const job = world?.jobs.get(params.job_id)?.view
    if (!job) throw apiError('job_not_found')
    exchange.jobId = job.id
    if (job.output_url === null || job.status !== 'completed') throw apiError('job_not_completed')
    return { success: true, download_url: job.output_url, output_format: job.output_format }
  }

interface FileParams {
  Params: { job_id: string; video_id: string; filename: string }
}

export const getOutputFile =
  ({ worlds }: Mock) =>
  async (request: FastifyRequest<FileParams>, reply: FastifyReply): Promise<FastifyReply> => {
    const { job_id: jobId, filename } = request.params
    const world = worlds.ofId(jobId)
    world?.clock.catchUp()
    const job = world?.jobs.get(jobId)?.view
    if (job?.status !== 'completed' || filename !== outputName(job.output_format)) throw apiError('file_not_found')
    request.exchange.jobId = jobId
    return sendFile(request, reply, outputsFolder, filename)
  }

export const getUploadedFile =
  ({ uploads }: Mock) =>
  async (request: FastifyRequest<FileParams>, reply: FastifyReply): Promise<FastifyReply> => {
    const path = await uploads.find(request.params.video_id)
    if (path === undefined) throw apiError('file_not_found')
    return sendFile(request, reply, dirname(path), basename(path))
  }

/** HEAD, ranges, If-Range, ETag and the like; whatever is refused is the envelope. */
async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  root: string,
  name: string,
): Promise<FastifyReply> {
  const { statusCode, headers, stream, type } = await send(withStrongEtags(request), name, {
    root,
    cacheControl: false,
  })
  if (type === 'error') {
    stream.destroy()
    if (statusCode === 412) throw apiError('precondition_failed')
    if (statusCode !== 416) throw apiError('file_not_found')
    const { 'Content-Range': size = '' } = headers as Record<string, string>
    throw apiError('range_not_satisfiable', `the file has ${size.replace('bytes */', '')} bytes`, {
      'content-range': size,
    })
  }
  // These files never change under their URL, so their ETag is a strong one: only with that may a client resume.
  if (headers.ETag) headers.ETag = headers.ETag.replace(/^W\//, '')
  return reply.code(statusCode).headers(headers).send(stream)
}

/** send() knows weak ETags only, and would take one where RFC 9110 asks for a strong one (13.1.5). */
function withStrongEtags({ raw }: FastifyRequest): FastifyRequest['raw'] {
  const ifRange = raw.headers['if-range'] as string | undefined
  if (ifRange === undefined || !ifRange.includes('"')) return raw
  const asked = ifRange.startsWith('W/')
    ? { ...raw.headers, range: undefined }
    : { ...raw.headers, 'if-range': `W/${ifRange}` }
  return Object.create(raw, { headers: { value: asked } })
}
