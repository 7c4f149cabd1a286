/** The script's code that drills have in common, by the name that it defines: what a script says nothing of is not in it. */
export const common: Readonly<Record<string, string>> = {
  isGood: `
/** The status is of a success. */
const isGood = status => status >= 200 && status < 300
`,

  isRetried: `
/** ERR-3: capacity and server errors, and no answer at all, are worth another try; anything else is not. */
const isRetried = status => status === 0 || status === 429 || status >= 500
`,

  jsonOf: `
/** The body as JSON; undefined where it is none. */
function jsonOf({ body }) {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}
`,

  headerOf: `
/** By its name in lower case: k6 writes them as Go does, X-Ratelimit-Limit. */
function headerOf({ headers }, name) {
  const found = Object.keys(headers).find(key => key.toLowerCase() === name)
  return found === undefined ? undefined : String(headers[found])
}
`,

  retryAfterOf: `
/** Seconds that an answer asks to wait (RL-2); 0 where it asks nothing. */
function retryAfterOf(response) {
  const seconds = Number(headerOf(response, 'retry-after') || 0)
  return seconds > 0 ? seconds : 0
}
`,

  isEnvelope: `
/** ERR-1: {error: {code, message, request_id}}, and nothing else. */
function isEnvelope(response) {
  const json = jsonOf(response)
  if (Object.keys(Object(json)).join() !== 'error') return false
  const fields = Object.keys(Object(json.error)).sort().join()
  return fields === 'code,message,request_id' && Object.values(json.error).every(value => typeof value === 'string')
}
`,

  hasRetryAfter: `
/** RL-2: whole seconds. */
const hasRetryAfter = response => response.status !== 429 || /^\\d+$/.test(headerOf(response, 'retry-after') || '')
`,

  judge: `
/** Each answer that is no 2xx, of the load and around it. */
function judge(response, tags) {
  if (response.status === 0 || isGood(response.status)) return
  const conditions = { 'ERR-1 the envelope of an error': isEnvelope, 'RL-2 a 429 has Retry-After': hasRetryAfter }
  broken.add(check(response, conditions, tags) ? 0 : 1, tags)
}
`,

  insist: `
/** The same request until it is answered well, or there is no sense in going on; the last answer. */
function insist(ask) {
  for (let attempt = 0; ; attempt++) {
    const response = ask()
    if (!isRetried(response.status) || attempt === 6) return response
    sleep(Math.max(retryAfterOf(response), backoffOf(attempt)))
  }
}
`,

  backoffOf: `
/** RL-3, in seconds: 1-2, 2-4, 4-8, then 8-16 as the cap. */
function backoffOf(attempt) {
  const base = Math.min(2 ** attempt, 8)
  return base + Math.random() * base
}
`,

  ready: `
/** A call that has to work: with what else is there nothing to drill. */
function ready(response) {
  if (isGood(response.status)) return response
  const why = response.status === 0 ? response.error : response.body
  throw new Error(\`\${response.request.method} \${response.url} is answered \${response.status} before any load: \${why}\`)
}
`,

  upload: `
const upload = (call = 'upload', load = 'yes') =>
  send(call, 'POST', '/v1/uploads', { body: { file: http.file(clip, clipName, clipType) }, load })
`,

  create: `
/** A job under a mark that no other create has: as its Idempotency-Key (ID-1), and in its metadata (GO-7). */
const create = (mark, videoUrl, call = 'create', load = 'yes') =>
  send(call, 'POST', '/v1/jobs', {
    body: JSON.stringify({ video_url: videoUrl, model: 'light', metadata: { understudy_drill: mark } }),
    headers: { 'Content-Type': 'application/json', 'Idempotency-Key': mark },
    load,
  })
`,

  read: `
const read = (id, call = 'poll', load = 'yes') =>
  send(call, 'GET', \`/v1/jobs/\${encodeURIComponent(id)}\`, { name: '/v1/jobs/{job_id}', load })
`,

  download: `
const download = id =>
  send('download', 'GET', \`/api/download/\${encodeURIComponent(id)}\`, { name: '/api/download/{job_id}' })
`,

  newTag: `
/** What no earlier run has drawn. */
const newTag = () => \`k6-\${Date.now().toString(36)}-\${Math.random().toString(36).slice(2, 10)}\`
`,

  idOf: `
/** The id of the job that was made (JOB-2); undefined where none was. */
function idOf(response) {
  if (!isGood(response.status)) return undefined
  const { id } = Object(jsonOf(response))
  if (typeof id === 'string') return id
  broken.add(1, { call: 'create' })
  return undefined
}
`,

  markOf: `
/** Of this iteration, whichever instance makes it. */
const markOf = data => \`\${data.tag}.\${exec.scenario.name}.\${exec.scenario.iterationInTest}\`
`,

  suspect: `
/** A job that was accepted is answered 404: it is lost, if it is not there a second later either. */
function suspect(id) {
  sleep(1)
  const isLost = read(id, 'audit', 'no').status === 404
  if (isLost) lost.add(1)
  return isLost
}
`,

  audit: `
/**
 * Reads the list behind the load (JOB-6), newest first, as far back as the run goes: jobs beyond the first of one mark
 * were doubled (GO-3). Throws where it can't be read: no verdict is better than a good one.
 */
function audit({ tag, jobId }) {
  const shown = new Set()
  const idsOf = {}
  for (let offset = 0; ; offset += 100) {
    const path = \`/v1/jobs?limit=100&offset=\${offset}\`
    const response = insist(() => send('audit', 'GET', path, { name: '/v1/jobs', load: 'no' }))
    const json = jsonOf(response)
    const jobs = Array.isArray(json) ? json : Object(json).jobs
    if (response.status !== 200 || !Array.isArray(jobs))
      throw new Error(\`the list of jobs is answered \${response.status}: whether jobs were doubled is not known\`)
    const before = shown.size
    let own = 0
    for (const { id, metadata } of jobs) {
      shown.add(id)
      const mark = String(Object(metadata).understudy_drill)
      if (!mark.startsWith(\`\${tag}.\`)) continue
      own++
      idsOf[mark] = (idsOf[mark] || new Set()).add(id)
    }
    const isOver = jobId === undefined ? own === 0 && Object.keys(idsOf).length > 0 : shown.has(jobId)
    if (jobs.length < 100 || shown.size === before || isOver) break
  }
  for (const ids of Object.values(idsOf)) doubled.add(ids.size - 1)
}
`,

  listJobs: `
const listJobs = (limit, { load = 'yes', key = apiKey } = {}) =>
  send('list', 'GET', \`/v1/jobs?limit=\${limit}&offset=0\`, { load, key })
`,
}

