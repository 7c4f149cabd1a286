// A client as the documentation asks for one, without any library: what `understudy rehearse` grades green.
// Run it: understudy rehearse -- node test/recipes/client.mjs
import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'

const base = process.env.UNDERSTUDY_BASE_URL ?? 'http://127.0.0.1:4010'
const key = process.env.UNDERSTUDY_API_KEY ?? 'test_key'

const tries = 5
const answerWithinMs = 10_000
const jobWithinMs = 60_000
const longestWaitMs = 60_000

/** RL-3: 1-2 s, 2-4 s, 4-8 s, then 8-16 s; never less than the server asks for (RL-2). */
const backoffMs = (attempt, retryAfterMs) =>
  Math.max(Math.min(8, 2 ** attempt) * 1000, retryAfterMs) * (1 + Math.random())

/** Retry-After in seconds, or until a date; what is neither asks for nothing. */
function askedMs(asked) {
  if (/^\d+$/.test(asked)) return Number(asked) * 1000
  return /^[A-Z][a-z]{2}, /.test(asked) ? Math.max(0, Date.parse(asked) - Date.now()) : 0
}

/** What is worth another try (ERR-3): limits, the server's own errors, no answer, and one that makes no sense. */
async function call(method, url, { body, headers = {}, as = 'json' } = {}) {
  for (let attempt = 0; ; attempt++) {
    let retryAfterMs = 0
    let why
    try {
      const response = await fetch(url, {
        method,
        headers: { ...headers, ...(body && { 'Content-Type': 'application/json' }) },
        body: body && JSON.stringify(body),
        signal: AbortSignal.timeout(answerWithinMs),
      })
      if (response.ok) return as === 'json' ? await response.json() : await response.arrayBuffer()
      const { error } = await response.json().catch(() => ({}))
      why = `${response.status} ${error?.code ?? ''} ${error?.request_id ?? ''}`
      if (response.status !== 429 && response.status < 500) throw new Refused(why)
      retryAfterMs = askedMs(response.headers.get('Retry-After') ?? '')
      if (retryAfterMs > longestWaitMs) throw new Refused(`${why}: asked to wait ${retryAfterMs / 1000} s`)
    } catch (error) {
      if (error instanceof Refused) throw error
      why ??= error.message
    }
    console.log(`${method} ${url}: ${why}`)
    if (attempt === tries - 1) throw new Error(`gave up after ${tries} tries: ${why}`)
    await sleep(backoffMs(attempt, retryAfterMs))
  }
}

/** A 4xx: sending it again would change nothing (ERR-3). */
class Refused extends Error {}

const keyed = { 'X-Api-Key': key }

async function main() {
  // One Idempotency-Key for the job, the same on every try: a lost answer makes no second one (GO-3).
  const { id } = await call('POST', `${base}/v1/jobs`, {
    headers: { ...keyed, 'Idempotency-Key': randomUUID() },
    body: { video_url: 'https://example.com/cat.mp4#t=5', metadata: { user: 'u_1' } },
  })
  const giveUpAt = Date.now() + jobWithinMs
  for (let pauseMs = 2000; ; pauseMs = Math.min(pauseMs * 1.5, 10_000)) {
    const job = await call('GET', `${base}/v1/jobs/${id}`, { headers: keyed })
    if (job.status === 'completed') break
    if (job.status === 'failed') throw new Error(`the job failed: ${job.error}`)
    if (Date.now() > giveUpAt) throw new Error(`the job is stuck at ${job.progress} %`)
    await sleep(pauseMs)
  }
  const { download_url } = await call('GET', `${base}/api/download/${id}`, { headers: keyed })
  // The URL is enough: the key stays at home (AUTH-1).
  const video = await call('GET', download_url, { as: 'bytes' })
  console.log(`${id}: ${video.byteLength} bytes`)
}

main().catch(error => {
  console.error(error.message)
  process.exitCode = 1
})
