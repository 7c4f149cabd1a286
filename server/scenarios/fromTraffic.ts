/**
 * From recorded traffic to the rules that play its failures again: which call of which route met what. Pure: it reads
 * observations and gives back rules, each with what was recorded of it.
 */

import { plural } from '../../base/text.ts'
import type { JobFormat, RuleFormat, ThenFormat } from '../../client/scenarioFormat.ts'
import { field } from '../../contracts/answers.ts'
import { type OperationId, operations } from '../../contracts/operations.ts'
import type { Observed, RecordedCall, RecordedWebhook } from '../../recordings/traffic.ts'
import { countFailures, type DraftCalls, draftClauses, draftedRules, draftSummary, webhooksThen } from './draftRules.ts'
import { bodyFault, cutThen, errorThen, failureLabel, maxBody, saying, uploadFault } from './fromCall.ts'

export interface Drafted {
  /** The world whose failures these are, and how many failures each world has. */
  world: string
  worlds: ReadonlyMap<string, number>
  calls: number
  from: number
  to: number
  rules: { rule: RuleFormat; facts: string[] }[]
  /** What is not in it, and why. */
  left: string[]
  clauses: string[]
  /** "2 x 500 internal_error on POST /v1/jobs", the most frequent first. */
  summary: string[]
}

export interface DraftOptions {
  /** Whose failures; by default those of the world that has the most. */
  world?: string
  /** Takes secrets out of a text. */
  redact: (text: string) => string
}

interface JobTrack {
  /** The call that decides how it goes: the one that made or started it last. */
  by: { world: string; operation: OperationId; n: number }
  at: number
  facts: string
  status: string | undefined
  error: string | undefined
  progress: number
  polls: number
  firstAt: number
  lastAt: number
  webhooks: Record<string, string>
}

/** A job that was polled so often, or for so long, without an end, is stuck. */
const stuckPolls = 20
const stuckMs = 600_000
/** An answer is slow that took longer than this, and than so many times the median of its route. */
const slowMs = 1_000
const slowFactor = 5
const maxRules = 1_000
const maxLeft = 12

const timeOf = (at: number): string => new Date(at).toISOString()

export class ScenarioDraft {
  readonly #worlds = new Map<string, Map<OperationId, DraftCalls>>()
  readonly #jobs = new Map<string, JobTrack>()
  readonly #seenJobs = new Set<string>()
  readonly #completed = new Set<string>()
  readonly #goodKeys = new Set<string>()
  readonly #idempotency = new Set<string>()
  readonly #left = new Map<string, { count: number; world: string }>()
  readonly #redact: (text: string) => string
  #calls = 0
  #from = Number.POSITIVE_INFINITY
  #to = 0

  constructor({ redact }: Pick<DraftOptions, 'redact'>) {
    this.#redact = redact
  }

  call(seen: Observed): void {
    const { call, isOurs } = seen
    const { operation, key } = call
    if (!isOurs || operation === undefined || call.sent.method === 'OPTIONS') return
    this.#calls++
    this.#from = Math.min(this.#from, call.at)
    this.#to = Math.max(this.#to, call.endedAt)
    const calls = this.#callsOf(key, operation)
    const n = ++calls.count
    const facts = `${timeOf(call.at)}${call.requestId === undefined ? '' : `, ${call.requestId}`}`
    const met = this.#meets(seen)
    if (typeof met === 'string') this.#leave(met, key)
    else if (met !== undefined) calls.events.set(n, { then: met, facts: [facts], what: failureLabel(call) })
    else if (seen.isGood) {
      calls.good.push(call.ms)
      this.#learn(seen, n, facts)
    }
    if (call.cut === undefined && call.ms > slowMs) calls.slow.push({ n, ms: call.ms, facts })
    if (call.idempotencyKey !== undefined) this.#idempotency.add(`${key} ${call.path} ${call.idempotencyKey}`)
  }

  hook({ jobId, event, fault }: RecordedWebhook): void {
    const job = jobId === undefined ? undefined : this.#jobs.get(jobId)
    if (job && fault !== undefined && ['duplicate', 'late', 'bad_signature', 'out_of_order'].includes(fault))
      job.webhooks[event] = fault
  }

