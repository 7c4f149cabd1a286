/**
 * The scripts for k6, run without k6: in a thread of their own, with modules in place of k6's that talk to a mock. What
 * k6 itself checks before a run (executors, names of metrics, expressions) is checked here by its own rules.
 */
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import t, { type Test } from 'tap'
import { packageRoot } from '../../base/paths.ts'
import { interleaved, usualMix } from '../../drills/calls.ts'
import { type K6Input, k6Script } from '../../drills/k6.ts'
import type { DrillSettings } from '../../drills/options.ts'
import { type DrillName, drillNames } from '../../drills/report.ts'
import { prepared } from '../../drills/run.ts'
import { metricOf, parseThreshold, type Threshold, thresholdText } from '../../drills/thresholds.ts'
import type { MockOptions } from '../../server/config.ts'
import { start } from '../support.ts'

const nowhere = 'http://127.0.0.1:4010'

const scriptOf = (drill: DrillName, given: DrillSettings = {}, target = nowhere, change: Partial<K6Input> = {}) =>
  k6Script({ drill, ...prepared(drill, target, given), ...change })

/** k6's modules as far as the scripts go; http really sends, and a sleep moves the time of this thread and of the mock. */
const modules = {
  'package.json': JSON.stringify({
    name: 'k6',
    type: 'module',
    exports: { '.': './k6.js', './execution': './execution.js', './http': './http.js', './metrics': './metrics.js' },
  }),
  'state.js': `
export const state = {}
export function begin(base) {
  const lists = { samples: [], requests: [], slept: [], said: [] }
  Object.assign(state, lists, { base, metrics: {}, tags: {}, startTimes: {}, onSleep: undefined, offset: 0, isRunning: false })
}
const realNow = Date.now
Date.now = () => realNow() + state.offset
`,
  'execution.js': `
const exec = { scenario: {}, vu: {}, test: { abort(why) { throw new Error(why) } } }
export default exec
`,
  'k6.js': `
import { state } from './state.js'
import { stepClock } from './http.js'
import { add } from './metrics.js'
export function sleep(seconds) {
  if (!(seconds >= 0)) throw new Error('sleep of ' + seconds)
  state.slept.push(seconds)
  state.onSleep?.(seconds)
  state.offset += seconds * 1000
  stepClock(seconds)
}
export function check(value, conditions, tags) {
  return Object.entries(conditions).map(([name, holds]) => {
    const ok = Boolean(holds(value))
    add('checks', ok ? 1 : 0, { check: name, ...tags })
    return ok
  }).every(Boolean)
}
`,
  'metrics.js': `
import { state } from './state.js'
export function add(name, value, tags = {}) {
  if (!Number.isFinite(Number(value))) throw new Error(name + ' takes ' + value)
  state.samples.push({ name, value: Number(value), tags: { ...state.tags, ...tags } })
}
const kind = type => class {
  constructor(name, isTime) {
    if (state.isRunning) throw new Error('a metric is declared outside of init')
    if (!/^[a-zA-Z_][a-zA-Z0-9_]{0,127}$/.test(name)) throw new Error('metric name ' + name)
    this.name = name
    state.metrics[name] = type
  }
  add(value, tags) {
    if (!state.isRunning) throw new Error('a value is added in init')
    add(this.name, value, tags)
  }
}
export const Counter = kind('counter'), Rate = kind('rate'), Trend = kind('trend'), Gauge = kind('gauge')
`,
  // k6's calls return when the answer is there: a worker sends, and this thread waits for it.
  'http.js': `
import { state } from './state.js'
import { add } from './metrics.js'
import { MessageChannel, receiveMessageOnPort, Worker } from 'node:worker_threads'
const signal = new Int32Array(new SharedArrayBuffer(4))
const { port1, port2 } = new MessageChannel()
const worker = new Worker(\`
  const { workerData: { port, signal } } = require('node:worker_threads')
  const http = require('node:http')
  const agent = new http.Agent({ keepAlive: true })
  const sent = (method, url, headers, body) => new Promise((resolve, reject) => {
    const request = http.request(url, { method, headers, agent }, response => {
      const chunks = []
      response.on('error', reject).on('data', chunk => chunks.push(chunk)).on('end', () => {
        const all = Buffer.concat(chunks)
        const bytes = all.buffer.slice(all.byteOffset, all.byteOffset + all.length)
        resolve({ status: response.statusCode, headers: response.headers, bytes })
      })
    })
    request.on('error', reject).end(body)
  })
  port.on('message', async ({ method, url, headers, body, file }) => {
    let answer
    try {
      const form = file && new FormData()
      if (file) form.append(file.field, new Blob([file.data], { type: file.type }), file.name)
      const packed = new Response(form || body || undefined)
      const sends = file ? { ...headers, 'content-type': packed.headers.get('content-type') } : headers
      answer = await sent(method, url, sends, form || body ? Buffer.from(await packed.arrayBuffer()) : undefined)
    } catch (error) {
      answer = { status: 0, headers: {}, error: String(error) }
    }
    port.postMessage(answer)
    Atomics.store(signal, 0, 1)
    Atomics.notify(signal, 0)
  })
\`, { eval: true, workerData: { port: port2, signal }, transferList: [port2] })
worker.unref()
port1.unref()
function fetched(request) {
  Atomics.store(signal, 0, 0)
  port1.postMessage(request)
  Atomics.wait(signal, 0, 0)
  return receiveMessageOnPort(port1).message
}
export function stepClock(seconds) {
  const body = JSON.stringify({ step: Math.ceil(seconds * 1000) + 'ms' })
  fetched({ method: 'POST', url: state.base + '/__mock/clock', headers: { 'content-type': 'application/json' }, body })
}
const known = ['headers', 'tags', 'timeout', 'redirects', 'responseType']
function request(method, url, body = null, params = {}) {
  const wrong = Object.keys(params).find(name => !known.includes(name))
  if (wrong) throw new Error('unknown parameter ' + wrong)
  if (!/^\\d+(\\.\\d+)?(ms|s|m)$/.test(params.timeout)) throw new Error('timeout ' + params.timeout)
  for (const value of Object.values(params.headers)) if (typeof value !== 'string') throw new Error('header ' + value)
  const file = body !== null && typeof body === 'object' ? { field: Object.keys(body)[0], ...Object.values(body)[0] } : undefined
  const startedAt = Date.now()
  const answer = fetched({ method, url, headers: params.headers, body: file ? undefined : body, file })
  if (answer.status >= 300 && answer.status < 400 && params.redirects !== 0) throw new Error('k6 would follow this redirect')
  state.requests.push({ method, url, headers: params.headers, tags: params.tags, body: file ? { ...file, data: file.data.byteLength } : body, status: answer.status })
  add('http_req_duration', Date.now() - startedAt, params.tags)
  const canonical = name => name.replace(/(^|-)[a-z]/g, letter => letter.toUpperCase())
  const text = answer.bytes && new TextDecoder().decode(answer.bytes)
  return {
    status: answer.status, error: answer.error || '', url, request: { method },
    headers: Object.fromEntries(Object.entries(answer.headers).map(([name, value]) => [canonical(name), value])),
    body: answer.status === 0 ? null : params.responseType === 'binary' ? answer.bytes : text,
  }
}
export default {
  request,
  get: (url, params) => request('GET', url, null, params),
  file: (data, name, type) => ({ data, name, type: type || 'application/octet-stream' }),
}
`,
}

