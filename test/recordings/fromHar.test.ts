/** `understudy scenarios from-har`: what a recording's failures come to as a scenario, and that it plays them again. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { RunningMock } from '../../client/mock.ts'
import type { HarEntry } from '../../recordings/har.ts'
import { scenarioFromRecording } from '../../server/scenarios/fromHar.ts'
import { Library } from '../../server/scenarios/library.ts'
import { clip, isProving, scenarioOfEachKind, start, understudy } from '../support.ts'

/** By then every job has ended that ever does. */
const mostPolls = 11
const key = 'test_from_har'
const schema = 'scenario.schema.json'

interface Habits {
  patienceMs: number
  /** The mock's time goes so many times as fast, and is stepped where the client waits. */
  speed: number
  /** Of its videos. */
  seconds: number
}

/** A client that tries again what it may, and keeps a line of each thing that it met. */
async function session({ url, clock }: RunningMock, { patienceMs, seconds }: Habits): Promise<string[]> {
  const lines: string[] = []
  const bytes = await clip('short.mp4')
  const note = (line: string): void => {
    if (lines.at(-1) !== line) lines.push(line)
  }
  // biome-ignore lint/suspicious/noExplicitAny: it reads whatever came
  async function call(name: string, path: string, init: RequestInit = {}): Promise<{ status: number; body?: any }> {
    for (let tries = 1; ; tries++) {
      const headers = { 'x-api-key': key, ...(init.headers as Record<string, string>) }
      const signal = AbortSignal.timeout(path.startsWith('/v1/jobs') ? patienceMs : 10_000)
      const to = path.startsWith('http') ? path : url + path
      const got = await fetch(to, { ...init, headers, signal })
        .then(async answer => ({ answer, text: await answer.text() }))
        .catch(() => undefined)
      let body: { error?: { code?: string } } | undefined
      try {
        body = JSON.parse(got?.text ?? '')
      } catch {}
      const status = got?.answer.status ?? 0
      const isHtml = got?.answer.headers.get('content-type')?.includes('html')
      note(
        `${name} ${got === undefined ? 'cut' : isHtml ? `${status} html` : `${status} ${body?.error?.code ?? ''}`}`.trim(),
      )
      if ((status !== 0 && status !== 429 && status < 500) || tries === 4) return { status, body }
      const said = Number(got?.answer.headers.get('retry-after') ?? 0) * 1000
      clock.step((said > 0 ? said : 0) + 2_000 * tries)
    }
  }
  const form = new FormData()
  form.append('file', new Blob([new Uint8Array(bytes)], { type: 'video/mp4' }), 'short.mp4')
  for (let tries = 0; tries < 3; tries++) {
    if ((await call('upload', '/v1/uploads', { method: 'POST', body: form })).status === 200) break
  }
  for (let n = 0; n < 4; n++) {
    const { body: made, status } = await call('create', '/v1/jobs', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'idempotency-key': `job-${n}` },
      body: JSON.stringify({ video_url: `https://example.com/cat.mp4#t=${seconds}` }),
    })
    if (status !== 200) continue
    for (let polls = 0; polls < mostPolls; polls++) {
      // Often enough at first to meet a limit, and then until a job without an end is known to be stuck.
      clock.step(polls < 5 ? '1s' : '2m')
      const { status, body } = await call('poll', `/v1/jobs/${made.id}`)
      if (status !== 200) break
      if (body?.status === 'completed' || body?.status === 'failed' || polls === mostPolls - 1)
        note(`${body?.status} ${body?.error}`)
      if (body?.status === 'completed') {
        for (let tries = 0; tries < 3; tries++) {
          const { status, body } = await call('download', `/api/download/${made.id}`)
          if (status !== 200) continue
          await call('file', body.download_url)
          break
        }
      }
      if (body?.status === 'completed' || body?.status === 'failed') break
    }
  }
  return lines
}

async function sessionUnder(t: Test, scenario: string, habits: Habits): Promise<{ lines: string[]; har: string }> {
  const mock = await start(t, { scenario, credits: 10_000 })
  mock.clock.setSpeed(habits.speed)
  const lines = await session(mock, habits)
  return { lines, har: mock.journal.har() }
}

