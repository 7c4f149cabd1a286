/** The steps of the mock that a call went through, and the one that refused it: key, limits, idempotency, schema, credits. */
import type { ExplainedStep } from '../../client/mock.ts'
import { parse } from '../../contracts/answers.ts'
import { type OperationId, operations } from '../../contracts/operations.ts'
import type { Exchange } from '../journal.ts'
import type { Window } from '../world/limits.ts'

/** In the order in which they are asked; a call that a rule answered before them went through none. */
export function stepsOf(exchange: Exchange): ExplainedStep[] {
  const { operation, ruleContext, status } = exchange
  if (operation === undefined || ruleContext?.fired?.rule.then.pass === 'never') return []
  const code = status < 400 ? undefined : codeOf(exchange)
  const steps: ExplainedStep[] = []
  for (const { step, said, refuses } of [...asked(exchange)]) {
    const isRefused = refuses(code, status)
    steps.push({ step, outcome: isRefused ? 'refused' : 'passed', said })
    if (isRefused) break
  }
  return steps
}

interface Asked {
  step: ExplainedStep['step']
  said: string
  refuses: (code: string | undefined, status: number) => boolean
}

function* asked(exchange: Exchange): Generator<Asked> {
  const { operation, keyState, window, jobWindow, credits } = exchange
  const keys = {
    none: 'no key was sent',
    valid: 'the key is valid',
    invalid: 'the key is not valid',
    revoked: 'the key was revoked',
  }
  const isKey = (code: string | undefined) => code === 'missing_api_key' || code === 'invalid_api_key'
  yield { step: 'key', said: keys[keyState], refuses: isKey }
  const used = [
    ...(window ? [limitText(window, exchange.remaining, exchange.endsAt)] : []),
    ...(jobWindow ? [limitText(jobWindow, exchange.jobRemaining, exchange.jobEndsAt)] : []),
  ]
  const isLimit = (code: string | undefined) => code === 'rate_limited'
  if (used.length > 0) yield { step: 'limits', said: used.join('; '), refuses: isLimit }
  const given = headerOf(exchange, 'idempotency-key')
  if (given !== undefined) {
    const isReplayed = exchange.responseHeaders?.['idempotency-replayed'] === 'true'
    const said = isReplayed
      ? 'the first answer to this Idempotency-Key again'
      : 'the first call with this Idempotency-Key'
    const isRefused = (_code: string | undefined, status: number) => status === 409 || status === 422
    yield { step: 'idempotency', said, refuses: isRefused }
    if (isReplayed) return
  }
  const message = messageOf(exchange)
  if ('body' in operations[operation as OperationId] || exchange.status === 400) {
    const isWrong = (code: string | undefined, status: number) =>
      code === 'invalid_request' && status !== 409 && status !== 422
    yield {
      step: 'schema',
      said: isWrong(codeOf(exchange), exchange.status) ? message : 'what was sent is as documented',
      refuses: isWrong,
    }
  }
  const isPoor = (code: string | undefined) => code === 'insufficient_credits'
  if (credits > 0) yield { step: 'credits', said: `${credits / 1000} credits were reserved`, refuses: isPoor }
  else if (isPoor(codeOf(exchange))) yield { step: 'credits', said: message, refuses: isPoor }
}

const limitText = ({ limit, name, windowMs }: Window, remaining: number, endsAt: number): string =>
  `${remaining} of ${limit} ${name} in ${windowMs / 1000} s left, until ${new Date(endsAt).toISOString().slice(11, 19)} UTC`

const errorOf = ({ responseBody }: Exchange): { code?: string; message?: string } | undefined =>
  (parse(String(responseBody ?? '')) as { error?: { code?: string; message?: string } } | undefined)?.error

const codeOf = (exchange: Exchange): string | undefined => errorOf(exchange)?.code
const messageOf = (exchange: Exchange): string => errorOf(exchange)?.message ?? ''

function headerOf({ requestHeaders }: Exchange, name: string): string | undefined {
  const at = requestHeaders.findIndex((text, i) => i % 2 === 0 && text.toLowerCase() === name)
  return at === -1 ? undefined : requestHeaders[at + 1]
}
