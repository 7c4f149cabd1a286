/** Who may call: the API key (AUTH-1, AUTH-2), and the admin token (AD-1). */
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { apiError } from '../errors.ts'
import type { KeyValidity } from '../journal.ts'
import type { Mock } from '../mock.ts'
import { sameSecret } from '../world/worlds.ts'

const refusedKey = (state: KeyValidity) =>
  state === 'revoked'
    ? apiError('invalid_api_key', 'it was revoked')
    : apiError('invalid_api_key', 'expected a key that starts with test_, or one that was made by POST /v1/admin/keys')

/** AUTH-1: no call without a valid key. */
export function requireKey(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  const { keyState } = request.exchange
  if (keyState === 'valid') return done()
  done(keyState === 'none' ? apiError('missing_api_key', 'expected the header X-Api-Key') : refusedKey(keyState))
}

/** AUTH-2: no key is needed, but one that is sent must be valid. */
export function useKeyIfSent(request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void {
  const { keyState } = request.exchange
  done(keyState === 'invalid' || keyState === 'revoked' ? refusedKey(keyState) : undefined)
}

/** AD-1: off until a token is set, then guarded by it. */
export function requireAdminToken({ config }: Mock) {
  return (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    if (config.adminToken === undefined)
      return done(apiError('route_not_found', 'admin routes are off; set --admin-token'))
    const token = request.headers['x-admin-token']
    if (typeof token === 'string' && sameSecret(token, config.adminToken)) return done()
    done(
      apiError('invalid_admin_token', `the header X-Admin-Token is ${token === undefined ? 'missing' : 'another one'}`),
    )
  }
}