/** For each message: loads its script, runs what the plan says of it, and tells all that it did. */
const driver = `
import { readFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { begin, state } from './node_modules/k6/state.js'
import exec from './node_modules/k6/execution.js'
for (const level of ['log', 'warn']) console[level] = (...said) => state.said.push(said.join(' '))
const clip = readFileSync('CLIP')
globalThis.open = (path, mode) => {
  if (mode !== 'b') throw new Error('open without b')
  if (path !== './short.mp4') throw new Error('there is no ' + path)
  return clip.buffer.slice(clip.byteOffset, clip.byteOffset + clip.length)
}
parentPort.on('message', async ({ file, plan }) => {
  begin(plan.env.BASE_URL)
  globalThis.__ENV = plan.env
  const script = await import(file).catch(error => ({ error }))
  parentPort.postMessage(script.error ? { error: script.error.stack } : JSON.parse(JSON.stringify(played(script, plan))))
})
const outside = { get() { throw new Error('exec.scenario is of a scenario only') }, configurable: true }
function played(script, plan) {
  const { options } = JSON.parse(JSON.stringify({ options: script.options }))
  state.isRunning = true
  let data, error
  const iterate = (name, n) => {
    const { exec: fn, tags } = options.scenarios[name]
    state.tags = { scenario: name, iteration: String(n), ...tags }
    const startTime = state.startTimes[name] ??= Date.now()
    Object.defineProperty(exec, 'scenario', { value: { name, iterationInTest: n, startTime }, configurable: true })
    exec.vu = { idInTest: 1, iterationInScenario: n }
    script[fn](data)
  }
  try {
    Object.defineProperty(exec, 'scenario', outside)
    if (script.setup) data = JSON.parse(JSON.stringify(script.setup() ?? null))
    for (const [name, count] of Object.entries(plan.iterations)) {
      if (plan.within?.[name]) {
        const inner = plan.within[name]
        state.onSleep = () => {
          state.onSleep = undefined
          for (let n = 0; n < inner.count; n++) iterate(inner.name, 1000 + n)
        }
        state.startTimes[inner.name] ??= Date.now()
      }
      for (let n = 0; n < count; n++) iterate(name, n)
    }
    Object.defineProperty(exec, 'scenario', outside)
    state.tags = {}
    if (script.teardown) script.teardown(data)
  } catch (thrown) {
    error = thrown.stack
  }
  const { metrics, samples, requests, slept, said } = state
  return { options, exported: Object.keys(script), metrics, samples, requests, slept, said, error }
}
`

