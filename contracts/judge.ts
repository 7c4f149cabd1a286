/**
 * What one answer says of the clauses, whoever asked and why. A pure function: the suite's checks, the explorer and
 * whatever else sees traffic judge with it.
 */
import { Ajv, type ErrorObject, type ValidateFunction } from 'ajv'
import type { ClauseId } from './clauses.ts'
import { type ErrorCode, errorCodes } from './errors.ts'
import { expectationOf, type SchemaPart, shown } from './expectation.ts'
import type { ObservedExchange } from './observedExchange.ts'
import { operations } from './operations.ts'
import { ErrorEnvelope } from './schemas.ts'
import { pointerTo, shapes } from './shapes.ts'

export interface Finding {
  /** Every clause whose sentence this fact keeps, or contradicts. */
  clauses: readonly ClauseId[]
  holds: boolean
  expected: string
  found: string
  /** Where in the answer: a JSON pointer, or "header Retry-After". */
  pointer?: string
  /** Which documented variant was seen, where there is a choice. */
  note?: string
  exchange?: ObservedExchange
}

/** Reads what was seen; `ids` are the request_ids so far, by what they were given to. */
export function judge(exchange: ObservedExchange, ids: Map<string, string>): Finding[] {
  const findings = exchange.status >= 200 && exchange.status < 300 ? judgeSuccess(exchange) : judgeError(exchange, ids)
  return findings.map(finding => ({ ...finding, exchange }))
}

/** The code of an envelope, where there is one. */
export function codeOf({ json }: Pick<ObservedExchange, 'json'>): string | undefined {
  const { error } = (json ?? {}) as { error?: { code?: unknown } | null }
  return typeof error?.code === 'string' ? error.code : undefined
}

/** An envelope that has none at all is ERR-1's matter alone. */
export const hasCode = (exchange: ObservedExchange, code: string): boolean => (codeOf(exchange) ?? code) === code

/** Its request_id, where there is one. */
export function requestIdOf({ json }: Pick<ObservedExchange, 'json'>): string | undefined {
  const { error } = (json ?? {}) as { error?: { request_id?: unknown } | null }
  return typeof error?.request_id === 'string' ? error.request_id : undefined
}

const isJson = (exchange: ObservedExchange): boolean =>
  /^application\/(json|[\w.-]+\+json)\b/i.test(exchange.headers['content-type'] ?? '')

function judgeError(exchange: ObservedExchange, ids: Map<string, string>): Finding[] {
  // A file that is asked for again under a condition, and a redirect to a file, are no errors.
  if (exchange.status < 400) return exchange.operation === undefined ? [] : [unexpectedRedirect(exchange)]
  const expected = 'JSON with exactly the envelope {"error": {"code", "message", "request_id"}}'
  const broken = (found: string, pointer?: string): Finding => ({
    clauses: ['ERR-1'],
    holds: false,
    expected,
    found,
    ...(pointer !== undefined && { pointer }),
  })
  const limits = exchange.status === 429 ? judgeLimitHeaders(exchange) : []
  if (exchange.json === undefined)
    return [broken(exchange.text === '' ? 'no body' : 'a body that is not JSON', ''), ...limits]
  const findings: Finding[] = []
  if (!isJson(exchange))
    findings.push(broken(`Content-Type ${exchange.headers['content-type'] ?? 'missing'}`, 'header Content-Type'))
  const problems = problemsOf(ErrorEnvelope, exchange.json)
  for (const { pointer, found } of problems) findings.push(broken(found, pointer))
  if (findings.length === 0)
    findings.push({ clauses: ['ERR-1'], holds: true, expected, found: `${exchange.status}, the envelope` })
  const { error } = exchange.json as { error?: Partial<ErrorEnvelope['error']> }
  if (typeof error?.code === 'string') findings.push(...judgeCode(exchange.status, error.code))
  if (typeof error?.request_id === 'string') findings.push(judgeId(error.request_id, exchange, ids))
  return [...findings, ...limits]
}

const unexpectedRedirect = (exchange: ObservedExchange): Finding => ({
  clauses: ['ERR-1'],
  holds: false,
  expected: 'an answer of the API: 2xx, or the envelope',
  found: `${exchange.status} to ${exchange.headers.location ?? 'nowhere'}`,
})

const known: Readonly<Record<string, ErrorCode>> = errorCodes
/** Statuses whose code is documented. */
const codesOfStatus = new Map<number, string[]>()
for (const [code, { status, documented }] of Object.entries(known)) {
  if (documented) codesOfStatus.set(status, [...(codesOfStatus.get(status) ?? []), code])
}

