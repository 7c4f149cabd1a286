/** GET /api/download/{job_id} (DL-1, DL-2), and the files that its URLs lead to (DL-3). */

import type { IncomingHttpHeaders } from 'node:http'
import type { Socket } from 'node:net'
import { basename, dirname, extname } from 'node:path'
import type { Readable } from 'node:stream'
import { create } from 'content-disposition'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Download } from '../../contracts/schemas.ts'
import { typeOfName } from '../../media/video.ts'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import { openFile } from '../sendFile.ts'
import { outputName } from '../world/jobs.ts'
import { waitForOutput } from './waitForOutput.ts'

/** A call without a key finds any job by its id, as the legacy route needs none (AUTH-2); a key finds only its own. */
export const getDownload =
  ({ worlds }: Mock) =>
  async ({ context, exchange, params }: FastifyRequest<{ Params: { job_id: string } }>): Promise<Download> => {
    const world = exchange.keyState === 'valid' ? context.world : worlds.ofId(params.job_id)
    world?.clock.catchUp()
    const found = world?.jobs.get(params.job_id)
    if (!found) throw apiError('job_not_found')
    if (found.waitsSince !== undefined) await waitForOutput(found, exchange)
    const job = found.view
    exchange.jobId = job.id
    if (job.output_url === null || job.status !== 'completed') throw apiError('job_not_completed')
    return { success: true, download_url: job.output_url, output_format: job.output_format }
  }

interface FileParams {
  Params: { job_id: string; video_id: string; filename: string }
}

export const getOutputFile =
  ({ worlds, outputs }: Mock) =>
  async (request: FastifyRequest<FileParams>, reply: FastifyReply): Promise<FastifyReply> => {
    const { job_id: jobId, filename } = request.params
    const world = worlds.ofId(jobId)
    world?.clock.catchUp()
    const job = world?.jobs.get(jobId)
    if (!world || job?.view.status !== 'completed' || filename !== outputName(job.view.output_format))
      throw apiError('file_not_found')
    request.exchange.jobId = jobId
    const { root, name } = await outputs.file(world, job)
    return sendFile(request, reply, root, name, filename.replace(/^output/, jobId))
  }

/** The same for who looks at the mock: it is no call of the client, so no rule counts it. */
export const showOutputFile =
  ({ worlds, outputs }: Mock) =>
  async (request: FastifyRequest<{ Params: { job_id: string } }>, reply: FastifyReply): Promise<FastifyReply> => {
    const { job_id: jobId } = request.params
    const world = worlds.ofId(jobId)
    world?.clock.catchUp()
    const job = world?.jobs.get(jobId)
    if (!world || job === undefined) throw apiError('job_not_found', `there is no job ${JSON.stringify(jobId)}`)
    if (job.view.status !== 'completed') throw apiError('job_not_completed', `it is ${job.view.status}`)
    const { root, name } = await outputs.file(world, job)
    return sendFile(request, reply, root, name, outputName(job.view.output_format).replace(/^output/, jobId))
  }

export const getUploadedFile =
  ({ uploads }: Mock) =>
  async (request: FastifyRequest<FileParams>, reply: FastifyReply): Promise<FastifyReply> => {
    const { video_id: videoId, filename } = request.params
    const path = await uploads.find(videoId, filename)
    if (path === undefined) throw apiError('file_not_found')
    return sendFile(request, reply, dirname(path), basename(path), uploadName(filename, path))
  }

/** The name that it was sent under; where that doesn't say what it is, with the extension that does. */
function uploadName(filename: string, path: string): string {
  const extension = extname(path)
  return typeOfName(filename) === typeOfName(extension) ? filename : `${filename}${extension}`
}

/**
 * HEAD, ranges, If-Range, ETag and the like; whatever is refused is the envelope. `savedAs` is the name that a browser
 * gives the file when it saves it; inline, so that it plays what it can.
 */
export async function sendFile(
  request: FastifyRequest,
  reply: FastifyReply,
  root: string,
  name: string,
  savedAs: string,
): Promise<FastifyReply> {
  const asked = byRfc9110(request)
  let answer = await openFile(asked, name, root)
  // The last so many bytes of a file that has fewer are all of it (14.1.2); send() finds them unsatisfiable.
  if (answer.statusCode === 416 && /^bytes=-0*[1-9]\d*$/.test(asked.headers.range ?? '')) {
    answer.stream.destroy()
    asked.headers.range = 'bytes=0-'
    answer = await openFile(asked, name, root)
  }
  const { statusCode, headers, stream, type } = answer
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
  closeWith(request.raw.socket, stream)
  if (request.server.links.cors !== 'off') reply.header('vary', 'Origin')
  // What a 304 doesn't repeat, a browser keeps of the answer that it has.
  if (statusCode !== 304) reply.header('content-disposition', create(savedAs, { type: 'inline' }))
  return reply.code(statusCode).headers(headers).send(stream)
}

/** A file of an answer that waits for its turn on a connection is closed when that goes away. */
function closeWith(socket: Socket, stream: Readable): void {
  const close = () => stream.destroy()
  // One for each request that waits on it.
  socket.setMaxListeners(0)
  socket.once('close', close)
  stream.once('close', () => socket.off('close', close))
}

/**
 * The request as send() is to see it, where it differs from RFC 9110: it knows weak ETags only, and takes one where a
 * strong one is asked for (13.1.5); it gives HEAD a range (14.2); and it gives up on If-None-Match where a client says
 * no-cache, as fetch always does beside it.
 */
function byRfc9110({ raw }: FastifyRequest): FastifyRequest['raw'] {
  const headers: IncomingHttpHeaders = { ...raw.headers, 'cache-control': '' }
  const ifRange = headers['if-range'] as string | undefined
  if (ifRange?.startsWith('"')) headers['if-range'] = `W/${ifRange}`
  if (ifRange?.startsWith('W/') || raw.method === 'HEAD') delete headers.range
  return Object.create(raw, { headers: { value: headers } })
}