interface Ran {
  options: {
    scenarios: Record<string, Record<string, unknown> & { executor: string; exec: string }>
    thresholds: Record<string, (string | { threshold: string; abortOnFail?: boolean; delayAbortEval?: string })[]>
    rps?: number
    insecureSkipTLSVerify?: boolean
  }
  exported: string[]
  metrics: Record<string, string>
  samples: { name: string; value: number; tags: Record<string, string> }[]
  requests: {
    method: string
    url: string
    headers: Record<string, string>
    tags: Record<string, string>
    // biome-ignore lint/suspicious/noExplicitAny: a test looks at whatever was sent
    body: any
    status: number
  }[]
  slept: number[]
  said: string[]
  error?: string
}

interface Plan {
  iterations?: Record<string, number>
  env?: Record<string, string>
  /** So many iterations of another scenario within the first sleep of this one. */
  within?: Record<string, { name: string; count: number }>
}

const folder = t.testdir({ 'package.json': '{"type":"module"}', node_modules: { k6: modules } })
writeFileSync(join(folder, 'driver.js'), driver.replace('CLIP', join(packageRoot, 'fixtures', 'clips', 'short.mp4')))
const player = new Worker(join(folder, 'driver.js'))
t.teardown(() => player.terminate())
let scripts = 0

/** One after the other: they share k6's state. */
async function ran(script: string, { iterations = {}, env = {}, within = {} }: Plan): Promise<Ran> {
  const file = join(folder, `script-${++scripts}.js`)
  writeFileSync(file, script)
  player.postMessage({ file, plan: { iterations, env: { API_KEY: 'test_key', ...env }, within } })
  const [answer] = await once(player, 'message')
  return answer
}

const sum = ({ samples }: Ran, name: string, tags: Record<string, string> = {}): number =>
  samples
    .filter(one => one.name === name && Object.entries(tags).every(([tag, value]) => one.tags[tag] === value))
    .reduce((total, { value }) => total + value, 0)

/** What k6 asks of each executor that is used. */
const executors: Record<string, { needs: string[]; takes: string[] }> = {
  'constant-arrival-rate': {
    needs: ['rate', 'duration', 'preAllocatedVUs'],
    takes: ['timeUnit', 'maxVUs'],
  },
  'per-vu-iterations': { needs: [], takes: ['vus', 'iterations', 'maxDuration'] },
  'shared-iterations': { needs: [], takes: ['vus', 'iterations', 'maxDuration'] },
}
const common = ['executor', 'exec', 'startTime', 'gracefulStop', 'env', 'tags']
const durations = ['duration', 'timeUnit', 'maxDuration', 'startTime', 'gracefulStop']
const builtIn: Record<string, string> = { http_req_duration: 'trend', dropped_iterations: 'counter', checks: 'rate' }
const aggregates: Record<string, RegExp> = {
  counter: /^(count|rate)$/,
  rate: /^rate$/,
  trend: /^(avg|min|max|med|p\((\d+|\d+\.\d+)\))$/,
}
const expression = /^([a-z]+(?:\([\d.]+\))?)(<=|>=|===|==|!=|<|>)(\d+(?:\.\d+)?)$/

/** k6 would begin a run with it. */
function isValid(t: Test, { options, exported, metrics }: Ran): void {
  for (const [name, scenario] of Object.entries(options.scenarios)) {
    t.match(name, /^[0-9a-zA-Z_-]+$/)
    const executor = executors[scenario.executor]
    if (!executor) {
      t.fail(`${scenario.executor} is no executor`)
      continue
    }
    for (const field of executor.needs) t.ok(field in scenario, `${name} has ${field}`)
    for (const field of Object.keys(scenario))
      t.ok([...common, ...executor.needs, ...executor.takes].includes(field), `${name} knows ${field}`)
    for (const field of durations) {
      if (field in scenario) t.match(scenario[field], /^\d+(\.\d+)?(ms|s)$/, `${name}.${field}`)
    }
    for (const field of ['rate', 'preAllocatedVUs', 'maxVUs', 'vus', 'iterations']) {
      const value = scenario[field] ?? 1
      t.ok(Number.isInteger(value) && (value as number) > 0, `${name}.${field} is ${value}`)
    }
    t.ok(exported.includes(scenario.exec), `${scenario.exec} is exported`)
  }
  for (const [key, conditions] of Object.entries(options.thresholds)) {
    const [, metric = '', tags] = /^(\w+)(?:\{((?:\w+:[^,{}:]+)(?:,\w+:[^,{}:]+)*)\})?$/.exec(key) ?? []
    const type = builtIn[metric] ?? metrics[metric]
    t.ok(type, `${key} is of a metric that there is`)
    if (tags?.includes('scenario:'))
      t.ok((/scenario:(\w+)/.exec(tags)?.[1] ?? '') in options.scenarios, `${key} is of a scenario that there is`)
    for (const condition of conditions) {
      const text = typeof condition === 'string' ? condition : condition.threshold
      const [, aggregate = ''] = expression.exec(text) ?? []
      t.match(aggregate, aggregates[type as string] ?? /^$/, `${key}: ${text}`)
      if (typeof condition !== 'string') t.match(condition.delayAbortEval, /^\d+(\.\d+)?ms$/)
    }
  }
}