function judgeCode(status: number, code: string): Finding[] {
  const documented = known[code]?.documented === true
  const isMisspelt = !documented && known[code.toLowerCase()]?.documented === true
  const about = {
    expected: `one of ${documentedCodes.join(', ')}, or an extension`,
    found: shown(code),
    pointer: '/error/code',
  }
  const findings: Finding[] = [
    {
      clauses: ['ERR-2'],
      holds: code !== '' && !isMisspelt,
      ...about,
      ...(!documented && code !== '' && !isMisspelt && { note: `extension code ${JSON.stringify(code)}` }),
    },
  ]
  const right = statusFits(status, code)
  const expected = right ? `${code} with ${status}` : expectedPair(status, code)
  findings.push({
    clauses: ['ERR-5'],
    holds: right,
    expected,
    found: `${status} with ${shown(code)}`,
    pointer: '/error/code',
    ...(code === 'timeout' && { note: `timeout is answered ${status}` }),
  })
  const kind = known[code]?.class
  const isOther = (kind === 'server' && status < 500) || (kind === 'client' && status >= 500)
  // What the class asks of the client nobody sees from here, but which class a status is of.
  if (documented && isOther) {
    findings.push({
      clauses: ['ERR-3'],
      holds: false,
      expected: `${code} with ${kind === 'server' ? '5xx' : '4xx'}`,
      found: String(status),
    })
  }
  return findings
}

const documentedCodes = Object.keys(known).filter(code => known[code]?.documented)

/** Codes that ERR-5 gives one status; invalid_request goes with other 4xx too, where no code of ERR-2 names the case. */
function statusFits(status: number, code: string): boolean {
  if (code === 'timeout') return status >= 500
  const due = codesOfStatus.get(status)
  if (code === 'invalid_request') return status >= 400 && status < 500 && (status === 400 || due === undefined)
  const own = known[code]
  if (own?.documented) return own.status === status
  // An extension has its own status; where that is shifted, the clause of the case is broken, and not this one too.
  return due === undefined || status === 504 || (own !== undefined && status === 400)
}

function expectedPair(status: number, code: string): string {
  const own = known[code]
  const due = codesOfStatus.get(status)
  if (own?.documented && code !== 'invalid_request') return `${code} with ${own.status}`
  return due === undefined ? `${code} with ${own?.status ?? 'another status'}` : `${status} with ${due.join(' or ')}`
}

function judgeId(id: string, { sent }: ObservedExchange, ids: Map<string, string>): Finding {
  const first = ids.get(id)
  // ID-1: the first answer again is the same answer.
  const idempotencyKey = Object.entries(sent.headers).find(([name]) => /^idempotency-key$/i.test(name))?.[1]
  const call = `${sent.method} ${sent.url}${idempotencyKey === undefined ? '' : ` with Idempotency-Key ${idempotencyKey}`}`
  ids.set(id, call)
  return {
    clauses: ['ERR-6'],
    holds: id !== '' && (first === undefined || (idempotencyKey !== undefined && first === call)),
    expected: 'a request_id that no other answer has',
    found:
      id === '' ? 'an empty one' : first === undefined ? id : `${shown(id)}, which ${first} was answered with before`,
    pointer: '/error/request_id',
  }
}

/** RL-2: what a 429 has to carry. Whether Retry-After is true only waiting can tell. */
function judgeLimitHeaders({ headers }: ObservedExchange): Finding[] {
  const has = (name: string) => headers[name] !== undefined
  const retryAfter = headers['retry-after']
  const findings: Finding[] = []
  const look = (holds: boolean, expected: string, found: string, pointer: string, note?: string) =>
    findings.push({ clauses: ['RL-2'], holds, expected, found, pointer, ...(note !== undefined && { note }) })
  look(
    /^\d+$/.test(retryAfter ?? ''),
    'Retry-After in whole seconds',
    retryAfter === undefined ? 'none' : shown(retryAfter),
    'header Retry-After',
  )
  const trio = ['ratelimit-limit', 'ratelimit-remaining', 'ratelimit-reset'].every(has)
  look(
    has('ratelimit') || trio,
    'the RateLimit header of the IETF draft',
    has('ratelimit') ? shown(headers.ratelimit) : trio ? 'RateLimit-Limit, -Remaining, -Reset' : 'none',
    'header RateLimit',
    has('ratelimit') ? undefined : trio ? 'RateLimit-Limit, -Remaining and -Reset of an earlier draft' : undefined,
  )
  for (const part of ['Limit', 'Remaining', 'Reset']) {
    const value = headers[`x-ratelimit-${part.toLowerCase()}`] ?? ''
    const good = /^\d+(\.\d+)?\s*([,;]|$)/.test(value) || (part === 'Reset' && !Number.isNaN(Date.parse(value)))
    look(good, 'a number', value === '' ? 'none' : value, `header X-RateLimit-${part}`)
  }
  return findings
}