const kinds: readonly string[] = scenarioOfEachKind
const withCalls = new Library(undefined)
  .names()
  .filter(name => !/^webhook|^slow-(network|accept)$|^job-slow-progress$|^upload-cut$|^no-cors$/.test(name))

t.test(
  'each shipped scenario about calls: recorded, made a scenario and played, it is the same to the client',
  async t => {
    t.ok(withCalls.length >= 20, `${withCalls.length} scenarios`)
    t.jobs = 4
    for (const name of isProving ? withCalls : withCalls.filter(one => kinds.includes(one))) {
      t.test(name, async t => {
        const dir = t.testdir()
        const file = join(dir, `${name}.har`)
        // Long enough for a busy machine, where nothing is waited for in vain.
        const patienceMs = /^no-answer$|-stalls$/.test(name) ? 400 : 10_000
        // Four of 12 s are more than its credits.
        const seconds = name === 'credits-run-out-midway' ? 12 : 2
        // A busy machine is to meet a window of 10 s too.
        const speed = name === 'rate-limited-burst' ? 1 : 50
        const habits = { patienceMs, seconds, speed }
        const { lines, har } = await sessionUnder(t, name, habits)
        writeFileSync(file, har)
        const made = scenarioFromRecording(file, { name: 'again', schema })
        t.ok(made, 'something failed')
        writeFileSync(join(dir, 'again.yaml'), made?.yaml ?? '')
        t.notMatch(made?.yaml, key, 'no key is in it')
        const again = await sessionUnder(t, join(dir, 'again.yaml'), habits)
        t.same(again.lines, lines)
      })
    }
  },
)

const golden = `# yaml-language-server: $schema=scenario.schema.json
# Made by understudy scenarios from-har incident.har: 32 calls, 2026-03-01T14:00:00.000Z to 2026-03-01T14:00:31.040Z,
# the failures of the world d49ceb843cf7. The last calls of a route come first: a rule counts only the calls that no rule
# above it took, so that each number is the one of the recording.
# Left out, as the mock gives it by itself, or as it was the client:
#   1 x 404 not_found on GET /v1/jobs/{job_id}: that job was not made in the recording

name: incident
description: 'What was recorded in incident.har: 2 x 500 internal_error on POST /v1/jobs, 1 x 429 rate_limited on POST
  /v1/jobs, 1 x 418 teapot on POST /v1/jobs, 1 x 400 invalid_request on POST /v1/jobs, 1 x job failed on POST /v1/jobs,
  1 x job stuck on POST /v1/jobs, 1 x cut before head on GET /v1/jobs/{job_id}, 1 x 503 on GET /v1/jobs/{job_id}, ….'
clauses: [ ERR-3, JOB-4, GO-5, RL-2, RL-3 ]
rules:
  # 2026-03-01T14:00:31.000Z, req_31
  - name: 'createJob 7: 400 invalid_request'
    when: { route: POST /v1/jobs, calls: 7 }
    then: { error: invalid_request, message: No }
  # 2026-03-01T14:00:30.000Z, req_30
  - name: 'createJob 6: 418 teapot'
    when: { route: POST /v1/jobs, calls: 6 }
    then:
      error: invalid_request
      status: 418
      message: I am one
      patch:
        error:
          code: teapot
  # 2026-03-01T14:00:09.000Z, job_2: 20 polls until 2026-03-01T14:00:29.040Z
  - name: 'createJob 5: job stuck'
    when: { route: POST /v1/jobs, calls: 5 }
    then: { job: { outcome: stuck, stuck_at: 42 } }
  # 2026-03-01T14:00:03.000Z, job_1
  - name: 'createJob 4: job failed'
    when: { route: POST /v1/jobs, calls: 4 }
    then: { job: { outcome: failed, error: The model crashed } }
  # 2026-03-01T14:00:02.000Z, req_2
  - name: 'createJob 3: 429 rate_limited'
    when: { route: POST /v1/jobs, calls: 3 }
    then: { error: rate_limited, message: 'Slow down, $API_KEY', retry_after: 7 }
  # 2026-03-01T14:00:00.000Z, req_0
  # 2026-03-01T14:00:01.000Z, req_1
  - name: 'createJob 1-2: 500 internal_error'
    when: { route: POST /v1/jobs, calls: 1-2 }
    then: { error: processing_failed }
  # 2026-03-01T14:00:22.000Z
  - name: 'getJob 18: slow'
    when: { route: 'GET /v1/jobs/{job_id}', calls: 18 }
    then: { delay: 9s }
  # 2026-03-01T14:00:07.000Z
  - name: 'getJob 4: 503'
    when: { route: 'GET /v1/jobs/{job_id}', calls: 4 }
    then: { fault: { type: proxy_html, status: 503 } }
  # 2026-03-01T14:00:06.000Z
  - name: 'getJob 3: cut before head'
    when: { route: 'GET /v1/jobs/{job_id}', calls: 3 }
    then: { fault: reset }
`