/** Each k6 condition as a Threshold's op and limit, but for those of dropped iterations. */
const conditionsOf = ({ options }: Ran): string[] =>
  Object.entries(options.thresholds)
    .filter(([key]) => !key.startsWith('dropped_iterations'))
    .flatMap(([key, conditions]) =>
      conditions.map(
        one => `${key.replace(/,?step:[^}]+/, '').replace('{}', '')} ${typeof one === 'string' ? one : one.threshold}`,
      ),
    )

const short: Partial<Record<DrillName, DrillSettings>> = {
  ramp: { steps: 3, from: 5, to: 50, stepTime: 1_000 },
  journey: { users: 1 },
  recover: { calls: 8, users: 1 },
  burst: { calls: 30 },
}
const plans: Record<DrillName, Plan & { mock?: MockOptions }> = {
  burst: { iterations: { flood: 30 }, mock: { rateLimit: 20 }, env: { SECOND_KEY: 'test_other' } },
  sustain: { iterations: { load: 50 } },
  ramp: { iterations: { step_1: 25, step_2: 25, step_3: 25 } },
  journey: { iterations: { walk: 2 } },
  outage: { iterations: { load: 25, trouble: 1 }, within: { trouble: { name: 'load', count: 25 } } },
  recover: { iterations: { persist: 8 }, mock: { rateLimit: 3 } },
  soak: { iterations: { load: 25, watch: 1 } },
}

t.test('each drill is a script that k6 would run, and that does to a mock what the drill does', async t => {
  for (const drill of drillNames) {
    await t.test(drill, async t => {
      const { mock: options = {}, ...plan } = plans[drill]
      const mock = await start(t, options)
      const settings = { ...short[drill], ...(drill === 'soak' && { duration: 20_000 }) }
      const script = scriptOf(drill, settings)
      const found = await ran(script, { ...plan, env: { ...plan.env, BASE_URL: mock.url } })
      t.equal(found.error, undefined)
      isValid(t, found)
      for (const name of Object.keys(found.options.scenarios)) t.ok(name in (plan.iterations ?? {}), `${name} was run`)
      t.equal(sum(found, 'broken'), 0, 'the mock breaks no clause')
      for (const name of ['lost', 'doubled', 'retry_after_violations', 'header_mismatches', 'shared_limit', 'given_up'])
        t.equal(sum(found, name), 0, `${name} = 0`)
      t.ok(
        found.requests.every(
          ({ tags, headers }) =>
            tags.call === 'file' || tags.call === 'metrics' || tags.call === 'control' || headers['X-Api-Key'],
        ),
        'each call of the API has the key',
      )
    })
  }
})

