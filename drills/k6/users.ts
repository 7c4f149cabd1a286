/** The script's code of the drills that have no rate of their own: burst, journey, recover. */

const plainSetup = (data: string): string => `
/** Runs before the load. */
export function setup() {
  demand()
  return ${data}
}
`

export const burstCode = `${plainSetup('{}')}
/** One request, at once behind the one before. */
export function flood() {
  const response = listJobs(1)
  limited.add(response.status === 429 ? 1 : 0)
  headerMismatches.add(isContradictory(response) ? 1 : 0)
}

/** RL-2: what the limit headers of one answer say that can't be. */
function isContradictory(response) {
  const left = headerOf(response, 'x-ratelimit-remaining')
  if (left === undefined) return false
  const limit = Number(headerOf(response, 'x-ratelimit-limit'))
  if (response.status === 429 ? Number(left) !== 0 : Number(left) < 0 || Number(left) >= limit) return true
  const draft = /(?:^|;)\\s*r=(\\d+)/.exec(headerOf(response, 'ratelimit') || '')
  return draft !== null && draft[1] !== left
}

/** Behind the burst: is a second key free meanwhile (RL-1), and is waiting for Retry-After enough (RL-2)? */
export function teardown() {
  const response = listJobs(1, { load: 'no' })
  if (response.status !== 429) {
    console.warn(\`answered \${response.status} after the burst: there is no Retry-After to wait for\`)
    return
  }
  if (!__ENV.SECOND_KEY) console.warn('whether two keys share a limit needs a second one: -e SECOND_KEY=…')
  else for (let i = 0; i < 3; i++) sharedLimit.add(listJobs(1, { load: 'no', key: __ENV.SECOND_KEY }).status === 429 ? 1 : 0)
  const wait = retryAfterOf(response)
  if (wait === 0 || wait * 1000 > maxWaitMs) {
    console.warn(\`its Retry-After is \${wait} s: that is not waited for\`)
    return
  }
  // Timers and the way there are not exact.
  sleep(wait + 0.25)
  retryAfterViolations.add(listJobs(1, { load: 'no' }).status === 429 ? 1 : 0)
}
`

export const recoverCode = `${plainSetup('{ startedAt: Date.now() }')}
/** One request until it is through: what is refused comes again as RL-3 says. */
export function persist() {
  for (let attempt = 0; attempt < 20; attempt++) {
    const response = listJobs(1)
    limited.add(response.status === 429 ? 1 : 0)
    if (isGood(response.status)) {
      givenUp.add(0)
      return
    }
    const wait = retryAfterOf(response)
    if (!isRetried(response.status) || wait * 1000 > maxWaitMs) break
    sleep(Math.max(wait, backoffOf(attempt)))
  }
  givenUp.add(1)
}

/** The time till all were through, by the best that the limit allows, as its headers tell it. */
export function teardown({ startedAt }) {
  const tookMs = Date.now() - startedAt
  const response = listJobs(1, { load: 'no' })
  const limit = Number(headerOf(response, 'x-ratelimit-limit') || 0)
  const window = /;\\s*w=(\\d+)/.exec(headerOf(response, 'ratelimit-policy') || '')
  if (!(limit > 0) || window === null) {
    console.warn('the headers tell neither a limit nor a window: there is no best to measure against (RL-2)')
    return
  }
  const bestMs = Math.floor((calls - 1) / limit) * Number(window[1]) * 1000
  if (bestMs > 0) slowdown.add(tookMs / bestMs)
  else console.warn(\`\${calls} requests are within the limit of \${limit}: nothing had to wait\`)
}
`

/** `extra` are lines for the end of a journey. */
export const journeyCode = (extra: readonly string[]): string => `${plainSetup('{ tag: newTag() }')}
/** One journey, to its output or to where it ended. */
export function walk(data) {
  // Not all in the same millisecond.
  if (exec.vu.iterationInScenario === 0) sleep(((exec.vu.idInTest - 1) % users) / users)
  const startedAt = Date.now()
  const isFinished = walkOnce(data)
  journeyDuration.add(Date.now() - startedAt)
  finished.add(isFinished)
${extra.map(line => `  ${line}\n`).join('')}}

function walkOnce(data) {
  const videoUrl = Object(jsonOf(insist(() => upload()))).video_url
  if (typeof videoUrl !== 'string') return false
  const mark = markOf(data)
  const id = idOf(insist(() => create(mark, videoUrl)))
  if (id === undefined) return false
  accepted.add(1)
  if (!isCompleted(id)) return false
  const found = insist(() => download(id))
  return isThere(Object(jsonOf(found)).download_url)
}

/** RL-3: polls begin 2 s apart and slow down to 10 s, until a terminal state (JOB-4). */
function isCompleted(id) {
  const until = Date.now() + jobTimeoutMs
  for (let poll = 0; ; poll++) {
    sleep(Math.min(2 * 1.5 ** poll, 10))
    const response = insist(() => read(id))
    if (poll === 0 && response.status !== 0) readAgain.add(1)
    if (response.status === 404) suspect(id)
    const { status } = Object(jsonOf(response))
    if (status === 'completed') return true
    if (status === 'failed' || (response.status >= 400 && !isRetried(response.status))) return false
    if (Date.now() > until) return false
  }
}

/** DL-3: a GET on it gives the file; it may lie on another host, which our headers are not for. */
function isThere(url) {
  if (!/^https?:\\/\\//.test(String(url))) return false
  const tags = { call: 'file', load: 'yes' }
  const response = http.get(url, {
    headers: url.startsWith(\`\${baseUrl}/\`) ? ownHeaders : {},
    tags: { ...tags, name: 'output file' },
    timeout,
    responseType: 'binary',
  })
  count(response.status, tags)
  return response.status === 200 && response.body !== null && response.body.byteLength > 0
}

export function teardown(data) {
  audit(data)
}
`
