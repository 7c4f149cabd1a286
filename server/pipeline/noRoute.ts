/** 404 for a path that no route has, 405 for one that another method has. */
import type { FastifyRequest, RouteOptions } from 'fastify'
import { type ApiError, apiError } from '../errors.ts'

/** Every route that there is, those of the API and the mock's own, each with its methods. */
export class KnownRoutes {
  readonly #methods = new Map<string, Set<string>>()

  /** For the hook onRoute. */
  add({ url, method }: Pick<RouteOptions, 'url' | 'method'>): void {
    const methods = this.#methods.get(url) ?? new Set()
    for (const each of [method].flat()) methods.add(each)
    this.#methods.set(url, methods)
  }

  /** The methods that a path knows; none when it is unknown. */
  methodsOf(path: string): string[] {
    const known = [...this.#methods].filter(([url]) => isAt(url, path))
    return [...new Set(known.flatMap(([, methods]) => [...methods]))]
  }
}

/** Whether a path is that of a route: /v1/jobs/job_1 of /v1/jobs/:job_id, all below /docs/guide of /docs/guide/*. */
function isAt(url: string, path: string): boolean {
  if (url.endsWith('/*')) return path.startsWith(url.slice(0, -1))
  const [wanted, found] = [url.split('/'), path.split('/')]
  const fits = (part: string, i: number) => (part.startsWith(':') ? found[i] !== '' : found[i] === part)
  return wanted.length === found.length && wanted.every(fits)
}

export function noRoute(request: FastifyRequest, routes: KnownRoutes): ApiError {
  const path = request.url.split('?', 1)[0] as string
  const allowed = routes.methodsOf(path)
  if (allowed.length === 0 || allowed.includes(request.method)) {
    return apiError('route_not_found', `${request.method} ${path.slice(0, 200)}`)
  }
  return apiError('method_not_allowed', `${request.method} ${path}; expected ${allowed.join(' or ')}`, {
    allow: allowed.join(', '),
  })
}