t.test(
  'every threshold is in the script with its own operator and limit, or named as one that is not in it',
  async t => {
    const more = [
      'p50 < 101ms',
      'p99.9 <= 2s',
      'max < 3s',
      'create.p95 < 1234ms',
      'no_response < 7%',
      '4xx < 0.05%',
      'p90 > 1ms',
    ]
    const own: Partial<Record<DrillName, string[]>> = {
      sustain: ['throughput >= 45/s'],
      ramp: ['knee >= 20/s', 'completed >= 90%', 'throughput >= 1/s'],
      journey: ['journey.errors < 5%', 'journey.max < 1h', 'throughput > 1/s'],
      burst: ['limited > 0', 'throughput > 5/s'],
      recover: ['limited > 1', 'retry_after_violations = 0'],
      soak: ['drift < 10%', 'throughput >= 9/s'],
    }
    const outside = ['ramp knee', 'ramp throughput', 'burst throughput', 'recover retry_after_violations', 'soak drift']
    for (const drill of drillNames) {
      const mine = [
        ...prepared(drill, nowhere, {}).thresholds,
        ...[...more, ...(own[drill] ?? [])].map(one => parseThreshold(one)),
      ]
      const script = scriptOf(drill, { ...short[drill], header: ['X-Team: blue'] }, nowhere, { thresholds: mine })
      const found = await ran(script, { env: { API_KEY: '' } })
      isValid(t, found)
      t.match(found.error, 'give -e API_KEY=… -e HEADER_X_TEAM=… to k6 run', 'it says what is missing')
      t.same(found.requests, [], 'and sends nothing without')
      const conditions = new Set(conditionsOf(found))
      const isOutside = ({ metric }: Threshold) => outside.includes(`${drill} ${metric}`)
      for (const one of mine) {
        if (isOutside(one)) t.match(script, `\n// - ${thresholdText(one)}: `, 'why it is not in there')
        else
          t.ok(
            conditions.delete(conditionOf(one, drill)),
            `${drill}: ${thresholdText(one)} is ${conditionOf(one, drill)}`,
          )
      }
      const ofLaterSteps = ['answered{load:yes} count>=14.4', 'answered{load:yes} count>=45']
      t.same([...conditions], drill === 'ramp' ? ofLaterSteps : [], `${drill}: and no other`)
    }
  },
)

/** How k6 says it, written down once more. */
function conditionOf({ metric, call, op, limit }: Threshold, drill: DrillName): string {
  const [of, equals] = [call === undefined ? '{load:yes}' : `{call:${call}}`, op === '=' ? '==' : op]
  if (call === 'journey') {
    return metric === 'errors'
      ? `errors{call:journey} rate${op}${limit / 100}`
      : `journey_duration ${percentile(metric)}${op}${limit}`
  }
  if (metricOf(metric).unit === 'ms' && metric !== 'recovery')
    return `http_req_duration${of} ${percentile(metric)}${op}${limit}`
  const name = { '4xx': 'status_4xx', '429': 'status_429', '5xx': 'status_5xx' }[metric as string] ?? metric
  if (['errors', 'no_response'].includes(name) || name.startsWith('status_'))
    return `${name}${of} rate${equals}${limit / 100}`
  if (metric === 'finished') return `finished rate${equals}${limit / 100}`
  if (metric === 'completed') {
    const due = { sustain: 1500, soak: 6000 }[drill as string]
    // Of the first of a ramp's steps, at 5/s for a second: each has its own.
    return `answered{load:yes} count${op}${due === undefined ? 4.5 : (due * limit) / 100}`
  }
  if (metric === 'throughput')
    return drill === 'journey'
      ? `ended rate${op}${limit}`
      : `ended count${op}${limit * { sustain: 30, soak: 600 }[drill as 'soak']}`
  const isWorked = ['recovery', 'slowdown', 'memory', 'handles'].includes(metric)
  return `${metric} ${isWorked ? 'max' : 'count'}${equals}${limit}`
}

const percentile = (metric: string): string => (metric === 'max' ? 'max' : `p(${metric.slice(1)})`)

t.test("a ramp's steps each end the run by themselves, and their counts are of what is due in each", async t => {
  const script = scriptOf('ramp', {
    steps: 3,
    from: 5,
    to: 50,
    stepTime: 2_000,
    threshold: [parseThreshold('completed >= 90%')],
  })
  const { options } = await ran(script, { env: { API_KEY: '' } })
  t.same(
    Object.values(options.scenarios).map(({ startTime, duration, rate, timeUnit, tags }) => ({
      startTime,
      duration,
      rate,
      timeUnit,
      tags,
    })),
    [
      { startTime: '0ms', duration: '2000ms', rate: 50, timeUnit: '10s', tags: { step: '1_at_5' } },
      { startTime: '2000ms', duration: '2000ms', rate: 160, timeUnit: '10s', tags: { step: '2_at_16' } },
      { startTime: '4000ms', duration: '2000ms', rate: 500, timeUnit: '10s', tags: { step: '3_at_50' } },
    ],
  )
  t.same(options.thresholds['http_req_duration{load:yes,step:2_at_16}'], [
    { threshold: 'p(99)<500', abortOnFail: true, delayAbortEval: '4000ms' },
  ])
  t.same(options.thresholds['answered{load:yes,step:2_at_16}'], ['count>=28.8'], 'judged at the end alone')
  t.equal(options.thresholds['http_req_duration{load:yes}'], undefined)
})

