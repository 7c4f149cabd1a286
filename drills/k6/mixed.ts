/** The script's code of the drills over the mix of calls: sustain, ramp, outage, soak. */
import type { Mix } from '../calls.ts'
import { callNames } from '../calls.ts'

/** k6's iterations are numbered, and know nothing of one another: the order of the calls is a list that they go along. */
const mostInOrder = 1_000

/** The shares as the smallest whole numbers; rounded, where the list would be too long. */
export function wholeMix(mix: Mix): { mix: Mix; isRounded: boolean } {
  const names = callNames.filter(name => (mix[name] ?? 0) > 0)
  const weights = names.map(name => mix[name] as number)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  for (const factor of [1, 10, 100, 1_000]) {
    const scaled = weights.map(weight => Math.round(weight * factor))
    if (scaled.some((weight, i) => Math.abs(weight - (weights[i] as number) * factor) > 1e-6)) continue
    const divisor = scaled.reduce(greatestCommon)
    if ((total * factor) / divisor > mostInOrder) break
    return {
      mix: Object.fromEntries(names.map((name, i) => [name, (scaled[i] as number) / divisor])),
      isRounded: false,
    }
  }
  const rounded = names.map((name, i) => [
    name,
    Math.max(1, Math.round(((weights[i] as number) / total) * mostInOrder)),
  ])
  return { mix: Object.fromEntries(rounded), isRounded: true }
}

function greatestCommon(a: number, b: number): number {
  return b === 0 ? a : greatestCommon(b, a % b)
}

/** Smooth weighted round robin, as the drill does it: the same calls in the same order. */
export const order = `
/** The calls one after the other, each as often as its share and as evenly spread as can be: no chance is needed. */
function interleaved(shares) {
  const names = Object.keys(shares)
  const total = names.reduce((sum, name) => sum + shares[name], 0)
  const current = names.map(() => 0)
  return Array.from({ length: total }, () => {
    let best = 0
    for (let i = 0; i < names.length; i++) {
      current[i] += shares[names[i]]
      if (current[i] > current[best]) best = i
    }
    current[best] -= total
    return names[best]
  })
}

const order = interleaved(mix)
`

interface Parts {
  mix: Mix
  isOutage: boolean
  /** The outage is the mock's own. */
  isControlled: boolean
}

const has = (mix: Mix, call: keyof Mix): boolean => (mix[call] ?? 0) > 0
/** Something is said of a job. */
export const needsJob = (mix: Mix): boolean => has(mix, 'create') || has(mix, 'poll') || has(mix, 'download')

export function mixedCode({ mix, isOutage, isControlled }: Parts): string {
  return [
    setup(mix, isControlled),
    loadFunction(mix),
    has(mix, 'create') ? (isOutage ? makeInOutage(has(mix, 'poll')) : make(has(mix, 'poll'))) : '',
    has(mix, 'poll') ? poll(has(mix, 'create')) : '',
    isControlled ? trouble : '',
    teardown(mix, isControlled),
  ].join('')
}

const setup = (mix: Mix, isControlled: boolean): string => `
/** A video, a job and, where the mix has downloads, its completion. Runs before the load, and counts nowhere. */
export function setup() {
  demand()
  const data = { tag: newTag() }
${
  isControlled
    ? `  const clock = control('GET', 'clock')
  data.isMock = clock.status === 200 && typeof Object(jsonOf(clock)).frozen === 'boolean'
