/** The body of a request whose answer is known already: it is read and thrown away, so that its client gets to see that. */
import type { ServerResponse } from 'node:http'
import type { FastifyRequest } from 'fastify'
import { partDisposition } from '../../base/multipart.ts'
import { typeOfName } from '../../media/video.ts'

/** The head of a form's part is looked for in here. */
const maxHeadBytes = 16 * 1024

/** Reads the body, or its first `bytes`. What is known of an upload goes to the journal. Throws when its client leaves. */
export async function discard({ raw, exchange, headers }: FastifyRequest, bytes?: number): Promise<void> {
  if (raw.readableEnded || raw.complete) return
  const isForm = /^multipart\/form-data/i.test(headers['content-type'] ?? '')
  let head = ''
  let seen = 0
  for await (const chunk of raw.iterator({ destroyOnReturn: false })) {
    seen += chunk.length
    if (isForm && head.length < maxHeadBytes) head += chunk.toString('latin1', 0, maxHeadBytes - head.length)
    if (bytes !== undefined && seen >= bytes) break
  }
  const dispositions = [...head.matchAll(/^content-disposition:(.*)$/gim)].map(([, value = '']) =>
    partDisposition(Buffer.from(value, 'latin1').toString()),
  )
  const name = dispositions.find(({ filename }) => filename !== undefined)?.filename
  if (name === undefined) return
  const claimed = /\r\ncontent-type:\s*([^\r\n;]+)/i.exec(head)?.[1]
  const size = Number(headers['content-length'] ?? seen)
  exchange.upload = { filename: name, size, type: claimed ?? typeOfName(name) ?? 'unknown', sha256: '' }
}

/** Nobody is there any more to be answered. */
export const isGone = (response: ServerResponse): boolean => response.destroyed || response.socket?.destroyed === true