t.test(
  'the calls come as the drill sends them, with its headers and bodies, and what is not the load is tagged so',
  async t => {
    const mock = await start(t)
    const script = scriptOf('sustain', { header: ['X-Team: blue', 'x.odd: 1'] })
    const found = await ran(script, {
      iterations: { load: 50 },
      env: { BASE_URL: `${mock.url}/`, HEADER_X_TEAM: 'red', HEADER_X_ODD: 'yes' },
    })
    t.equal(found.error, undefined)
    const next = interleaved(usualMix)
    t.same(
      found.requests.filter(({ tags }) => tags.load === 'yes').map(({ tags }) => tags.call),
      Array.from({ length: 50 }, next),
    )
    for (const { headers } of found.requests)
      t.match(headers, { 'X-Team': 'red', 'x.odd': 'yes', 'X-Api-Key': 'test_key' })
    const creates = found.requests.filter(({ method, url }) => method === 'POST' && url === `${mock.url}/v1/jobs`)
    const marks = creates.map(({ headers }) => headers['Idempotency-Key'])
    t.equal(new Set(marks).size, creates.length, 'each create has a mark of its own')
    for (const { body, headers } of creates)
      t.match(JSON.parse(body), {
        video_url: String,
        model: 'light',
        metadata: { understudy_drill: headers['Idempotency-Key'] },
      })
    const [upload] = found.requests
    const { length } = readFileSync(join(packageRoot, 'fixtures', 'clips', 'short.mp4'))
    t.same(upload?.body, { field: 'file', name: 'short.mp4', type: 'video/mp4', data: length }, 'UP-4')
    const paths = new Set(found.requests.map(({ tags }) => tags.name))
    t.same([...paths].sort(), [
      '/api/download/{job_id}',
      '/v1/jobs',
      '/v1/jobs/{job_id}',
      '/v1/jobs?limit=20&offset=0',
      '/v1/uploads',
    ])
  },
)

t.test('no secret is in a script', t => {
  for (const drill of drillNames) {
    const script = scriptOf(drill, {
      key: 'canary_key',
      adminToken: 'canary_token',
      header: ['Authorization: canary_header'],
      ca: '/home/canary/ca.pem',
      ...(drill === 'burst' && { secondKey: 'canary_second' }),
      ...(drill === 'soak' && {
        metricsUrl: 'https://canary_user:canary_password@metrics.example/m?token=canary_query',
      }),
      ...(drill === 'outage' && { outageStart: 'kill canary', outageStop: 'start canary' }),
      ...(['sustain', 'journey'].includes(drill) && { clip: '/home/canary/mine.webm' }),
    })
    t.notMatch(script, /canary/, drill)
    t.match(script, '{ Authorization: __ENV.HEADER_AUTHORIZATION }')
  }
  t.end()
})

t.test('what is asked for changes the script', async t => {
  const optionsOf = async (drill: DrillName, given: DrillSettings, env: Record<string, string> = {}) =>
    (await ran(scriptOf(drill, given), { env: { API_KEY: '', ...env } })).options
  t.match(
    (await optionsOf('sustain', { rate: 0.25, duration: 1_500, timeout: 2_500, maxConnections: 40 })).scenarios.load,
    {
      rate: 25,
      timeUnit: '100s',
      duration: '1500ms',
      preAllocatedVUs: 1,
      maxVUs: 2,
      gracefulStop: '3500ms',
    },
  )
  t.match((await optionsOf('sustain', { rate: 500, maxConnections: 40 })).scenarios.load, {
    preAllocatedVUs: 40,
    maxVUs: 40,
  })
  const shared = await optionsOf('sustain', {}, { INSTANCES: '4' })
  t.match(shared.thresholds, {
    'answered{load:yes}': ['count>=371.25'],
    'dropped_iterations{scenario:load}': ['count<=3.75'],
    'errors{load:yes}': ['rate<0.01'],
  })
  t.match((await optionsOf('journey', { users: 7, journeys: 3 })).scenarios.walk, { vus: 7, iterations: 3 })
  t.match((await optionsOf('recover', { users: 7, calls: 90 })).scenarios.persist, { vus: 7, iterations: 90 })
  t.match((await optionsOf('burst', { connections: 50, calls: 30 })).scenarios.flood, { vus: 30, iterations: 30 })
  t.match(await optionsOf('burst', { maxRate: 90, insecure: true }), { rps: 90, insecureSkipTLSVerify: true })
  t.match((await optionsOf('outage', { outageAt: 4_000, outageFor: 2_500 })).scenarios.trouble, { startTime: '4s' })
  for (const given of [{ outageStart: 'x', outageStop: 'y' }, { control: false }]) {
    t.same(Object.keys((await optionsOf('outage', given)).scenarios), ['load'])
    t.match(scriptOf('outage', given).replaceAll('\n//  ', ''), 'cause it yourself, 10 s behind the start of the load')
  }
  const mix = { create: 1, list: 0.5 }
  t.match(scriptOf('sustain', { mix }), 'const mix = { create: 2, list: 1 }')
  t.match(scriptOf('sustain', { mix: { create: 1, poll: 1_999 } }), /const mix = { create: 1, poll: 1000 }/)
  t.match(scriptOf('sustain', { timeout: 1_500 }), "const timeout = '1500ms'")
  t.match(scriptOf('sustain', {}, 'https://api.example/base'), "__ENV.BASE_URL || 'https://api.example/base'")
})