`
    : ''
}  data.videoUrl = Object(jsonOf(ready(upload('setup', 'no')))).video_url
  if (typeof data.videoUrl !== 'string') throw new Error('the upload was answered without a video_url (UP-3)')
${
  needsJob(mix)
    ? `  data.jobId = idOf(ready(create(\`\${data.tag}.setup\`, data.videoUrl, 'setup', 'no')))
  if (data.jobId === undefined) throw new Error('the create was answered without an id (JOB-2)')
`
    : ''
}${has(mix, 'download') ? '  awaitCompletion(data.jobId)\n' : ''}  return data
}
${
  has(mix, 'download')
    ? `
function awaitCompletion(id) {
  const until = Date.now() + jobTimeoutMs
  for (let pause = 0.1; ; pause = Math.min(pause * 1.5, 2)) {
    const { status } = Object(jsonOf(read(id, 'setup', 'no')))
    if (status === 'completed') return
    if (status === 'failed') throw new Error('the first job failed: there is nothing to download')
    if (Date.now() > until) throw new Error(\`no job was completed within \${jobTimeoutMs / 1000} s\`)
    sleep(pause)
  }
}
`
    : ''
}`

const calls = {
  create: 'make(data)',
  poll: 'poll(data)',
  list: 'listJobs(20)',
  download: 'download(data.jobId)',
  upload: 'upload()',
} as const

/** No call is left over for the last of them. */
function loadFunction(mix: Mix): string {
  const names = callNames.filter(name => has(mix, name))
  const [last] = names.slice(-1) as [keyof typeof calls]
  const lines = names.map(name =>
    name === last ? `  ${calls[name]}` : `  if (call === '${name}') return ${calls[name]}`,
  )
  return `
/** One request of the load. It begins when it is due, whatever became of those before it. */
export function load(${needsJob(mix) ? 'data' : ''}) {
${names.length > 1 ? '  const call = order[exec.scenario.iterationInTest % order.length]\n' : ''}${lines.join('\n')}
}
`
}

const knownJobs = `
/** Jobs that this VU made: VUs share no memory. \`unread\` are those that no poll has come by yet. */
const known = []
const unread = []
const mostKnown = 100

function remember(id) {
  accepted.add(1)
  unread.push(id)
  known.push(id)
  if (known.length > mostKnown) known.shift()
}
`

const make = (hasPolls: boolean): string =>
  hasPolls
    ? `
function make(data) {
  const id = idOf(create(markOf(data), data.videoUrl))
  if (id !== undefined) remember(id)
}
`
    : `
/** No poll of this mix would ever come by a job: one in ten is read again at once, as no part of the load. */
function make(data) {
  const id = idOf(create(markOf(data), data.videoUrl))
  if (id === undefined) return
  accepted.add(1)
  if (exec.scenario.iterationInTest % 10 > 0) return
  readAgain.add(1)
  if (read(id, 'audit', 'no').status === 404) suspect(id)
}
`

const makeInOutage = (hasPolls: boolean): string => `
/** RL-3 caps at 16 s: four of the longest waits. */
const mostRetryMs = 64_000

/** What is refused comes again under the same Idempotency-Key, as RL-3 says: it makes no second job (GO-3). */
function make(data) {
  const mark = markOf(data)
  const since = Date.now()
  let response = create(mark, data.videoUrl)
  let id = idOf(response)
  if (id === undefined) {
    for (let attempt = 0; isRetried(response.status) && Date.now() - since < mostRetryMs; attempt++) {
      sleep(Math.max(retryAfterOf(response), backoffOf(attempt)))
      response = create(mark, data.videoUrl, 'retry')
    }
    id = idOf(response)
    givenUp.add(id === undefined ? 1 : 0)
  }
  if (id !== undefined) ${hasPolls ? 'remember(id)' : 'accepted.add(1)'}
}
`

const poll = (hasCreates: boolean): string =>
  hasCreates
    ? `${knownJobs}
let polls = 0

/** Of a job that was not read yet, else of those of this VU in turn, else of the first one. */
function poll(data) {
  const isFirst = unread.length > 0
  const id = unread.shift() || known[polls++ % known.length] || data.jobId
  const { status } = read(id)
  if (isFirst && status !== 0) readAgain.add(1)
  if (status !== 404 || !suspect(id)) return
  for (let i = known.length - 1; i >= 0; i--) if (known[i] === id) known.splice(i, 1)
}
`
    : `
function poll(data) {
  if (read(data.jobId).status === 404) suspect(data.jobId)
}
`

const trouble = `
const control = (method, path, body = null) =>
  http.request(method, \`\${baseUrl}/__mock/\${path}\`, body === null ? null : JSON.stringify(body), {
    headers: {
      ...ownHeaders,
      ...(body === null ? {} : { 'Content-Type': 'application/json' }),
      ...(__ENV.ADMIN_TOKEN ? { 'X-Admin-Token': __ENV.ADMIN_TOKEN } : {}),
    },
    tags: { call: 'control', load: 'no', name: '/__mock' },
    timeout,
  })

const mend = () => control('DELETE', \`scenario?key=\${encodeURIComponent(apiKey)}\`)

/** The outage: the mock plays a scenario to this key. k6 begins it at its startTime. */
export function trouble(data) {
  if (!data.isMock) {
    console.warn(\`no mock is here that could fail: cause the outage yourself, \${outageAtMs} ms behind the start\`)
    return
  }
  const response = control('PUT', 'scenario', { scenario: outageScenario, key: apiKey })
  if (response.status !== 200) exec.test.abort(\`the mock does not play \${outageScenario}: \${response.body}\`)
  sleep(outageForMs / 1000)
  mend()
}
`

const teardown = (mix: Mix, isControlled: boolean): string =>
  needsJob(mix)
    ? `
export function teardown(data) {
${isControlled ? '  // However the run ended, what was broken is mended.\n  if (data.isMock) mend()\n' : ''}  audit(data)
}
`
    : ''

export const watch = `
/** Names as Node's and most other clients of Prometheus write them. */
const gauges = {
  memory: /^process_resident_memory_bytes(?:\\{[^}]*\\})? ([0-9.eE+-]+)/m,
  handles:
    /^(?:nodejs_active_resources|nodejs_active_resources_total|nodejs_active_handles_total|process_open_fds)(?:\\{[^}]*\\})? ([0-9.eE+-]+)/m,
}

const meanOf = values => values.reduce((sum, value) => sum + value, 0) / values.length

/** The server's own numbers, from time to time: their growth from the second fifth of the run to the last, in %. */
export function watch() {
  const points = { memory: [], handles: [] }
  const everyMs = Math.max(250, durationMs / 120)
  const headers = metricsUrl.startsWith(\`\${baseUrl}/\`) ? ownHeaders : {}
  for (const until = Date.now() + durationMs; Date.now() < until; sleep(everyMs / 1000)) {
    const { body } = http.get(metricsUrl, { headers, tags: { call: 'metrics', load: 'no', name: 'metrics' }, timeout })
    for (const name of Object.keys(gauges)) {
      const found = gauges[name].exec(String(body))
      if (found) points[name].push(Number(found[1]))
    }
  }
  const growth = { memory, handles }
  for (const name of Object.keys(gauges)) {
    const values = points[name]
    const fifth = n => values.slice(Math.floor((values.length * n) / 5), Math.floor((values.length * (n + 1)) / 5))
    if (values.length < 5) console.warn(\`\${metricsUrl} told nothing of \${name}: its threshold holds for want of proof\`)
    else growth[name].add((meanOf(fifth(4)) / meanOf(fifth(1)) - 1) * 100)
  }
}
`