/** An incident as a recorder writes it: one client, a second between its calls. */
function incident(): HarEntry[] {
  const entries: HarEntry[] = []
  const add = (method: string, path: string, status: number, body: unknown, more: Partial<HarEntry> = {}) =>
    entries.push({
      startedDateTime: new Date(Date.parse('2026-03-01T14:00:00Z') + entries.length * 1000).toISOString(),
      time: 40,
      request: {
        method,
        url: `https://api.example.com${path}`,
        headers: [{ name: 'X-Api-Key', value: 'live_secret_key_1' }],
        ...(method === 'POST' && { postData: { text: '{"video_url":"https://example.com/a.mp4"}' } }),
      },
      response: {
        status,
        headers: [{ name: 'content-type', value: 'application/json' }],
        content: { text: typeof body === 'string' ? body : JSON.stringify(body) },
      },
      ...more,
    })
  const error = (code: string, message: string) => ({ error: { code, message, request_id: `req_${entries.length}` } })
  const made = (id: string) => ({ success: true, id, status: 'pending', message: 'ok' })
  const job = (id: string, status: string, progress: number, text: string | null = null) => ({
    ...made(id),
    status,
    progress,
    error: text,
  })
  add('POST', '/v1/jobs', 500, error('internal_error', 'Processing failed'))
  add('POST', '/v1/jobs', 500, error('internal_error', 'Processing failed'))
  add('POST', '/v1/jobs', 429, error('rate_limited', 'Slow down, live_secret_key_1'))
  entries[2]?.response.headers.push({ name: 'Retry-After', value: '7' })
  add('POST', '/v1/jobs', 200, made('job_1'))
  add('GET', '/v1/jobs/job_nobody', 404, error('not_found', 'Job not found'))
  add('GET', '/v1/jobs/job_1', 200, job('job_1', 'processing', 10))
  add('GET', '/v1/jobs/job_1', 0, '', { _cut: { by: 'server', when: 'before_head', how: 'reset' } })
  add('GET', '/v1/jobs/job_1', 503, '<html>busy</html>')
  entries[7]?.response.headers.splice(0, 1, { name: 'content-type', value: 'text/html' })
  add('GET', '/v1/jobs/job_1', 200, job('job_1', 'failed', 10, 'The model crashed'))
  add('POST', '/v1/jobs', 200, made('job_2'))
  for (let n = 0; n < 20; n++)
    add('GET', '/v1/jobs/job_2', 200, job('job_2', 'processing', 42), n === 12 ? { time: 9000 } : {})
  add('POST', '/v1/jobs', 418, error('teapot', 'I am one'))
  add('POST', '/v1/jobs', 400, error('invalid_request', 'No'))
  return entries
}

function written(t: Test, entries: HarEntry[], name = 'incident.har'): string {
  const file = join(t.testdir(), name)
  writeFileSync(file, JSON.stringify({ log: { entries } }))
  return file
}

t.test(
  'a scenario reads like the incident: what, when, which request; what the client did wrong is left out',
  async t => {
    const made = scenarioFromRecording(written(t, incident()), { schema })
    t.equal(made?.name, 'incident')
    t.equal(made?.yaml, golden)
    t.notMatch(made?.yaml, 'live_secret')
  },
)

