/** The calls of a load, made ready and kept going: which video they are about, which jobs they ask for. */

import { monotonicMs } from '../base/clock.ts'

import { multipart } from '../base/multipart.ts'
import { ConfigError } from '../base/options.ts'
import { TargetError } from '../base/targetError.ts'
import { field, parse } from '../contracts/answers.ts'

import type { CallName, Mix, Outbound } from './calls.ts'
import type { LoadResponse } from './load/wire.ts'
import { type DrillSession, type Due, requestLabel } from './session.ts'

/** Jobs that polls go round among: enough that no single one is hot, few enough to be of now. */
const mostPolled = 1_000

export class Workload {
  readonly #session: DrillSession
  readonly #key: string
  readonly #upload: { headers: Record<string, string>; body: Uint8Array; form: NonNullable<Outbound['form']> }
  videoUrl = ''
  readonly #polled: string[] = []
  #nextPolled = 0
  #completed = ''
  /** Called with each create that got no 2xx. */
  onRefused: ((n: number, answered: LoadResponse) => void) | undefined

  constructor(session: DrillSession, key: string) {
    this.#session = session
    this.#key = key
    const { name, type, bytes, path } = session.setup.clip
    const content = multipart({ name, type, content: bytes, boundary }) as { chunks: () => Iterable<Uint8Array> }
    this.#upload = {
      headers: { ...this.#headers(), 'content-type': `multipart/form-data; boundary=${boundary}` },
      body: Buffer.concat([...content.chunks()]),
      form: [{ field: 'file', filename: name, type, size: bytes.length, ...(path !== undefined && { path }) }],
    }
  }

  #headers(): Record<string, string> {
    return { ...this.#session.setup.headers, 'x-api-key': this.#key }
  }

  /**
   * A video, a job to poll and, where the mix has downloads, one that is completed. Throws a ConfigError for a key that is
   * not taken, and a TargetError for anything else.
   */
  async prepare(mix: Mix): Promise<void> {
    const video = await this.#ready(this.uploadCall())
    const url = field(jsonOf(video), 'video_url')
    if (typeof url !== 'string') throw new TargetError('the upload was answered without a video_url (UP-3)')
    this.videoUrl = url
    if (shares(mix, ['create', 'poll', 'download']) === 0) return
    const { n, out } = this.createCall()
    this.noteCreate(n, await this.#ready(out))
    const [id] = this.#polled
    if (id === undefined) throw new TargetError('the create was answered without an id that is a text (JOB-2)')
    if (shares(mix, ['download']) > 0) this.#completed = await this.#completion(id)
  }

  /** A call that has to work: with what else is there nothing to drill. */
  async #ready(out: Outbound): Promise<LoadResponse> {
    const answered = await this.#session.ask(out, { counts: false })
    if (answered.status >= 200 && answered.status < 300) return answered
    const said = this.#session.setup.redact(requestLabel(answered))
    if (answered.status === 0) throw new TargetError(said)
    refuseKey(out, answered)
    throw new TargetError(`${out.method} ${out.path} is answered ${said} before any load: there is nothing to drill`)
  }

  async #completion(id: string): Promise<string> {
    const { settings } = this.#session
    const until = monotonicMs() + settings.jobTimeout
    this.#session.phase = 'waiting for a first job'
    for (let waitMs = 100; ; waitMs = Math.min(waitMs * 1.5, 2_000)) {
      const answered = await this.#session.ask({ ...this.pollCall(id), needsBody: true }, { counts: false })
      const status = field(jsonOf(answered), 'status')
      if (status === 'completed') return id
      if (status === 'failed') throw new TargetError('the first job failed: there is nothing to download')
      if (this.#session.stopped) return id
      if (monotonicMs() > until)
        throw new TargetError(`no job was completed within ${settings.jobTimeout / 1000} s (--job-timeout)`)
      await this.#session.sleep(waitMs)
    }
  }

  /** Sends the next call of this name. */
  fire(call: CallName, due: Due): void {
    if (call === 'create') return this.create(due)
    if (call === 'upload') return this.#session.send(this.uploadCall(), due)
    if (call === 'list') return this.#session.send(this.listCall(), due)
    if (call === 'download') return this.#session.send(this.downloadCall(this.#completed), due)
    const id = this.#polled[this.#nextPolled++ % this.#polled.length] as string
    this.#session.send(this.pollCall(id), due)
  }

  create(due: Due): void {
    const { n, out } = this.createCall()
    this.#session.send(out, due, answered => {
      if (!this.noteCreate(n, answered)) this.onRefused?.(n, answered)
    })
  }

  /** The same create again, under the same Idempotency-Key (ID-1), counted as another call. */
  async createAgain(n: number, call: string): Promise<LoadResponse> {
    const answered = await this.#session.ask({ ...this.#createOf(n), call })
    this.noteCreate(n, answered)
    return answered
  }

  /** What became of a create; true for a job. */
  noteCreate(n: number, answered: LoadResponse): boolean {
    const { ledger } = this.#session.setup
    if (answered.status === 0) {
      ledger.unanswered(n)
      return false
    }
    const id = field(jsonOf(answered), 'id')
    if (answered.status < 200 || answered.status >= 300 || typeof id !== 'string') {
      ledger.refused(n)
      return false
    }
    ledger.accepted(n, id)
    if (this.#polled.length < mostPolled) this.#polled.push(id)
    else this.#polled[n % mostPolled] = id
    return true
  }

  createCall(): { n: number; out: Outbound } {
    const n = this.#session.setup.ledger.intend()
    return { n, out: this.#createOf(n) }
  }

  #createOf(n: number): Outbound {
    const { ledger } = this.#session.setup
    return {
      call: 'create',
      operation: 'createJob',
      method: 'POST',
      path: '/v1/jobs',
      headers: { ...this.#headers(), 'content-type': 'application/json', 'idempotency-key': ledger.markOf(n) },
      body: JSON.stringify({ video_url: this.videoUrl, model: 'light', metadata: ledger.metadataOf(n) }),
      needsBody: true,
    }
  }

  pollCall = (id: string): Outbound => this.#get('poll', 'getJob', `/v1/jobs/${encodeURIComponent(id)}`)
  listCall = (limit = 20, offset = 0): Outbound =>
    this.#get('list', 'listJobs', `/v1/jobs?limit=${limit}&offset=${offset}`)
  downloadCall = (id: string): Outbound =>
    this.#get('download', 'getDownload', `/api/download/${encodeURIComponent(id)}`)

  uploadCall(): Outbound {
    return {
      call: 'upload',
      operation: 'uploadVideo',
      method: 'POST',
      path: '/v1/uploads',
      ...this.#upload,
      needsBody: true,
    }
  }

  #get(call: string, operation: NonNullable<Outbound['operation']>, path: string): Outbound {
    return { call, operation, method: 'GET', path, headers: this.#headers() }
  }
}

/** With a key that is not taken there is nothing to drill. */
export function refuseKey({ method, path }: Outbound, answered: LoadResponse, option = '--key'): void {
  const { status } = answered
  if (status === 401 || status === 403)
    throw new ConfigError(`the endpoint answers ${status} to ${method} ${path}; give a valid key with ${option}`)
}

/** A body as the suite's readers take it. */
export const jsonOf = ({ body }: LoadResponse) => ({ json: parse(body.toString('utf8')) })

const boundary = 'understudy-drill-boundary'

const shares = (mix: Mix, calls: readonly CallName[]): number => calls.reduce((sum, call) => sum + (mix[call] ?? 0), 0)