t.test('every mix is a script that runs', async t => {
  const mock = await start(t)
  const mixes = [{ create: 1 }, { poll: 1 }, { list: 1 }, { download: 1 }, { upload: 1 }, { create: 1, upload: 1 }]
  for (const mix of mixes) {
    for (const drill of 'create' in mix ? (['sustain', 'outage'] as const) : (['sustain'] as const)) {
      const found = await ran(scriptOf(drill, { mix }), { iterations: { load: 12 }, env: { BASE_URL: mock.url } })
      t.equal(found.error, undefined)
      isValid(t, found)
      t.equal(sum(found, 'broken') + sum(found, 'lost') + sum(found, 'doubled'), 0)
      t.same(
        [...new Set(found.requests.filter(({ tags }) => tags.load === 'yes').map(({ tags }) => tags.call))].sort(),
        Object.keys(mix),
      )
    }
  }
})

/** An API that goes wrong where it is told to. */
async function wrongApi(
  t: Test,
  answer: (path: string, method: string, n: number) => [number, unknown, Record<string, string>?] | undefined,
) {
  const jobs: Record<string, unknown>[] = []
  let n = 0
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      const { url = '', method = '' } = request
      const reply = (status: number, value: unknown, headers: Record<string, string> = {}) => {
        response.writeHead(status, { 'content-type': 'application/json', ...headers })
        response.end(typeof value === 'string' ? value : JSON.stringify(value))
      }
      if (url.startsWith('/__mock')) return reply(404, {})
      const wrong = answer(url, method, n++)
      if (wrong) return reply(...wrong)
      if (url === '/v1/uploads') return reply(200, { video_url: 'https://x.example/v.mp4' })
      if (method === 'POST') {
        const id = `job_${jobs.length}`
        jobs.unshift({ id, metadata: JSON.parse(body).metadata })
        return reply(200, { id })
      }
      if (url.startsWith('/v1/jobs?')) {
        const [limit = 0, offset = 0] = (/limit=(\d+)&offset=(\d+)/.exec(url) ?? []).slice(1).map(Number)
        return reply(200, { jobs: jobs.slice(offset, offset + limit) })
      }
      reply(200, { status: 'completed', progress: 100 })
    })
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, jobs }
}

t.test('jobs that are lost and jobs that are doubled are found, over many pages', async t => {
  const api = await wrongApi(t, (path, method) =>
    // The first job of the load, and those whose number ends as its own does, are not there.
    method === 'GET' && /^\/v1\/jobs\/job_\d*1$/.test(path)
      ? [404, { error: { code: 'not_found', message: 'm', request_id: 'r' } }]
      : undefined,
  )
  const found = await ran(scriptOf('sustain', { mix: { create: 1, poll: 1 } }), {
    iterations: { load: 220 },
    env: { BASE_URL: api.url },
  })
  t.equal(found.error, undefined)
  t.equal(sum(found, 'jobs_accepted'), 110)
  t.ok(sum(found, 'jobs_read_again') >= 109)
  t.equal(sum(found, 'lost'), 11)
  t.equal(sum(found, 'doubled'), 0)
  const twice = await wrongApi(t, () => undefined)
  twice.jobs.push = () => 0
  const original = twice.jobs.unshift.bind(twice.jobs)
  twice.jobs.unshift = (...made) => original(...made, ...made.map(job => ({ ...job, id: `${job.id}_again` })))
  const doubled = await ran(scriptOf('sustain', { mix: { create: 1, poll: 1 } }), {
    iterations: { load: 120 },
    env: { BASE_URL: twice.url },
  })
  t.equal(doubled.error, undefined)
  t.ok(sum(doubled, 'doubled') >= 60, `${sum(doubled, 'doubled')} doubled, the first of all setup's own`)
})