t.test('what the mock gives by itself is left out; what no client can have caused is in it', async t => {
  const entries = incident().slice(0, 4)
  const [failed, , , made] = entries as [HarEntry, HarEntry, HarEntry, HarEntry]
  const answered = (status: number, code: string, message: string, change: (entry: HarEntry) => void = () => {}) => {
    const entry = structuredClone(failed)
    entry.startedDateTime = new Date(Date.parse(made.startedDateTime) + 5000 + status).toISOString()
    entry.response.status = status
    entry.response.content = { text: JSON.stringify({ error: { code, message, request_id: `req_of_${status}` } }) }
    change(entry)
    return entry
  }
  const cases: [name: string, entry: HarEntry, isIn: boolean][] = [
    ['a body that fits is refused', answered(400, 'invalid_request', 'No'), true],
    [
      'a body that does not',
      answered(400, 'invalid_request', 'No', e => void Object.assign(e.request, { postData: { text: '{}' } })),
      false,
    ],
    ['a key that was good', answered(401, 'invalid_api_key', 'Invalid API key'), true],
    ['no key', answered(401, 'missing_api_key', 'Missing API key', e => void e.request.headers.splice(0)), false],
    ['no credits', answered(402, 'insufficient_credits', 'Not enough'), true],
    ['a wrong content type', answered(415, 'invalid_request', 'No'), false],
    [
      'a job of its own is not found',
      answered(
        404,
        'not_found',
        'Job not found',
        e => void Object.assign(e.request, { method: 'GET', url: 'https://api.example.com/v1/jobs/job_1' }),
      ),
      true,
    ],
    [
      'a download that came too early',
      answered(
        400,
        'invalid_request',
        'Job not completed',
        e => void Object.assign(e.request, { method: 'GET', url: 'https://api.example.com/api/download/job_1' }),
      ),
      false,
    ],
  ]
  for (const [name, entry, isIn] of cases) {
    const drafted = scenarioFromRecording(written(t, [failed, made, entry]), { schema })
    const id = `req_of_${entry.response.status}`
    t.equal(drafted?.yaml.includes(`, ${id}`), isIn, name)
  }
})

t.test('the command writes to stdout or to a file that can be played, and says what it did', async t => {
  const run = (...args: string[]) => understudy(['scenarios', ...args])
  const file = written(t, incident(), 'incident.har')
  const dir = join(file, '..')
  const good = join(dir, 'good.har')
  writeFileSync(good, JSON.stringify({ log: { entries: incident().slice(3, 4) } }))
  const out = join(dir, 'march-first.yaml')

  const shown = await run('from-har', file)
  t.match(shown, { code: 0, stdout: /^# yaml-language-server: \$schema=scenarios\/scenario\.schema\.json\n/ })
  t.match(shown.stderr, /^9 rules from the world d49ceb843cf7\nleft out: 1 x 404 not_found/)
  const saved = await run('from-har', file, '--out', out)
  t.match(saved, { code: 0, stdout: '', stderr: /is written\. Try it:/ })
  t.match(readFileSync(out, 'utf8'), /^name: march-first$/m)
  t.match(await run('validate', out), { code: 0, stdout: /march-first is valid: 9 rules/ })

  const none = await run('from-har', good, '--out', join(dir, 'none.yaml'))
  t.match(none, { code: 1, stdout: '', stderr: /nothing in it failed, so no scenario was written/ })
  t.notOk(existsSync(join(dir, 'none.yaml')))

  const wrong: [string[], RegExp][] = [
    [['--out', out], /already exists/],
    [['--out', join(dir, 'x.json')], /expected a \.yaml file/],
    [['--out', join(dir, 'b.yaml'), '--name', 'c'], /expected one of the two/],
    [['--name', 'No Name'], /is not a name for a scenario/],
    [['--world', 'nobody'], /has no world "nobody"; expected one of d49ceb843cf7/],
    [['--base', 'https://elsewhere.test'], /holds no call below https:\/\/elsewhere\.test/],
  ]
  for (const [args, says] of wrong) t.match(await run('from-har', file, ...args), { code: 2, stdout: '', stderr: says })
  t.match(await run('from-har', join(dir, 'missing.har')), { code: 2, stderr: /missing\.har/ })
})
