/**
 * Who may use the control routes. On loopback, everybody on this machine, and no page of another site: not by a request
 * that its browser sends for it (Origin, Sec-Fetch-Site), nor by a name that was made to lead here (Host). Off loopback,
 * who has the admin token, which no page can know.
 */
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction, onRequestHookHandler } from 'fastify'
import { isLoopback } from '../../base/loopback.ts'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import { answerPreflight, readableFor } from '../pipeline/cors.ts'
import { attach, openExchange } from '../pipeline/exchange.ts'
import { requireAdminToken } from '../pipeline/key.ts'

/** The steps before a control route. */
export function guardControl(mock: Mock): onRequestHookHandler[] {
  const { adminToken, host } = mock.config
  const needsToken = !isLoopback(host)
  const closed: onRequestHookHandler = (_request, _reply, done) =>
    done(
      apiError(
        'route_not_found',
        '/__mock and /metrics are closed off loopback; start the mock with --admin-token to open them',
      ),
    )
  if (needsToken) return adminToken === undefined ? [closed] : [requireAdminToken(mock), refusePages(mock, false)]
  return [refusePages(mock, true)]
}

/** The same before the desk's own files, which hold no secret: a page asks for the token when it is there. */
export function guardDesk(mock: Mock): onRequestHookHandler[] {
  const { adminToken, host } = mock.config
  if (!isLoopback(host)) return adminToken === undefined ? guardControl(mock) : [refusePages(mock, false)]
  return [refusePages(mock, true)]
}

function refusePages(mock: Mock, checksHost: boolean): onRequestHookHandler {
  const { config } = mock
  const named = config.controlOrigin.join(',')
  return (request: FastifyRequest, reply: FastifyReply, next: HookHandlerDoneFunction): void => {
    const done = (refused?: Error): void => {
      // Somebody's page tries to steer the mock: that is worth an entry, which other control calls have not.
      if (refused !== undefined) attach(request, openExchange(mock, undefined, request.raw))
      next(refused)
    }
    const { host = '', origin, 'sec-fetch-site': site = 'none', ...headers } = request.raw.headers
    const name = host.replace(/:\d*$/, '').toLowerCase()
    if (checksHost && host !== '' && !isLoopback(name) && !config.controlHost.includes(name)) {
      const what = `the Host is ${JSON.stringify(name.slice(0, 80))}; expected a loopback address, or a name that --control-host allows`
      return done(apiError('control_refused', what))
    }
    if (origin !== undefined) {
      const isOwn =
        /^https?:\/\//.test(origin) && origin.replace(/^https?:\/\//, '').toLowerCase() === host.toLowerCase()
      if (isOwn || (named !== '' && readableFor(origin, named, reply))) return done()
      const what = `the Origin is ${JSON.stringify(origin.slice(0, 80))}; expected the mock's own, or one that --control-origin allows`
      return done(apiError('control_refused', what))
    }
    // A link from elsewhere may be followed: what it opens, no other page can read.
    const isLink =
      request.method === 'GET' && headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
    if (site === 'same-origin' || site === 'none' || isLink) return done()
    done(apiError('control_refused', `a page of another site sent this (Sec-Fetch-Site: ${String(site).slice(0, 40)})`))
  }
}

/** A preflight of a page that --control-origin names. */
export function answerControlPreflight(mock: Mock, request: FastifyRequest, reply: FastifyReply): boolean {
  if (!/^\/(__mock|metrics)\b/.test(request.url)) return false
  const named = mock.config.controlOrigin.join(',')
  return named !== '' && answerPreflight(mock, request, reply, named, ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'])
}