  /** undefined where nothing failed. Throws nothing: an unknown world has no failures. */
  finish(world?: string): Drafted | undefined {
    this.#addJobs()
    this.#addDelays()
    const worlds = new Map([...this.#worlds].map(([name, byRoute]) => [name, countFailures(byRoute)]))
    const [most] = [...worlds].sort((a, b) => b[1] - a[1])
    const chosen = world ?? most?.[0] ?? ''
    const routes = new Map(this.#worlds.get(chosen) ?? [])
    // Files and legacy routes are asked for without a key: they belong to the client all the same.
    if (chosen !== 'anonymous') {
      for (const [operation, calls] of this.#worlds.get('anonymous') ?? [])
        if (!routes.has(operation)) routes.set(operation, calls)
    }
    const rules = [...routes].flatMap(([operation, calls]) => draftedRules(operation, calls))
    if (rules.length === 0) return undefined
    const left = [...this.#left].filter(([, one]) => one.world === chosen || one.world === 'anonymous')
    return {
      world: chosen,
      worlds,
      calls: this.#calls,
      from: this.#from,
      to: this.#to,
      rules: rules.slice(0, maxRules),
      left: [
        ...left.slice(0, maxLeft).map(([text, { count }]) => `${count} x ${text}`),
        ...(left.length > maxLeft
          ? [`${plural(left.length - maxLeft, 'more kind')} of answers that the mock gives by itself`]
          : []),
        ...(rules.length > maxRules
          ? [`${plural(rules.length - maxRules, 'more failure')}: a longer scenario could not be read`]
          : []),
      ],
      clauses: draftClauses(rules.map(({ rule }) => rule)),
      summary: draftSummary(routes),
    }
  }

  #callsOf(world: string, operation: OperationId): DraftCalls {
    const byRoute = this.#worlds.get(world) ?? new Map<OperationId, DraftCalls>()
    this.#worlds.set(world, byRoute)
    const calls = byRoute.get(operation) ?? { count: 0, events: new Map(), good: [], slow: [] }
    byRoute.set(operation, calls)
    return calls
  }

  #leave(text: string, world: string): void {
    const name = this.#redact(text)
    const known = this.#left.get(name)
    this.#left.set(name, {
      count: (known?.count ?? 0) + 1,
      world: known?.world === 'anonymous' ? world : (known?.world ?? world),
    })
  }

  /** What of a good answer tells how later ones are to be read. */
  #learn({ call, hasBody }: Observed, n: number, facts: string): void {
    const { operation, jobId, key, at } = call
    if (call.hasKey) this.#goodKeys.add(key)
    if (jobId === undefined) return
    this.#seenJobs.add(jobId)
    if (operation === 'createJob' || operation === 'startJob') {
      const known = this.#jobs.get(jobId)
      // The first answer again, or a second start of a job that runs (GO-3), decides nothing.
      if (known && (operation === 'createJob' || !isOver(known, operation))) return
      this.#jobs.set(jobId, {
        by: { world: key, operation, n },
        at,
        facts: `${facts}, ${jobId}`,
        status: undefined,
        error: undefined,
        progress: 0,
        polls: 0,
        firstAt: at,
        lastAt: at,
        webhooks: {},
      })
    }
    if (operation !== 'getJob' || !hasBody) return
    const status = field(call, 'status')
    if (status === 'completed') this.#completed.add(jobId)
    const job = this.#jobs.get(jobId)
    if (!job) return
    const error = field(call, 'error')
    const progress = field(call, 'progress')
    if (job.polls === 0) job.firstAt = at
    job.polls++
    job.lastAt = call.endedAt
    job.status = typeof status === 'string' ? status : undefined
    job.error = typeof error === 'string' ? this.#redact(error).slice(0, maxBody) : undefined
    job.progress = typeof progress === 'number' ? Math.round(Math.min(100, Math.max(0, progress))) : job.progress
  }

  /** What a call met: how to play it again, why it is left out, or nothing worth playing. */
  #meets(seen: Observed): ThenFormat | string | undefined {
    const { call, hasBody, isGood } = seen
    if (call.cut !== undefined) return cutThen(call)
    if (!seen.isWhole) return undefined
    if (isGood) {
      const isFile = call.operation !== undefined && operations[call.operation].tag === 'files'
      return !isFile && hasBody && call.json === undefined && call.text !== '' ? { fault: 'malformed_json' } : undefined
    }
    if (call.status < 400) return undefined
    const own = call.status < 500 ? this.#ownFault(call) : undefined
    return own === undefined ? errorThen(call, this.#redact) : `${saying(call)}: ${own}`
  }

  /** Why the mock would answer so by itself; undefined where it would not, or where that can't be told. */
  #ownFault(call: RecordedCall): string | undefined {
    const { status, operation, jobId, hasKey, key } = call
    if (status === 401) {
      if (!hasKey) return 'it had no key'
      return this.#goodKeys.has(key) ? undefined : 'its key was never good'
    }
    if (status === 404) {
      if (operation === 'getOutputFile' || operation === 'getUploadedFile') return 'there was no such file'
      return jobId === undefined || this.#seenJobs.has(jobId) ? undefined : 'that job was not made in the recording'
    }
    if (status === 409 || status === 422) {
      const isKnown = this.#idempotency.has(`${key} ${call.path} ${call.idempotencyKey}`)
      return isKnown ? 'its Idempotency-Key had been used before' : undefined
    }
    if ([405, 406, 408, 411, 412, 414, 415, 416, 417, 431].includes(status)) return 'it is about how it was sent'
    if (status !== 400 && status !== 413) return undefined
    if (operation === 'getDownload')
      return this.#completed.has(jobId ?? '') ? undefined : 'the job was not seen completed'
    if (operation === 'uploadVideo' || operation === 'uploadVideoLegacy') return uploadFault(call)
    if (operation === 'createJob' || operation === 'startJob') return bodyFault(call)
    return 'its parameters were refused'
  }

  /** Jobs that failed, or got stuck, on the call that made or started them. */
  #addJobs(): void {
    for (const [id, job] of this.#jobs) {
      const { by, status, error, progress, polls, firstAt, lastAt, webhooks } = job
      const isStuck =
        (status === 'pending' || status === 'processing') && (polls >= stuckPolls || lastAt - firstAt >= stuckMs)
      const then: JobFormat = {
        ...(status === 'failed' && { outcome: 'failed' as const, ...(error && { error }) }),
        ...(isStuck && { outcome: 'stuck' as const, stuck_at: progress }),
        ...(Object.keys(webhooks).length > 0 && { webhooks: webhooksThen(webhooks) }),
      }
      if (Object.keys(then).length === 0) continue
      const what = status === 'failed' ? 'job failed' : isStuck ? 'job stuck' : 'webhook fault'
      const facts = isStuck ? `${job.facts}: ${plural(polls, 'poll')} until ${timeOf(lastAt)}` : job.facts
      this.#callsOf(by.world, by.operation).events.set(by.n, { then: { job: then }, facts: [facts], what })
      this.#jobs.delete(id)
    }
  }

  #addDelays(): void {
    for (const byRoute of this.#worlds.values()) {
      for (const { good, slow, events } of byRoute.values()) {
        const sorted = good.toSorted((a, b) => a - b)
        const median = sorted[Math.floor((sorted.length - 1) / 2)]
        if (median === undefined) continue
        for (const { n, ms, facts } of slow) {
          if (ms <= slowFactor * median) continue
          const known = events.get(n)
          const delay = `${Math.round(ms / 100) / 10}s`
          events.set(n, {
            then: { ...known?.then, delay },
            facts: known?.facts ?? [facts],
            what: known?.what ?? 'slow',
          })
        }
      }
    }
  }
}

/** Only a job that is over, or one that was not begun, is started by a start. */
const isOver = ({ status, polls }: JobTrack, operation: OperationId): boolean =>
  operation === 'startJob' && (polls === 0 || status === 'created' || status === 'failed' || status === 'completed')
