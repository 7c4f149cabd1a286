/** The hands of a check: calls whose every answer is judged, and expectations that become findings. */

import { NoAnswer, type Outgoing, type Sent } from '../base/http.ts'
import { contentSize, multipart, type UploadFile, usualBoundary } from '../base/multipart.ts'
import { describeResponse, field, isSame, parse } from '../contracts/answers.ts'
import type { ClauseId } from '../contracts/clauses.ts'
import { shown } from '../contracts/expectation.ts'
import { judge } from '../contracts/judge.ts'
import { type ObservedExchange, unansweredOf } from '../contracts/observedExchange.ts'
import { operationOf } from '../contracts/operations.ts'
import { creditsPerMinute, type Job, jobStates, type Model } from '../contracts/schemas.ts'
import { shapes, totalsIn } from '../contracts/shapes.ts'
import type { Video } from '../media/clip.ts'
import type { SuiteEnvironment } from './environment.ts'
import { type Need, needs } from './needs.ts'
import { NotTried, type Run } from './session.ts'
import { asFile, formOf } from './upload.ts'

export interface CallOptions {
  /** Default: the main key. null sends none. */
  key?: string | null
  headers?: Record<string, string>
  /** Sent as JSON. */
  json?: unknown
  /** Sent as it is. */
  text?: string
  file?: UploadFile
  /** Don't wait out a 429: it is what is wanted. */
  takes429?: boolean
  /** How long it waits out 429s, ms; default: as the environment says. */
  maxWaitMs?: number
}

/** Of a call that may cost credits. */
interface Paid extends CallOptions {
  /** What the draft is of, where the call does not say. */
  model?: string
  /** The clip's length; default: that of the short one. */
  seconds?: number
  /** The credits are put aside already. */
  paid?: boolean
  /** A 5xx is what is wanted: it is not tried again. */
  takesError?: boolean
}

export interface Polled {
  /** Every answer, in order. */
  answers: ObservedExchange[]
  /** The last of them. */
  job: Job
}

interface Place {
  exchange?: ObservedExchange
  pointer?: string
  note?: string
}

export const noDraftWaits = 'a draft does not wait here (JOB-3)'

const isState = (status: unknown): boolean => (jobStates as readonly unknown[]).includes(status)

const firstBackoffMs = 1_000

export class Probe {
  readonly run: Run
  readonly environment: SuiteEnvironment
  readonly #check: string
  /** Something that is said by this check may be of a job that was made as a draft. */
  usesDrafts = false

  constructor(run: Run, check: string) {
    this.run = run
    this.environment = run.environment
    this.#check = check
  }

