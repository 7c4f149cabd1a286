/** A file as an answer: its status, headers and bytes, by @fastify/send, which is loaded with the first file. */
import { once } from 'node:events'
import { ReadStream } from 'node:fs'
import type { IncomingMessage } from 'node:http'
import type { SendResult } from '@fastify/send'
import { lazy } from '../base/lazy.ts'

const loadSend = lazy(() => import('./send.ts'))

/**
 * What the file `name` below `root` answers to the request. It is open when this resolves: a file that is removed from then
 * on, as by a reset, is sent to its end; one that was removed just before is answered as one that never was.
 */
export async function openFile(request: IncomingMessage, name: string, root: string): Promise<SendResult> {
  const { send } = await loadSend()
  const answer = await send(request, name, { root, cacheControl: false })
  if (!(answer.stream instanceof ReadStream)) return answer
  try {
    if (answer.stream.pending) await once(answer.stream, 'open')
    return answer
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    return send(request, name, { root, cacheControl: false })
  }
}
