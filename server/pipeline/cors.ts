/**
 * Cross-origin reading (CORS): a page in a browser may call the mock. Each answer to a request with an Origin that is
 * allowed has the headers, errors and faults included; a preflight is answered 204 for every route that there is.
 */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isLoopback } from '../../base/loopback.ts'
import { methodsOf, operationsAt } from '../../contracts/operations.ts'
import type { Mock } from '../mock.ts'

/** What the documented calls send, and those to the mock itself. */
const requestHeaders = [
  'Accept',
  'Content-Type',
  'X-Api-Key',
  'Idempotency-Key',
  'Range',
  'If-None-Match',
  'If-Modified-Since',
  'If-Range',
  'traceparent',
  'tracestate',
  'X-Mock-World',
  'X-Mock-Scenario',
  'X-Mock-Fault',
  'X-Mock-Mutant',
  'X-Admin-Token',
]
/** What a page may read beyond the few that it always may. */
const responseHeaders = [
  'X-Request-Id',
  'Retry-After',
  'RateLimit',
  'RateLimit-Policy',
  'X-RateLimit-Limit',
  'X-RateLimit-Remaining',
  'X-RateLimit-Reset',
  'Idempotency-Replayed',
  'Location',
  'Allow',
  'ETag',
  'Accept-Ranges',
  'Content-Range',
  'Content-Length',
  'Content-Disposition',
  'X-Mock-Scenario',
  'X-Mock-Rule',
  'X-Mock-Mutant',
  'X-Mock-Replay',
].join(', ')
const preflightSeconds = 600

/** Whether pages of an origin may read answers. `allowed` is the option --cors. */
export function isOriginAllowed(origin: string, allowed: string): boolean {
  if (allowed === 'off') return false
  if (allowed === 'any') return true
  if (allowed === 'loopback') return URL.canParse(origin) && isLoopback(new URL(origin).hostname)
  return allowed.split(',').includes(origin.toLowerCase())
}

/** Sets the headers by which a page of `origin` may read the answer. */
export function readableFor(origin: string, allowed: string, reply: FastifyReply): boolean {
  if (allowed === 'off') return false
  reply.header('vary', 'Origin')
  if (!isOriginAllowed(origin, allowed)) return false
  reply.header('access-control-allow-origin', origin)
  reply.header('access-control-expose-headers', responseHeaders)
  return true
}

/**
 * Answers a preflight (OPTIONS with Origin and Access-Control-Request-Method) of a path that there is; false where it is
 * none, or CORS is off for its origin, or its scenario takes the headers away as an API without CORS has none.
 */
export function answerPreflight(
  mock: Mock,
  request: FastifyRequest,
  reply: FastifyReply,
  allowed: string = mock.config.cors,
  methods: readonly string[] = methodsOf(request.url),
): boolean {
  const { origin, ...headers } = request.raw.headers
  const method = headers['access-control-request-method']
  if (request.method !== 'OPTIONS' || origin === undefined || method === undefined || methods.length === 0) return false
  if (isTakenAway(mock, request) || !readableFor(origin, allowed, reply)) return false
  const asked = (headers['access-control-request-headers'] ?? '').split(',').map(name => name.trim())
  const known = new Set(requestHeaders.map(name => name.toLowerCase()))
  const more = asked.filter(name => /^[\w!#$%&'*+.^`|~-]+$/.test(name) && !known.has(name.toLowerCase()))
  reply.header('access-control-allow-methods', methods.join(', '))
  reply.header('access-control-allow-headers', [...requestHeaders, ...new Set(more)].join(', '))
  reply.header('access-control-max-age', String(preflightSeconds))
  reply.header('vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers')
  // A page of the internet asks whether it may reach this machine (Private Network Access).
  if (headers['access-control-request-private-network'] === 'true')
    reply.header('access-control-allow-private-network', 'true')
  reply.code(204).send()
  return true
}

/** A preflight has no key, so it is the scenario of every key that says so. */
function isTakenAway(mock: Mock, { context, url }: FastifyRequest): boolean {
  const run = mock.scenarios.runOf(context.world)
  if (run === undefined) return false
  const taking = run.scenario.rules.filter(({ then }) => then.headers['access-control-allow-origin'] === null)
  return operationsAt(url).some(id => taking.some(rule => run.scenario.rulesOf.get(id)?.has(rule)))
}