/** \`extra\` are lines of count() that this drill needs. */
export function sending(extra: readonly string[]): Record<'count' | 'send', string> {
  const isTimed = extra.some(line => line.includes('sentAt'))
  return {
    count: `
/** How a request of the load ended: 429 is none of the 4xx, 0 is no answer. */
function count(status, tags${isTimed ? ', sentAt' : ''}) {
  errors.add(!isGood(status) && status !== 429, tags)
  status4xx.add(status >= 400 && status < 500 && status !== 429, tags)
  status429.add(status === 429, tags)
  status5xx.add(status >= 500, tags)
  noResponse.add(status === 0, tags)
${extra.map(line => `  ${line}\n`).join('')}}
`,
    send: `
/** Sends one request. With \`load\` 'no' it is no part of the load, and counted nowhere. */
function send(call, method, path, { body = null, headers = {}, name = path, load = 'yes', key = apiKey } = {}) {
  const tags = { call, load }
${isTimed ? '  const sentAt = Date.now()\n' : ''}  const response = http.request(method, baseUrl + path, body, {
    headers: { ...ownHeaders, 'X-Api-Key': key, ...headers },
    // Paths with an id in them are one name: k6 keeps a series of each.
    tags: { ...tags, name },
    timeout,
    redirects: 0,
  })
  if (load === 'yes') count(response.status, tags${isTimed ? ', sentAt' : ''})
  judge(response, tags)
  return response
}
`,
  }
}

export const environment = (names: readonly string[]): string => `
/** Without these nothing is sent. */
function demand() {
  const missing = [${names.map(name => `'${name}'`).join(', ')}].filter(name => !__ENV[name])
  if (missing.length > 0) throw new Error(\`give \${missing.map(name => \`-e \${name}=…\`).join(' ')} to k6 run\`)
}
`
