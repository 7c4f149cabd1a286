/** 404 for a path that no route has, 405 for one that another method has. */
import type { FastifyRequest } from 'fastify'
import { apiError } from '../errors.ts'
import { methodsOf } from '../routes/index.ts'

export function noRoute(request: FastifyRequest) {
  // The target may come in absolute form (RFC 9112, 3.2.2).
  const path = request.url.replace(/^https?:\/\/[^/?]*/i, '').split('?', 1)[0] as string
  const allowed = methodsOf(path)
  if (allowed.length === 0 || allowed.includes(request.method)) {
    return apiError('route_not_found', `${request.method} ${path.slice(0, 200)}`)
  }
  return apiError('method_not_allowed', `${request.method} ${path}; expected ${allowed.join(' or ')}`, {
    allow: allowed.join(', '),
  })
}
