/** A file that was built for browsers: with an ETag, and kept for long where its name changes with what is in it. */
import type { IncomingHttpHeaders } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { openFile } from '../sendFile.ts'

/** Sends the file at `path` below `root`; undefined where there is none. `isWhole`: whatever the browser has of it. */
export async function sendStatic(
  { raw }: FastifyRequest,
  reply: FastifyReply,
  root: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  isWhole = false,
): Promise<FastifyReply | undefined> {
  // The names of these change with what is in them.
  const cacheControl = path.startsWith('assets/') ? 'public, max-age=31536000, immutable' : 'no-cache'
  const { 'if-none-match': match, 'if-modified-since': since } = raw.headers
  const known = isWhole ? {} : { 'if-none-match': match, 'if-modified-since': since }
  const file = await openFile(asking(raw, known), `/${encodeURI(path)}`, root)
  if (file.type === 'file')
    return reply
      .code(isWhole ? reply.statusCode : file.statusCode)
      .headers({ ...file.headers, 'cache-control': cacheControl, ...headers })
      .send(file.stream)
  file.stream.destroy()
  return undefined
}

/** The request with no headers but these: pages are sent whole or not at all. */
const asking = (raw: FastifyRequest['raw'], headers: IncomingHttpHeaders): FastifyRequest['raw'] =>
  Object.create(raw, { headers: { value: headers } })
