/** Codes, their classes and their statuses (ERR-2, ERR-3, ERR-5). */
import type { ClauseId } from '../../contracts/clauses.ts'
import { restatus, restatusCase, rewriteErrors, type Where } from './change.ts'
import type { Mutant } from './mutant.ts'

/** One code under another name. */
const renamed = (
  id: string,
  code: string,
  name: string,
  breaks: ClauseId,
  also: readonly ClauseId[],
  where: Where = '*',
): Mutant => ({
  id,
  breaks: [breaks],
  also,
  what: `${code} is called ${name}`,
  apply: mutation =>
    rewriteErrors(mutation, where, code, error => {
      error.code = name
    }),
})

/** One code with another status. */
const moved = (
  id: string,
  code: string,
  status: number,
  breaks: ClauseId,
  also: readonly ClauseId[],
  where: Where = '*',
): Mutant => ({
  id,
  breaks: [breaks],
  also,
  what: `${code} is answered ${status}`,
  apply: mutation => restatus(mutation, where, code, status),
})

export const codeMutants: readonly Mutant[] = [
  {
    id: 'codes-in-capitals',
    breaks: ['ERR-2'],
    also: ['ERR-3', 'ERR-5', 'AUTH-1', 'CR-3', 'JOB-7', 'ID-1'],
    what: 'codes are written INVALID_REQUEST',
    apply: mutation =>
      rewriteErrors(mutation, '*', undefined, error => {
        error.code = error.code.toUpperCase()
      }),
  },
  renamed('code-payment-required', 'insufficient_credits', 'payment_required', 'CR-3', ['ERR-2', 'ERR-3', 'ERR-5']),
  renamed('code-too-many-requests', 'rate_limited', 'too_many_requests', 'ERR-5', ['ERR-2', 'ERR-3']),
  renamed('code-server-error', 'internal_error', 'server_error', 'ERR-5', ['ERR-2', 'ERR-3']),
  renamed(
    'code-validation-error',
    'invalid_request',
    'validation_error',
    'ERR-5',
    ['ERR-2', 'ERR-3', 'JOB-7', 'ID-1'],
    'createJob',
  ),
  { ...moved('invalid-key-403', 'invalid_api_key', 403, 'AUTH-1', ['ERR-5']), breaks: ['AUTH-1', 'GO-1'] },
  moved('missing-key-403', 'missing_api_key', 403, 'AUTH-1', ['ERR-5']),
  moved('no-credits-403', 'insufficient_credits', 403, 'CR-3', ['ERR-5']),
  moved('no-credits-400', 'insufficient_credits', 400, 'ERR-5', ['CR-3']),
  moved('rate-limited-503', 'rate_limited', 503, 'GO-2', ['ERR-5', 'RL-2']),
  {
    id: 'invalid-field-422',
    breaks: ['ERR-5'],
    also: ['JOB-7'],
    what: 'a field that is wrong at POST /v1/jobs is answered 422',
    apply: mutation => restatusCase(mutation, 'createJob', 'invalid_field', 422),
  },
  {
    id: 'invalid-field-500',
    breaks: ['ERR-5'],
    also: ['ERR-3', 'JOB-7'],
    what: 'a field that is wrong at POST /v1/jobs is answered 500',
    apply: mutation => restatusCase(mutation, 'createJob', 'invalid_field', 500),
  },
  moved('timeout-408', 'timeout', 408, 'ERR-3', ['ERR-5']),
  moved('internal-error-400', 'internal_error', 400, 'ERR-3', ['ERR-4', 'ERR-5']),
]
