/** The sample client: brings its clips through, one after the other, as its policy has it. */
import type { Answer, Clip, Delivery, Environment } from './environment.ts'
import { lostAnswer } from './environment.ts'
import { type Ask, isLost, type Policy } from './policy.ts'

/** How a job came to its end: stuck when it came to none, and refused when it can't be told. */
type End = 'completed' | 'failed' | 'stuck' | 'refused'

/** What a webhook has told of a job; `signal` is aborted by it. */
interface News {
  end: End | undefined
  readonly heard: AbortController
}

/** How often "Job not completed" is believed of a job that is. */
const downloadRounds = 5

/** A client of that policy. It says how each clip went. */
export function clientOf(policy: Policy): (environment: Environment) => Promise<string> {
  return environment => new Client(environment, policy).run()
}

class Client {
  readonly #environment: Environment
  readonly #policy: Policy
  readonly #news = new Map<string, News>()
  /** Deliveries that were answered well, and those that were acted on. */
  readonly #taken = new Set<string>()
  readonly #acted = new Set<string>()
  /** Jobs that were brought home already. */
  readonly #done = new Set<string>()

  constructor(environment: Environment, policy: Policy) {
    this.#environment = environment
    this.#policy = policy
  }

  async run(): Promise<string> {
    const environment = this.#environment
    environment.receive({ answer: delivery => this.#answer(delivery), act: delivery => this.#act(delivery) })
    for (const ask of this.#policy.prepare(environment)) await this.#ask(ask)
    const said: string[] = []
    for (const clip of environment.clips) {
      const how = await this.#bringThrough(clip)
      said.push(`${clip.filename} ${how}`)
      // Without a valid key or credits, the next clip would fare no better.
      if (/^(401|402) /.test(how)) break
    }
    return said.join(', ')
  }

  async #bringThrough(clip: Clip): Promise<string> {
    const uploaded = await this.#upload(clip)
    if (uploaded.status !== 200) return `${uploaded.status} on upload`
    const { video_url } = jsonOf(uploaded) as { video_url: string }
    const created = await this.#create(clip, video_url)
    if (created.status !== 200) return `${created.status} on creation`
    const { id } = jsonOf(created) as { id: string }
    for (let n = 0; n < this.#policy.asksDownloadFirst; n++)
      await this.#ask({ method: 'GET', path: `/api/download/${id}` })
    let end = await this.#watch(id)
    if (end === 'failed') {
      const again = await this.#startAgain(id)
      if (again.status !== 200) return `${again.status} on the second start`
      end = await this.#watch(id)
    }
    return end === 'completed' ? this.#download(id) : end
  }

  #upload(clip: Clip): Promise<Answer> {
    const { filename, type, bytes, announcedBytes } = this.#policy.fileOf(clip)
    const boundary = '---------------clip'
    const head = `--${boundary}\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\nContent-Type: ${type}\r\n\r\n`
    return this.#ask({
      method: 'POST',
      path: '/v1/uploads',
      headers: {
        'content-type': `multipart/form-data; boundary=${boundary}`,
        // Nobody waits for the rest of what was announced.
        ...(announcedBytes !== undefined && { 'content-length': String(announcedBytes), connection: 'close' }),
      },
      body: Buffer.concat([Buffer.from(head), bytes, Buffer.from(`\r\n--${boundary}--\r\n`)]),
      idempotencyKey: `upload ${filename}`,
    })
  }