function judgeSuccess(exchange: ObservedExchange): Finding[] {
  const shape = exchange.operation && shapes[exchange.operation]
  if (shape === undefined || exchange.operation === undefined) return []
  const whole = shape.clauses.at(-1)?.[1] ?? []
  if (!shape.statuses.includes(exchange.status)) {
    return [
      {
        clauses: whole,
        holds: false,
        expected: `status ${shape.statuses.slice(0, 3).join(', ')}`,
        found: String(exchange.status),
      },
    ]
  }
  if (shape.mayBeEmpty && exchange.text === '') return []
  const expected = `the documented answer of ${operations[exchange.operation].method} ${operations[exchange.operation].path}`
  if (exchange.json === undefined || !isJson(exchange)) {
    const found =
      exchange.json === undefined
        ? 'a body that is not JSON'
        : `Content-Type ${exchange.headers['content-type'] ?? 'missing'}`
    return [{ clauses: whole, holds: false, expected: `${expected}, as JSON`, found, pointer: '' }]
  }
  const part = shape.part?.(exchange.json) ?? exchange.json
  const place = pointerTo(part, exchange.json)
  const findings = problemsOf(shape.schema, part).map(({ pointer: within, expected, found }): Finding => {
    const pointer = place + within
    // What is missing is missing from the answer; only what is there can be a wrong state.
    const clauses =
      (found === 'missing' ? undefined : shape.clauses.find(([place]) => place.test(pointer))?.[1]) ?? whole
    return { clauses, holds: false, expected, found, pointer }
  })
  const free = [...new Set(shape.clauses.flatMap(([, clauses]) => clauses))].filter(
    clause => !findings.some(({ clauses }) => clauses.includes(clause)),
  )
  if (free.length > 0)
    findings.push({ clauses: free, holds: true, expected, found: `${exchange.status}, as documented` })
  if (exchange.operation === 'getJob' && findings.every(({ holds }) => holds)) findings.push(...judgeJob(exchange))
  return findings
}

/** What JOB-4 and JOB-5 say of a job's fields together. */
function judgeJob({ json }: ObservedExchange): Finding[] {
  const job = json as { status: string; progress: number; output_url: unknown; error: unknown; created_at: string }
  const findings: Finding[] = []
  const look = (holds: boolean, expected: string, found: unknown, pointer: string) =>
    findings.push({ clauses: ['JOB-5'], holds, expected, found: shown(found), pointer })
  if (job.status === 'completed') {
    look(
      typeof job.output_url === 'string' && job.output_url !== '',
      'a URL, as the job is completed',
      job.output_url,
      '/output_url',
    )
  }
  if (job.status === 'failed') {
    look(typeof job.error === 'string' && job.error !== '', 'a text, as the job has failed', job.error, '/error')
  }
  look(isUtc(job.created_at), 'a time in UTC, ISO 8601', job.created_at, '/created_at')
  return findings
}

/** ISO 8601 in UTC, however exact. */
export const isUtc = (text: unknown): boolean =>
  typeof text === 'string' &&
  /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}([.,]\d+)?)?(Z|[+-]00(:?00)?)$/.test(text) &&
  !Number.isNaN(Date.parse(text.replace(',', '.').replace(/[+-]00(:?00)?$/, 'Z')))

/** ISO 8601 with a time and any offset, extended or basic, however exact (WH-2). */
export const isIso8601 = (text: unknown): boolean =>
  typeof text === 'string' &&
  /^\d{4}(-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}([.,]\d+)?)?|\d{4}T\d{4}(\d{2}([.,]\d+)?)?)(Z|[+-]\d{2}(:?\d{2})?)?$/i.test(
    text,
  )

export interface SchemaProblem {
  pointer: string
  expected: string
  found: string
}

const ajv = new Ajv({
  allErrors: true,
  verbose: true,
  strict: false,
  logger: false,
  validateSchema: false,
  meta: false,
  // A quarter of each compilation, for what V8 does as well.
  code: { optimize: false },
})
  .addFormat('uri', true)
  .addFormat('binary', true)
const compiled = new WeakMap<object, ValidateFunction>()

/** Where a value does not fit a schema, and how. */
export function problemsOf(schema: object, value: unknown): SchemaProblem[] {
  const validate = compiled.get(schema) ?? ajv.compile(schema)
  compiled.set(schema, validate)
  if (validate(value)) return []
  // Of a value that may be null as well, the branch that says so adds nothing.
  const told = (validate.errors ?? []).filter(
    ({ schemaPath, keyword }) => keyword !== 'anyOf' && !/\/anyOf\/1\//.test(schemaPath),
  )
  return told.map(problemOf)
}

function problemOf({ keyword, instancePath, params, parentSchema, data }: ErrorObject): SchemaProblem {
  if (keyword === 'required') {
    const name = String(params.missingProperty)
    const expected = expectationOf((parentSchema?.properties?.[name] ?? {}) as SchemaPart)
    return { pointer: `${instancePath}/${name}`, expected, found: 'missing' }
  }
  if (keyword === 'additionalProperties') {
    const name = String(params.additionalProperty)
    return {
      pointer: `${instancePath}/${name}`,
      expected: 'no such field',
      found: `a field more: ${shown((data as Record<string, unknown>)[name])}`,
    }
  }
  return { pointer: instancePath, expected: expectationOf((parentSchema ?? {}) as SchemaPart), found: shown(data) }
}
