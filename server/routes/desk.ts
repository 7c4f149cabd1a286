/** GET /__mock/: the desk, by which a person sees and steers the mock. Files that were built (desk/), nothing from another host. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { deskFolder } from '../../base/paths.ts'
import { guardDesk } from '../control/guard.ts'
import type { Mock } from '../mock.ts'
import { openInternal } from '../pipeline/exchange.ts'

/** No script or style that is not a file of ours; nothing is asked of anybody but this mock. */
const policy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src 'self' data: blob:",
  "media-src 'self' blob:",
  "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
].join('; ')

const headers = {
  'content-security-policy': policy,
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
}

export function registerDesk(app: FastifyInstance, mock: Mock, folder = deskFolder): void {
  const onRequest = [openInternal(mock), ...guardDesk(mock)]
  app.get('/__mock/', { onRequest }, (request, reply) => sendDesk(request, reply, folder, 'index.html'))
  app.get<{ Params: { '*': string } }>('/__mock/assets/*', { onRequest }, (request, reply) =>
    sendDesk(request, reply, folder, `assets/${request.params['*']}`),
  )
}

async function sendDesk(
  request: FastifyRequest,
  reply: FastifyReply,
  folder: string,
  path: string,
): Promise<FastifyReply> {
  // Loaded only now: a mock of a test is looked at by nobody.
  const { sendStatic } = await import('./staticFile.ts')
  const sent = await sendStatic(request, reply, folder, path, headers)
  if (sent) return sent
  const isBuilt = existsSync(join(folder, 'index.html'))
  return reply
    .code(404)
    .headers(headers)
    .type('text/plain; charset=utf-8')
    .send(isBuilt ? 'There is no such file.\n' : 'The desk is not built. Build it once: npm run build:desk\n')
}