  /** Writes down whether a fact holds, for each clause that states it; gives back whether it did. */
  expect(
    clauses: ClauseId | readonly ClauseId[],
    holds: boolean,
    expected: string,
    found: unknown,
    place: Place = {},
  ): boolean {
    const text = typeof found === 'string' ? found : shown(found)
    this.run.findings.push({ check: this.#check, clauses: [clauses].flat(), holds, expected, found: text, ...place })
    return holds
  }

  /** That a field shows what it was given. One that is not there at all is JOB-5's matter, and told by it. */
  expectField(clauses: ClauseId | readonly ClauseId[], exchange: ObservedExchange, name: string, given: unknown): void {
    const found = field(exchange, name)
    if (found === undefined) return
    this.expect(clauses, isSame(given, found), shown(given), found, { exchange, pointer: `/${name}` })
  }

  /** The same for a status, with its code where one is due. */
  expectStatus(
    clauses: ClauseId | readonly ClauseId[],
    exchange: ObservedExchange,
    statuses: readonly number[],
    about: string,
    place: Omit<Place, 'seen'> = {},
  ): boolean {
    const holds = statuses.includes(exchange.status)
    return this.expect(clauses, holds, `${about}: ${statuses.join(' or ')}`, describeResponse(exchange), {
      exchange,
      ...place,
    })
  }

  /** Goes on only if it holds. */
  must(holds: false, reason: string): never
  must(holds: boolean, reason: string): void
  must(holds: boolean, reason: string): void {
    if (!holds) throw new NotTried(reason)
  }

  /** For what only prepares: no clause is accused here, but nothing can follow. */
  prepared(exchange: ObservedExchange, what: string): ObservedExchange {
    if (exchange.status >= 200 && exchange.status < 300) return exchange
    throw new NotTried(`${what}: ${exchange.sent.method} ${pathOf(exchange)} answered ${describeResponse(exchange)}`)
  }

  /** Throws when something that was not given is missing. */
  need(need: Need): never {
    throw new NotTried(needs[need].reason, [needs[need].give])
  }

  get key(): string {
    return this.environment.keys.main ?? this.need('key')
  }

  get secondKey(): string {
    return this.environment.keys.second ?? this.need('secondKey')
  }

  get emptyAccountKey(): string {
    return this.environment.keys.emptyAccount ?? this.need('emptyAccountKey')
  }

  get(path: string, options?: CallOptions): Promise<ObservedExchange> {
    return this.call('GET', path, options)
  }

  post(path: string, json?: unknown, options?: CallOptions): Promise<ObservedExchange> {
    return this.call('POST', path, { ...(json !== undefined && { json }), ...options })
  }

  upload(file: UploadFile, path = '/v1/uploads', options?: CallOptions): Promise<ObservedExchange> {
    return this.call('POST', path, { file, ...options })
  }

  /**
   * One call, judged. `path` is below the base URL, or a whole URL that the endpoint gave. A 429 that no call asked for is
   * waited out, as RL-3 has it. Throws NoAnswer, Stopped, or NotTried when the limit does not lift in time.
   */
  async call(method: string, path: string, options: CallOptions = {}): Promise<ObservedExchange> {
    const { environment } = this
    const { maxWaitMs = environment.maxWaitMs } = options
    const until = environment.now() + maxWaitMs
    for (let backoffMs = firstBackoffMs; ; backoffMs = Math.min(backoffMs * 2, 16_000)) {
      const exchange = await this.#once(method, path, options)
      if (exchange.status !== 429 || options.takes429) return exchange
      const waitMs = Math.max(Number(exchange.headers['retry-after'] ?? 0) * 1000 || 0, backoffMs)
      if (environment.now() + waitMs > until) {
        throw new NotTried(
          `${method} ${path} was answered 429, to be tried again after ${Math.round(waitMs / 1000)} s; the suite waits at most ${maxWaitMs / 1000} s`,
          ['--max-wait'],
        )
      }
      await this.sleep(waitMs)
    }
  }

  async sleep(ms: number): Promise<void> {
    await this.environment.sleep(ms)
    this.run.goOn()
  }

  async #once(method: string, path: string, options: CallOptions): Promise<ObservedExchange> {
    const { run, environment } = this
    run.goOn()
    const out = this.#outgoing(method, path, options)
    run.requests++
    run.sentBytes += contentSize(out.content)
    const incoming = await environment.send(out).catch((error: unknown) => {
      run.goOn()
      if (error instanceof NoAnswer) throw Object.assign(error, { sent: out })
      throw error
    })
    const isText = !/^(video|image|audio|application\/(zip|octet-stream))/i.test(incoming.headers['content-type'] ?? '')
    const text = isText ? new TextDecoder().decode(incoming.bytes) : ''
    const { content: _, timeoutMs: __, ...sent } = out
    const exchange: ObservedExchange = {
      ...incoming,
      sent,
      operation: path.startsWith('/') ? operationOf(method, path) : undefined,
      text,
      json: parse(text),
    }
    run.trace?.push(exchange)
    run.statuses.set(exchange.status, (run.statuses.get(exchange.status) ?? 0) + 1)
    // Who answers for a file may be another server; the contract speaks of the API.
    if (path.startsWith('/'))
      for (const finding of judge(exchange, run.ids))
        run.findings.push({ ...finding, check: this.#check, byItself: true })
    return exchange
  }

  #outgoing(method: string, path: string, { key, headers, json, text, file }: CallOptions): Outgoing {
    const { environment } = this
    const isOurs = path.startsWith('/') || path.startsWith(`${environment.base}/`)
    const sentKey = key === undefined ? environment.keys.main : (key ?? undefined)
    const body = text ?? (json === undefined ? undefined : JSON.stringify(json))
    const form = file && formOf(file, environment)
    const content = file ? multipart(file) : body === undefined ? undefined : new TextEncoder().encode(body)
    return {
      method,
      url: path.startsWith('/') ? environment.base + path : path,
      headers: {
        // A file's URL may be of another host, which is none of the key's business.
        ...(isOurs && environment.headers),
        ...(path.startsWith('/') && sentKey !== undefined && { [this.run.keyHeader]: sentKey }),
        ...(body !== undefined && { 'Content-Type': 'application/json' }),
        ...(file && { 'Content-Type': `multipart/form-data; boundary=${file.boundary ?? usualBoundary}` }),
        ...headers,
      },
      ...(body !== undefined && { body }),
      ...(form && { form }),
      ...(content !== undefined && { content }),
      timeoutMs: environment.timeoutMs,
    }
  }

  /** What the suite's own jobs carry, so that a double of one can be told from somebody else's job. */
  get mark(): { understudy: string } {
    return { understudy: this.environment.tag('run') }
  }

  /** The short clip as the endpoint has it: uploaded once for all checks. */
  video(): Promise<{ url: string; exchange: ObservedExchange }> {
    return this.run.once('short clip', () => this.uploaded(this.environment.clips.short))
  }

  async uploaded(clip: Video, options?: CallOptions): Promise<{ url: string; exchange: ObservedExchange }> {
    const exchange = this.prepared(
      await this.upload(asFile(clip), '/v1/uploads', options),
      'the clip could not be uploaded',
    )
    const url = field(exchange, 'video_url')
    if (typeof url !== 'string' || url === '') return this.must(false, 'the upload gave no video_url')
    return { url, exchange }
  }

  /** POST /v1/jobs with the short clip and these fields. Unless it is a draft, the budget has to allow it. */
  async create(fields: Record<string, unknown> = {}, options?: Paid): Promise<ObservedExchange> {
    const { seconds = this.environment.clips.short.seconds, paid = false, model: _, ...call } = options ?? {}
    const video_url = 'video_url' in fields ? fields.video_url : (await this.video()).url
    // Each is another request: an endpoint may take the same one for a retry (GO-3).
    // That a job starts is said, though it is the default: whether that is right is a check of its own.
    const body = { video_url, auto_start: true, metadata: { ...this.mark, n: this.run.jobIds.size }, ...fields }
    const isDraft = fields.auto_start === false
    this.usesDrafts ||= isDraft
    // Where drafts start by themselves, one costs what a job does.
    if (isDraft && this.run.draftsStart) throw new NotTried(`${noDraftWaits}: it would cost credits`)
    if (!isDraft && !paid) this.run.reserve(documentedPrice(fields.model, seconds))
    let exchange = await this.post('/v1/jobs', body, call)
    // ERR-4: a create may fail in processing; the documented client tries again (ERR-3, RL-3).
    for (let again = 1; exchange.status >= 500 && !call.takesError && again <= 2; again++) {
      await this.sleep(again * 10 * this.environment.pollMs)
      // One that was answered 500 may have been made all the same, and charged.
      if (!isDraft && !paid) this.run.reserve(documentedPrice(fields.model, seconds))
      exchange = await this.post('/v1/jobs', body, call)
    }
    const id = field(exchange, 'id')
    if (typeof id === 'string') this.run.jobIds.add(id)
    // Drafts are free, unless they start by themselves: that is found out with the first, before dozens are charged.
    if (isDraft && typeof id === 'string')
      await this.run
        .once('first draft', () => this.#lookAtDraft(id, documentedPrice(fields.model, seconds)))
        .catch(() => {})
    return exchange
  }

  async #lookAtDraft(id: string, price: number): Promise<void> {
    const status = field(await this.job(id), 'status')
    if (status !== 'processing' && status !== 'completed') return
    this.run.draftsStart = true
    this.run.credits += price
  }

  /** JOB-3: the draft that nobody has started is one still. */
  async watchDraft(): Promise<void> {
    const { run } = this
    if (run.watched === undefined || run.draftsStart) return
    const { id, status } = run.watched
    const exchange = this.prepared(await this.job(id), 'the draft could not be read')
    const found = field(exchange, 'status')
    this.must(found !== undefined, 'the draft shows no status (JOB-5)')
    const expected = `${status} still, as it was not started`
    run.draftsStart = !this.expect('JOB-3', found === status, expected, found, {
      exchange,
      pointer: '/status',
    })
  }

  /**
   * Whether drafts wait, as far as can be told: one that starts by itself may be pending at first, as a draft is (JOB-4). For
   * who is about to accuse the endpoint of what a job does that was made as a draft.
   */
  async draftsWait(): Promise<boolean> {
    const { environment, run } = this
    await run
      .once('drafts wait', async () => {
        const until = environment.now() + environment.queueMs
        while (run.watched !== undefined && !run.draftsStart && environment.now() < until) {
          await this.sleep(environment.pollMs)
          await this.watchDraft()
        }
      })
      .catch(() => {})
    return !run.draftsStart
  }

  /** A draft's id: for checks that need one, and speak of something else. */
  async draft(fields: Record<string, unknown> = {}, options?: CallOptions): Promise<string> {
    this.must(!this.run.draftsStart, noDraftWaits)
    return this.idOf(await this.create({ auto_start: false, ...fields }, options), 'no draft could be made')
  }

  idOf(exchange: ObservedExchange, failure = 'no job could be made'): string {
    const id = field(this.prepared(exchange, failure), 'id')
    if (typeof id !== 'string' || id === '') return this.must(false, `${failure}: its answer has no id`)
    return id
  }

  /** POST /v1/jobs/{id}/start, paid from the budget. */
  start(id: string, fields: Record<string, unknown> | null = {}, options?: Paid): Promise<ObservedExchange> {
    const { seconds = this.environment.clips.short.seconds, paid = false, model, ...call } = options ?? {}
    if (!paid) this.run.reserve(documentedPrice(fields?.model ?? model, seconds))
    return this.post(`/v1/jobs/${encodeURIComponent(id)}/start`, fields ?? undefined, call)
  }

  job(id: string, options?: CallOptions): Promise<ObservedExchange> {
    return this.get(`/v1/jobs/${encodeURIComponent(id)}`, options)
  }

  download(id: string, options?: CallOptions): Promise<ObservedExchange> {
    return this.get(`/api/download/${encodeURIComponent(id)}`, options)
  }

  /** Polls until the job is completed or failed, at the pace of RL-3 off loopback. */
  async finish(id: string, options?: CallOptions): Promise<Polled> {
    const { environment } = this
    const answers: ObservedExchange[] = []
    // Where one job never ended, the next is not waited for as long.
    const until =
      environment.now() + (this.run.stuck === undefined ? environment.jobTimeoutMs : environment.jobTimeoutMs / 10)
    let unknownSince: number | undefined
    for (let waitMs = environment.pollMs; ; waitMs = Math.min(waitMs * 1.2, environment.pollMs * 5)) {
      const exchange = this.prepared(await this.job(id, options), 'the job could not be read')
      answers.push(exchange)
      const job = exchange.json as Job
      if (job?.status === 'completed' || job?.status === 'failed') {
        this.run.endedJobs++
        return { answers, job }
      }
      // It may go on to one that is, and must not be charged in the middle of another check.
      unknownSince = isState(job?.status) ? undefined : (unknownSince ?? environment.now())
      const isUnknown = unknownSince !== undefined && environment.now() >= unknownSince + environment.queueMs
      this.must(!isUnknown, `the job is ${shown(job?.status)}, which is not a documented state`)
      if (environment.now() >= until) this.run.stuck ??= id
      this.must(
        environment.now() < until,
        `the job is still ${shown(job?.status)} after ${Math.round(environment.jobTimeoutMs / 1000)} s (--job-timeout)`,
      )
      await this.sleep(waitMs)
    }
  }

  /** The key's totals of today: what a charge is seen by. */
  async usage(
    options?: CallOptions,
  ): Promise<Record<'total_jobs' | 'completed_jobs' | 'failed_jobs' | 'credits_used', number>> {
    const exchange = this.prepared(await this.get('/v1/usage/summary?days=1', options), 'the usage could not be read')
    const totals = totalsIn(exchange.json)
    const names = ['total_jobs', 'completed_jobs', 'failed_jobs', 'credits_used'] as const
    this.must(
      names.every(name => typeof totals?.[name] === 'number'),
      'the usage says no totals (US-1)',
    )
    return totals as Record<(typeof names)[number], number>
  }

  /** What can't be asked for in a check that runs without it. */
  requires(check: { needs?: readonly Need[] }): void {
    for (const need of check.needs ?? []) {
      const { environment } = this
      const given = {
        key: environment.keys.main,
        secondKey: environment.keys.second,
        emptyAccountKey: environment.keys.emptyAccount,
        failingUrl: environment.failingUrl,
        provoke: environment.mockSupport,
        listener: environment.listener,
        webhookSecret: environment.webhookSecret,
        logs: environment.findInLogs,
      }[need]
      if (given === undefined) this.need(need)
    }
  }
}

/** That a call is answered at all is what its operation's clauses say first. */
export function expectAnswer(t: Probe, error: NoAnswer & { sent?: Sent }, otherwise: ClauseId = 'ERR-1'): void {
  const { sent } = error
  const operation = sent && operationOf(sent.method, sent.url.slice(t.environment.base.length))
  const accused = (operation && shapes[operation]?.clauses.at(-1)?.[1]) ?? [otherwise]
  t.expect(accused, false, 'an HTTP answer', error.message, sent && { exchange: unansweredOf(sent) })
}

/** CR-1: what a job costs. */
export const documentedPrice = (model: unknown, seconds: number): number =>
  ((creditsPerMinute[(model ?? 'original') as Model] ?? creditsPerMinute.original) * seconds) / 60

/** CR-1 with what it leaves open: a server may round the duration up to whole seconds, and the credits up to whole ones. */
export interface Price {
  /** The least that is right. */
  exact: number
  /** What is too much: a whole credit more than the rounded price. */
  below: number
}

export const priceOf = (model: unknown, seconds: number): Price => ({
  exact: documentedPrice(model, seconds),
  // A sum of a few thousandths above a whole number is one of floating point.
  below: Math.ceil(documentedPrice(model, Math.ceil(seconds - 1e-6)) - 1e-6) + 1,
})

const pathOf = ({ sent }: { sent: Sent }): string => new URL(sent.url).pathname