  #create({ filename, model }: Clip, videoUrl: string): Promise<Answer> {
    const body = {
      video_url: videoUrl,
      model,
      output_format: 'webm',
      webhook_url: this.#environment.webhookUrl,
      metadata: this.#policy.metadataOf(this.#environment),
    }
    return this.#ask({ ...jsonPost('/v1/jobs', body), idempotencyKey: `create ${filename}` })
  }

  #startAgain(id: string): Promise<Answer> {
    this.#news.delete(id)
    return this.#ask({ ...jsonPost(`/v1/jobs/${id}/start`, {}), idempotencyKey: `start ${id}` })
  }

  /** Polls a job until it is over, or a webhook says that it is. */
  async #watch(id: string): Promise<End> {
    const { pollPauseMs, patienceMs, pollsAfterEnd } = this.#policy
    const environment = this.#environment
    const news = this.#newsOf(id)
    const { signal } = news.heard
    const startedAt = environment.now()
    for (let poll = 0; environment.now() - startedAt < patienceMs; poll++) {
      await environment.sleep(
        pollPauseMs(poll, () => environment.random()),
        signal,
      )
      if (news.end === undefined) {
        const end = await this.#poll(id, signal)
        // Meanwhile a webhook may have told it.
        news.end ??= end
      }
      if (news.end === undefined) continue
      for (let more = 0; more < pollsAfterEnd; more++) {
        await environment.sleep(pollPauseMs(poll + 1 + more, () => environment.random()))
        // It polls on, but it does not ask again for what is refused.
        if ((await this.#poll(id)) !== news.end) break
      }
      return news.end
    }
    return 'stuck'
  }

  /** How a job has ended; undefined while it has not. */
  async #poll(id: string, signal?: AbortSignal): Promise<End | undefined> {
    const answer = await this.#ask({ method: 'GET', path: `/v1/jobs/${id}` }, signal)
    if (answer.status !== 200) return signal?.aborted ? undefined : 'refused'
    const { status } = jsonOf(answer) as { status: string }
    return status === 'completed' || status === 'failed' ? status : undefined
  }

  /** ERR-4: "Job not completed" means to poll again until it is. */
  async #download(id: string): Promise<string> {
    if (this.#done.has(id)) return 'came home before'
    for (let round = 0; round < downloadRounds; round++) {
      const answer = await this.#ask({ method: 'GET', path: `/api/download/${id}` })
      if (answer.status === 200) {
        const { download_url } = jsonOf(answer) as { download_url: string }
        return this.#fetchFile(id, download_url)
      }
      if (answer.status !== 400) return `${answer.status} on download`
      this.#news.delete(id)
      const end = await this.#watch(id)
      if (end !== 'completed') return end
    }
    return 'was never ready'
  }

  /** A file that breaks off is asked for from where it did. */
  async #fetchFile(id: string, url: string): Promise<string> {
    let have: Buffer = Buffer.alloc(0)
    let etag: string | undefined
    for (let retry = 0; ; retry++) {
      const rest: Record<string, string> =
        have.length > 0 && etag !== undefined ? { range: `bytes=${have.length}-`, 'if-range': etag } : {}
      const answer = await this.#once({ method: 'GET', path: url, headers: rest }, 0)
      if (answer.status === 200) have = answer.bytes
      if (answer.status === 206) have = Buffer.concat([have, answer.bytes])
      etag = answer.headers.etag ?? etag
      const isThere = (answer.status === 200 || answer.status === 206) && answer.isWhole
      if (isThere) {
        this.#done.add(id)
        return `came home with ${have.length} bytes`
      }
      if (!this.#policy.isRetried(answer, { method: 'GET', path: url }) || retry + 1 >= this.#policy.tries)
        return `${answer.status} on the file`
      await this.#environment.sleep(this.#policy.pauseMs(retry, answer, () => this.#environment.random()))
    }
  }

  /** One call with its retries; they end early when `signal` says that nobody wants to know any more. */
  async #ask(ask: Ask, signal?: AbortSignal): Promise<Answer> {
    const { tries, isRetried, pauseMs } = this.#policy
    let answer = lostAnswer
    for (let attempt = 0; attempt < tries && signal?.aborted !== true; attempt++) {
      answer = await this.#once(ask, attempt)
      if (!isRetried(answer, ask) || attempt + 1 === tries) break
      const ms = pauseMs(attempt, answer, () => this.#environment.random())
      await this.#environment.sleep(ms, signal)
    }
    return isLost(answer) ? lostAnswer : answer
  }

  #once({ method, path, headers, body, idempotencyKey }: Ask, attempt: number): Promise<Answer> {
    const { urlOf, sendsKey, timeoutMs, idempotencyKeyOf } = this.#policy
    const environment = this.#environment
    const url = urlOf(environment, path)
    const named = idempotencyKey === undefined ? undefined : idempotencyKeyOf(idempotencyKey, attempt)
    return environment.call({
      method,
      url,
      headers: {
        ...headers,
        ...(sendsKey(environment, url) && { 'x-api-key': environment.key }),
        ...(named !== undefined && { 'idempotency-key': named }),
      },
      ...(body !== undefined && { body }),
      timeoutMs,
    })
  }

  #newsOf(id: string): News {
    let news = this.#news.get(id)
    if (news === undefined) {
      news = { end: undefined, heard: new AbortController() }
      this.#news.set(id, news)
    }
    return news
  }

  #answer(delivery: Delivery): number | undefined {
    const status = this.#policy.answerHook(delivery, this.#taken.has(delivery.id), this.#environment)
    if (status !== undefined && status < 300) this.#taken.add(delivery.id)
    return status
  }

  /** A webhook that was answered. What it tells of a job is as good as a poll. */
  #act(delivery: Delivery): void {
    const isKnown = this.#acted.has(delivery.id)
    if (!this.#policy.believesHook(delivery, isKnown, this.#environment)) return
    this.#acted.add(delivery.id)
    const { event, data } = JSON.parse(delivery.body) as { event: string; data: { id: string } }
    if (event !== 'job.completed' && event !== 'job.failed') return
    // Acted on twice: nobody looked whether it was known.
    if (isKnown && event === 'job.completed') {
      this.#done.delete(data.id)
      void this.#download(data.id)
      return
    }
    const news = this.#newsOf(data.id)
    news.end = event === 'job.completed' ? 'completed' : 'failed'
    news.heard.abort()
  }
}

const jsonPost = (path: string, body: unknown): Ask => ({
  method: 'POST',
  path,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
})

const jsonOf = (answer: Answer): unknown => JSON.parse(answer.bytes.toString())
