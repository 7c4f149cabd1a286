/** 404 for a path that no route has, 405 for one that another method has. */
import type { FastifyRequest } from 'fastify'
import { methodsOf } from '../../contracts/operations.ts'
import { apiError } from '../errors.ts'

export function noRoute(request: FastifyRequest) {
  const path = request.url.split('?', 1)[0] as string
  const allowed = methodsOf(path)
  if (allowed.length === 0 || allowed.includes(request.method)) {
    return apiError('route_not_found', `${request.method} ${path.slice(0, 200)}`)
  }
  return apiError('method_not_allowed', `${request.method} ${path}; expected ${allowed.join(' or ')}`, {
    allow: allowed.join(', '),
  })
}