t.test('an answer that breaks ERR-1 or RL-2 is broken, and counts as what it is', async t => {
  const cases: [string, [number, unknown, Record<string, string>?], Record<string, number>][] = [
    ['HTML', [502, '<html>'], { broken: 1, errors: 1, status_5xx: 1 }],
    [
      'a field more',
      [400, { error: { code: 'c', message: 'm', request_id: 'r', more: 1 } }],
      { broken: 1, errors: 1, status_4xx: 1 },
    ],
    ['beside it', [400, { error: { code: 'c', message: 'm', request_id: 'r' }, ok: false }], { broken: 1, errors: 1 }],
    ['no text', [404, { error: { code: 'c', message: null, request_id: 'r' } }], { broken: 1, status_4xx: 1 }],
    [
      'no wait',
      [429, { error: { code: 'c', message: 'm', request_id: 'r' } }],
      { broken: 1, errors: 0, status_429: 1, status_4xx: 0 },
    ],
    [
      'half a second',
      [429, { error: { code: 'c', message: 'm', request_id: 'r' } }, { 'retry-after': '0.5' }],
      { broken: 1 },
    ],
    [
      'as it should be',
      [429, { error: { code: 'c', message: 'm', request_id: 'r' } }, { 'retry-after': '1' }],
      { broken: 0, status_429: 1 },
    ],
    [
      'a redirect',
      [302, { error: { code: 'c', message: 'm', request_id: 'r' } }, { location: '/health' }],
      { broken: 0, errors: 1, status_4xx: 0 },
    ],
    ['good', [200, { jobs: [] }], { broken: 0, errors: 0, answered: 1 }],
  ]
  let n = 0
  const api = await wrongApi(t, path => (path.startsWith('/v1/jobs?limit=20') ? cases[n++]?.[1] : undefined))
  const found = await ran(scriptOf('sustain', { mix: { list: 1 } }), {
    iterations: { load: cases.length },
    env: { BASE_URL: api.url },
  })
  t.equal(found.error, undefined)
  for (const [i, [name, , sums]] of cases.entries()) {
    for (const [metric, value] of Object.entries(sums))
      t.equal(sum(found, metric, { iteration: String(i) }), value, `${name}: ${metric}`)
  }
  const gone = await ran(scriptOf('burst', {}), {
    iterations: { flood: 2 },
    env: { BASE_URL: 'http://127.0.0.1:9' },
  })
  t.match([sum(gone, 'no_response'), sum(gone, 'errors'), sum(gone, 'broken')], [2, 2, 0])
})

t.test('where there is nothing to drill it ends before any load, and says why', async t => {
  const api = await wrongApi(t, path =>
    path === '/v1/uploads'
      ? [401, { error: { code: 'invalid_api_key', message: 'no such key', request_id: 'r' } }]
      : undefined,
  )
  const found = await ran(scriptOf('sustain'), { iterations: { load: 5 }, env: { BASE_URL: api.url } })
  t.match(found.error, /POST .*\/v1\/uploads is answered 401 before any load: .*no such key/)
  t.equal(found.requests.length, 1)
  const unread = await wrongApi(t, path => (path.includes('limit=100') ? [403, {}] : undefined))
  const { error } = await ran(scriptOf('sustain'), { iterations: { load: 5 }, env: { BASE_URL: unread.url } })
  t.match(error, 'the list of jobs is answered 403: whether jobs were doubled is not known')
})

t.test(
  'a Retry-After is waited for: one that was a lie is found (RL-2), and a failure behind the outage is slow recovery',
  async t => {
    const refused = (seconds: string): [number, unknown, Record<string, string>] => [
      429,
      { error: { code: 'rate_limited', message: 'm', request_id: 'r' } },
      { 'retry-after': seconds, 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '2' },
    ]
    const liar = await wrongApi(t, () => refused('7'))
    const burst = await ran(scriptOf('burst'), {
      iterations: { flood: 3 },
      env: { BASE_URL: liar.url, SECOND_KEY: 'k' },
    })
    t.match(
      [
        sum(burst, 'retry_after_violations'),
        sum(burst, 'shared_limit'),
        sum(burst, 'limited'),
        sum(burst, 'header_mismatches'),
      ],
      [1, 3, 3, 3],
    )
    t.same(burst.slept, [7.25])
    const recover = await ran(scriptOf('recover'), { iterations: { persist: 1 }, env: { BASE_URL: liar.url } })
    t.equal(sum(recover, 'given_up'), 1)
    t.ok(recover.slept.every(seconds => seconds >= 7 && seconds <= 16))
    t.equal(recover.slept.length, 20)
    const late = await wrongApi(t, () => refused('3600'))
    const short = await ran(scriptOf('recover', { maxWait: 60_000 }), {
      iterations: { persist: 1 },
      env: { BASE_URL: late.url },
    })
    t.match([sum(short, 'given_up'), short.slept], [1, []], 'longer than --max-wait')
    const down = await wrongApi(t, (_path, _method, n) => (n < 2 ? undefined : [500, {}]))
    const outage = await ran(scriptOf('outage', { mix: { create: 1 }, outageAt: 1, outageFor: 1 }), {
      iterations: { load: 1 },
      env: { BASE_URL: down.url },
    })
    t.equal(sum(outage, 'given_up'), 1)
    const behind = outage.samples.filter(({ name }) => name === 'recovery').map(({ value }) => value)
    t.ok(Math.max(...behind) > 60_000, 'of the last try')
  },
)
