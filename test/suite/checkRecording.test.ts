/**
 * `understudy check FILE.har`: recorded traffic judged, nothing accused that is right, and each planted breach
 * found. What the suite itself sends is recorded and judged in check.test.ts.
 */
import { createHash } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { packageRoot } from '../../base/paths.ts'
import type { RunningMock } from '../../client/mock.ts'
import type { HarEntry } from '../../recordings/har.ts'
import { Library } from '../../server/scenarios/library.ts'
import { checkRecording } from '../../suite/checkRecording.ts'
import type { Report } from '../../suite/report.ts'
import { client, cliPath, clip, isProving, maxMemoryMb, scenarioOfEachKind, start } from '../support.ts'
import { checkCommand, clauseOf, ended, having, listening, spawned } from './checking.ts'

function written(t: Test, har: string | HarEntry[], name = 'traffic.har'): string {
  const file = join(t.testdir(), name)
  writeFileSync(file, typeof har === 'string' ? har : JSON.stringify({ log: { entries: har } }))
  return file
}

const evidenceIn = (report: Report): string =>
  JSON.stringify(
    report.clauses
      .filter(({ verdict }) => verdict === 'failed')
      .flatMap(({ id, evidence }) => evidence.map(({ expected, found, pointer }) => [id, expected, found, pointer])),
  )
const brokenIn = (file: string): string[] => having(checkRecording(file), 'failed')

/** Where webhooks arrive. Unused ones too are taken. */
async function receiver(t: Test): Promise<string> {
  const server = createServer((request, response) => void text(request).then(() => response.end()))
  return `http://127.0.0.1:${await listening(t, server)}/hook`
}

/** Every route, good calls and refused ones, several clients: what does not fit a scenario is answered by it. */
async function session(mock: RunningMock, hook: string): Promise<void> {
  const api = client(mock, 'test_first_key')
  const other = client(mock, 'test_other_key')
  const nobody = client(mock, null)
  const bytes = await clip('short.mp4')
  const quiet = (call: Promise<unknown>) => call.catch(() => undefined)
  for (const upload of [
    () => api.upload(bytes),
    () => nobody.upload(bytes, 'a.mp4', 'video/mp4', '/api/upload'),
    () => api.upload(Buffer.from('text'), 'a.txt', 'text/plain'),
  ])
    await quiet(upload())
  const ids: string[] = []
  const create = async (fields: object, headers?: Record<string, string>) => {
    const made = (await quiet(
      api.post('/v1/jobs', { video_url: 'https://example.com/cat.mp4#t=2', ...fields }, headers),
    )) as { body?: { id?: string } } | undefined
    if (made?.body?.id) ids.push(made.body.id)
  }
  await create({ webhook_url: hook })
  await create({ model: 'pro', output_format: 'mov' }, { 'idempotency-key': 'one' })
  await create({ model: 'pro', output_format: 'mov' }, { 'idempotency-key': 'one' })
  await create({ model: 'light' }, { 'idempotency-key': 'one' })
  await create({ auto_start: false })
  await create({ output_format: 'mp4', bg_type: 'transparent' })
  await create({ model: 'nonsense' })
  await create({ video_url: 'https://example.com/fail.mp4#t=2', webhook_url: hook })
  for (const id of new Set(ids)) {
    await quiet(api.get(`/api/download/${id}`))
    for (let polls = 0; polls < 2; polls++)
      await quiet(Promise.all([api.get(`/v1/jobs/${id}`), api.get(`/v1/jobs/${id}`)]))
    await quiet(other.get(`/v1/jobs/${id}`))
    const done = (await quiet(api.get(`/api/download/${id}`))) as { body?: { download_url?: string } } | undefined
    if (done?.body?.download_url) await quiet(nobody.get(done.body.download_url))
    await quiet(api.post(`/v1/jobs/${id}/start`))
    await quiet(api.get(`/v1/jobs/${id}`))
  }
  for (const path of [
    '/v1/jobs?limit=2',
    '/v1/jobs?status=completed',
    '/v1/usage/summary',
    '/v1/usage/events',
    '/v1/jobs/none',
    '/api/download/none',
    '/v1/none',
  ])
    await quiet(api.get(path))
  for (const path of ['/v1/jobs', '/api/pricing', '/health']) await quiet(nobody.get(path))
  await quiet(client(mock, 'unknown_key').get('/v1/jobs'))
  await setTimeout(50)
}

/**
 * What a scenario makes the server do against the documentation, on purpose. All others break nothing: upload-rejected
 * refuses good videos, but the journal knows nothing of a file that was refused.
 */
const onPurpose: Readonly<Record<string, readonly string[]>> = {
  // A 502 with a page in the place of the envelope.
  'proxy-html-502': ['ERR-1'],
  // A completed job's download is refused.
  'download-not-ready': ['DL-1'],
  // A key that is forgotten at once makes a second job.
  'idempotency-key-expired': ['GO-3', 'ID-1'],
  // A 429 that names no time, or not in whole seconds.
  'limit-no-wait-heals': ['RL-2'],
  'retry-after-date': ['RL-2'],
  'retry-after-malformed': ['RL-2'],
  'retry-after-past': ['RL-2'],
  'retry-after-on-503': ['ERR-5'],
  // Half a JSON text, for whoever asks.
  'poll-garbled': ['AUTH-3', 'JOB-5'],
  'webhook-without-id': ['WH-2'],
}

t.test('unhappy clients under each shipped scenario: nothing is broken but what is on purpose', async t => {
  const hook = await receiver(t)
  t.jobs = 4
  for (const name of isProving ? new Library(undefined).names() : scenarioOfEachKind) {
    t.test(name, async t => {
      // Delays and silence are the client's trouble, not the judge's.
      const mock = await start(t, { scenario: name, webhookSecret: 'a webhook secret' })
      // One falls silent with the first job, the other with the first output: nothing more comes after that.
      const silentMs = { 'no-answer': 1000, 'download-stalls': 3000 }[name]
      const isSilent = silentMs !== undefined
      mock.clock.setSpeed(isSilent ? 1 : 50)
      const done = session(mock, hook)
      await (isSilent ? Promise.race([done, setTimeout(silentMs)]) : done)
      const file = written(t, mock.journal.har())
      if (isSilent) await mock.close()
      const report = checkRecording(file)
      t.same(having(report, 'failed'), onPurpose[name] ?? [], evidenceIn(report))
    })
  }
})

const base = 'https://api.example.com'
const zero = Date.parse('2026-03-01T14:00:00Z')

/** One call, at a second of its own. */
function entry(
  at: number,
  method: string,
  path: string,
  status: number,
  body: unknown,
  more: {
    key?: string | null
    headers?: Record<string, string>
    sent?: unknown
    answered?: Record<string, string>
    ms?: number
  } = {},
): HarEntry {
  const { key = 'live_key_of_a', headers = {}, sent, answered = {}, ms = 100 } = more
  const pairs = (of: Record<string, string>) => Object.entries(of).map(([name, value]) => ({ name, value }))
  return {
    startedDateTime: new Date(zero + at * 1000).toISOString(),
    time: ms,
    request: {
      method,
      url: path.startsWith('http') ? path : base + path,
      headers: pairs({ Accept: '*/*', ...(key !== null && { 'X-Api-Key': key }), ...headers }),
      ...(sent !== undefined && { postData: { mimeType: 'application/json', text: JSON.stringify(sent) } }),
    },
    response: {
      status,
      headers: pairs({ 'content-type': 'application/json', ...answered }),
      content: { mimeType: 'application/json', text: typeof body === 'string' ? body : JSON.stringify(body) },
    },
  }
}
const error = (code: string, id: string, message = 'No') => ({ error: { code, message, request_id: id } })
const job = (id: string, status: string, progress: number, more: object = {}) => ({
  id,
  status,
  progress,
  output_url: status === 'completed' ? `${base}/out/${id}.webm` : null,
  error: status === 'failed' ? 'It failed' : null,
  created_at: '2026-03-01T13:59:00Z',
  duration_seconds: null,
  billing_status: 'pending',
  webhook_url: null,
  webhook_events: [],
  model: 'pro',
  video_url: 'https://example.com/a.mp4',
  bg_type: 'transparent',
  output_format: 'webm',
  ...more,
})
const limited = {
  'retry-after': '3',
  ratelimit: '"d";r=0;t=3',
  'x-ratelimit-limit': '5',
  'x-ratelimit-remaining': '0',
  'x-ratelimit-reset': '3',
}
const video = 'https://example.com/a.mp4'
const listed = (ids: string[]) => ({
  jobs: ids.map((id, i) => job(id, 'completed', 100, { created_at: `2026-03-01T13:5${9 - i}:00Z` })),
  total: ids.length,
  limit: 2,
  offset: 0,
})
const hook = (at: number, event: string, data: object, id: string): HarEntry => ({
  ...entry(at, 'POST', 'https://client.example.com/hook', 200, '', {
    key: null,
    headers: { 'X-Webhook-Event': event, 'X-Webhook-Delivery-Id': id, 'X-Webhook-Timestamp': '2026-03-01T14:00:00Z' },
    sent: { event, data },
  }),
})
const form = (at: number, name: string, type: string, size: number, status: number, body: object): HarEntry => {
  const made = entry(at, 'POST', '/v1/uploads', status, body)
  const sha256 = createHash('sha256').update(name).digest('hex')
  made.request.postData = {
    mimeType: 'multipart/form-data',
    params: [{ name: 'file', fileName: name, contentType: type, _body_file: { size, sha256 } }],
  }
  return made
}

/** A right session: each breach is planted in it. */
const right = (): HarEntry[] => [
  entry(
    0,
    'POST',
    '/v1/jobs',
    200,
    { success: true, id: 'job_a', status: 'pending', message: 'ok' },
    { sent: { video_url: video, model: 'pro' }, headers: { 'Idempotency-Key': 'k1' } },
  ),
  entry(1, 'GET', '/v1/jobs/job_a', 200, job('job_a', 'pending', 0)),
  entry(2, 'GET', '/v1/jobs/job_a', 200, job('job_a', 'processing', 20)),
  entry(3, 'GET', '/api/download/job_a', 400, error('invalid_request', 'req_1', 'Job not completed')),
  entry(4, 'GET', '/v1/jobs/job_a', 200, job('job_a', 'processing', 60)),
  entry(5, 'GET', '/v1/jobs/job_a', 200, job('job_a', 'completed', 100)),
  entry(6, 'GET', '/api/download/job_a', 200, {
    success: true,
    download_url: `${base}/out/job_a.webm`,
    output_format: 'webm',
  }),
  entry(7, 'GET', '/out/job_a.webm', 200, '', { answered: { 'content-type': 'video/webm' } }),
  entry(8, 'GET', '/v1/jobs/job_a', 200, job('job_a', 'completed', 100)),
  entry(9, 'GET', '/v1/jobs/job_a', 404, error('not_found', 'req_2', 'Job not found'), { key: 'live_key_of_b' }),
  entry(10, 'GET', '/v1/jobs?limit=2&status=completed', 200, listed(['job_a', 'job_z'])),
  entry(11, 'GET', '/v1/jobs', 401, error('missing_api_key', 'req_3'), { key: null }),
  entry(12, 'GET', '/v1/jobs', 429, error('rate_limited', 'req_4'), { answered: limited }),
  entry(17, 'GET', '/v1/jobs?limit=2', 200, listed(['job_a', 'job_z'])),
  form(20, 'cat.mp4', 'video/mp4', 40_000, 200, {
    success: true,
    video_id: 'v1',
    video_url: video,
    filename: 'cat.mp4',
    size: 40_000,
  }),
  entry(
    21,
    'POST',
    '/v1/jobs',
    200,
    { success: true, id: 'job_a', status: 'pending', message: 'ok' },
    { sent: { video_url: video, model: 'pro' }, headers: { 'Idempotency-Key': 'k1' } },
  ),
  entry(22, 'POST', '/v1/jobs', 422, error('invalid_request', 'req_5'), {
    sent: { video_url: video },
    headers: { 'Idempotency-Key': 'k1' },
  }),
  entry(23, 'POST', '/v1/jobs', 402, error('insufficient_credits', 'req_6'), { sent: { video_url: video } }),
  entry(24, 'POST', '/v1/jobs', 400, error('invalid_request', 'req_7'), {
    sent: { video_url: video, output_format: 'mp4', bg_type: 'transparent' },
  }),
  entry(25, 'GET', '/health', 200, { status: 'ok' }, { key: null }),
  entry(
    26,
    'GET',
    '/api/pricing',
    200,
    {
      model_pricing_credits_per_minute: { original: 60, light: 45, pro: 180, human: 45 },
      price_per_second_cents: 1,
      packages: [],
    },
    { key: null },
  ),
  hook(27, 'job.completed', job('job_a', 'completed', 100), 'd1'),
  hook(28, 'job.started', job('job_b', 'processing', 0), 'd2'),
  entry(29, 'POST', '/v1/jobs', 500, error('internal_error', 'req_8', 'Processing failed'), {
    sent: { video_url: video },
  }),
  entry(30, 'GET', '/v1/jobs/job_f', 200, job('job_f', 'failed', 40, { billing_status: 'not_charged' })),
]

/** Changes the entry at a second. */
const at = (second: number, change: (entry: HarEntry) => void) => (entries: HarEntry[]) => {
  const found = entries.find(({ startedDateTime }) => Date.parse(startedDateTime) === zero + second * 1000)
  if (!found) throw new Error(`nothing at ${second} s`)
  change(found)
}
const answer = (second: number, status: number, body: unknown) =>
  at(second, ({ response }) =>
    Object.assign(response, { status, content: { mimeType: 'application/json', text: JSON.stringify(body) } }),
  )
const header = (second: number, name: string, value: string | undefined) =>
  at(second, ({ response }) => {
    response.headers = [
      ...response.headers.filter(one => one.name !== name),
      ...(value === undefined ? [] : [{ name, value }]),
    ]
  })
const ask = (second: number, change: (request: HarEntry['request']) => void) =>
  at(second, ({ request }) => change(request))

const breaches: [what: string, plant: (entries: HarEntry[]) => void, clauses: string[]][] = [
  ['a second terminal state', answer(8, 200, job('job_a', 'failed', 100)), ['JOB-4']],
  ['a completed job is processed again', answer(8, 200, job('job_a', 'processing', 100)), ['JOB-4']],
  ['processing goes back to pending', answer(4, 200, job('job_a', 'pending', 20)), ['JOB-4']],
  ['progress goes back', answer(4, 200, job('job_a', 'processing', 10)), ['JOB-4']],
  ['a state that nobody knows', answer(2, 200, job('job_a', 'queued', 0)), ['JOB-4']],
  ['a code under the wrong status', answer(11, 401, error('invalid_request', 'req_3')), ['ERR-5', 'AUTH-1']],
  ['two answers of one request_id', answer(24, 400, error('invalid_request', 'req_1')), ['ERR-6']],
  ["another key's job is shown", answer(9, 200, job('job_a', 'completed', 100)), ['AUTH-3']],
  [
    "another key's job is listed",
    ask(17, ({ headers }) => void Object.assign(headers[1] ?? {}, { value: 'live_key_of_b' })),
    ['AUTH-3', 'JOB-6'],
  ],
  [
    'Retry-After is a lie',
    at(17, e => {
      Object.assign(
        e.response,
        structuredClone(
          entry(17, 'GET', '/v1/jobs', 429, error('rate_limited', 'req_9'), { answered: limited }).response,
        ),
      )
    }),
    ['RL-2'],
  ],
  ['a 429 without Retry-After', header(12, 'retry-after', undefined), ['RL-2']],
  [
    'an envelope without its request_id',
    answer(23, 402, { error: { code: 'insufficient_credits', message: 'No' } }),
    ['ERR-1'],
  ],
  [
    'an error as a page',
    at(29, ({ response }) => void Object.assign(response.content ?? {}, { text: '<html>no</html>' })),
    ['ERR-1'],
  ],
  ['a call without a key is let in', answer(11, 200, listed([])), ['AUTH-1']],
  ['a legacy route asks for a key', answer(26, 401, error('missing_api_key', 'req_9')), ['AUTH-2']],
  [
    'a download before completion',
    answer(3, 200, { success: true, download_url: video, output_format: 'webm' }),
    ['DL-2'],
  ],
  ['no download behind completion', answer(6, 400, error('invalid_request', 'req_9', 'Job not completed')), ['DL-1']],
  ['the output is of another format', header(7, 'content-type', 'video/mp4'), ['DL-3']],
  [
    'the same request makes a second job',
    answer(21, 200, { success: true, id: 'job_c', status: 'pending', message: 'ok' }),
    ['GO-3', 'ID-1'],
  ],
  [
    'another body under the same key is taken',
    answer(22, 200, { success: true, id: 'job_c', status: 'pending', message: 'ok' }),
    ['ID-1'],
  ],
  [
    'a transparent mp4 is taken',
    answer(24, 200, { success: true, id: 'job_c', status: 'pending', message: 'ok' }),
    ['JOB-7'],
  ],
  ['more jobs than were asked for', answer(10, 200, listed(['job_a', 'job_z', 'job_y'])), ['JOB-6']],
  [
    'the oldest job first',
    answer(17, 200, { ...listed([]), jobs: listed(['job_a', 'job_z']).jobs.toReversed() }),
    ['JOB-6'],
  ],
  [
    'a job of another status is listed',
    answer(10, 200, { ...listed([]), jobs: [job('job_z', 'failed', 3)] }),
    ['JOB-6'],
  ],
  [
    'an upload has another name',
    answer(20, 200, { success: true, video_id: 'v1', video_url: video, filename: 'dog.mp4', size: 40_000 }),
    ['UP-3'],
  ],
  [
    'an upload has another size',
    answer(20, 200, { success: true, video_id: 'v1', video_url: video, filename: 'cat.mp4', size: 4 }),
    ['UP-3'],
  ],
  ['a good video is refused', answer(20, 400, error('invalid_request', 'req_9', 'Invalid file type')), ['UP-2']],
  [
    '"Processing failed" with 503',
    answer(29, 503, error('internal_error', 'req_8', 'Processing failed')),
    ['ERR-4', 'ERR-5'],
  ],
  ['a failed job is charged', answer(30, 200, job('job_f', 'failed', 40, { billing_status: 'charged' })), ['CR-3']],
  ['a completed job without output', answer(8, 200, job('job_a', 'completed', 100, { output_url: null })), ['JOB-5']],
  ['a job shows another model', answer(8, 200, job('job_a', 'completed', 100, { model: 'light' })), ['GO-7', 'JOB-5']],
  [
    'another price',
    answer(26, 200, {
      model_pricing_credits_per_minute: { original: 61, light: 45, pro: 180, human: 45 },
      price_per_second_cents: 1,
      packages: [],
    }),
    ['CR-1'],
  ],
  ['health is 404', answer(25, 404, error('not_found', 'req_9')), ['SYS-1']],
  [
    'a webhook tells another state',
    ask(
      27,
      r =>
        void Object.assign(r.postData ?? {}, {
          text: JSON.stringify({ event: 'job.completed', data: job('job_a', 'processing', 3) }),
        }),
    ),
    ['WH-1'],
  ],
  [
    'two webhooks of one id',
    ask(28, ({ headers }) => void headers.splice(1, 1, { name: 'X-Webhook-Delivery-Id', value: 'd1' })),
    ['WH-2'],
  ],
  ['a webhook without its time', ask(28, ({ headers }) => void headers.splice(3, 1)), ['WH-2']],
]

t.test(
  'a right session breaks nothing; each breach that is planted in it is found, and no innocent clause accused',
  async t => {
    const whole = checkRecording(written(t, right()))
    t.same(having(whole, 'failed'), [], evidenceIn(whole))
    t.ok(breaches.length >= 20)
    for (const [what, plant, clauses] of breaches) {
      const entries = right()
      plant(entries)
      t.same(brokenIn(written(t, entries)).sort(), [...clauses].sort(), what)
    }
  },
)

t.test(
  'what is not sure is no breach: overlap, restarts, caches, missing bodies, cut ones, keys that were taken out',
  async t => {
    const cases: [string, (entries: HarEntry[]) => void][] = [
      [
        'polls that overlap',
        entries => {
          at(2, e => void Object.assign(e, { time: 4000 }))(entries)
          answer(4, 200, job('job_a', 'pending', 0))(entries)
        },
      ],
      [
        'a failed job of its own that was started again',
        entries => {
          answer(5, 200, job('job_a', 'failed', 60))(entries)
          const start = entry(5.5, 'POST', '/v1/jobs/job_a/start', 200, {
            success: true,
            id: 'job_a',
            status: 'pending',
            message: 'ok',
          })
          entries.splice(6, 3, start, entry(8, 'GET', '/v1/jobs/job_a', 200, job('job_a', 'processing', 5)))
        },
      ],
      [
        'a failed job that was started again',
        entries =>
          void entries.push(
            entry(40, 'POST', '/v1/jobs/job_f/start', 200, {
              success: true,
              id: 'job_f',
              status: 'pending',
              message: 'ok',
            }),
            entry(41, 'GET', '/v1/jobs/job_f', 200, job('job_f', 'pending', 0)),
          ),
      ],
      [
        'an answer from the cache',
        at(
          8,
          e =>
            void Object.assign(e, {
              _fromCache: 'disk',
              response: { ...e.response, content: { text: JSON.stringify(job('job_a', 'pending', 0)) } },
            }),
        ),
      ],
      [
        'a body that was not written down',
        at(29, ({ response }) => void Object.assign(response, { content: { size: 120 } })),
      ],
      [
        'a body that was cut in the recording',
        at(29, ({ response }) => void Object.assign(response, { content: { size: 9000, text: '{"error":' } })),
      ],
      ['a cut connection', at(29, e => void Object.assign(e, { response: { status: 0, headers: [] } }))],
      [
        'another call between a 429 and the next',
        entries =>
          void entries.push(
            entry(14, 'GET', '/v1/jobs/job_a', 200, job('job_a', 'completed', 100)),
            entry(16, 'POST', '/v1/jobs', 429, error('rate_limited', 'req_11'), {
              answered: limited,
              sent: { video_url: video },
            }),
          ),
      ],
      [
        'keys were taken out',
        entries => {
          for (const { request } of entries)
            request.headers = request.headers.filter(({ name }) => name !== 'X-Api-Key')
        },
      ],
      ['no headers were written down', at(12, ({ response }) => void response.headers.splice(0))],
      [
        'a HEAD',
        at(29, e => {
          e.request.method = 'HEAD'
          e.response.content = {}
        }),
      ],
    ]
    for (const [what, change] of cases) {
      const entries = right()
      change(entries)
      t.same(brokenIn(written(t, entries)), [], what)
    }
  },
)

t.test("a browser's recording: other hosts, preflights, base64, HTTP/2 names, calls without an answer", async t => {
  const lower = right().map(e => ({
    ...e,
    _initiator: { type: 'script' },
    request: {
      ...e.request,
      httpVersion: 'http/2.0',
      headers: [
        { name: ':authority', value: 'api.example.com' },
        ...e.request.headers.map(({ name, value }) => ({ name: name.toLowerCase(), value })),
      ],
    },
    response: {
      ...e.response,
      content: {
        ...e.response.content,
        text: Buffer.from(e.response.content?.text ?? '').toString('base64'),
        encoding: 'base64',
      },
    },
  })) as HarEntry[]
  const others = [
    entry(50, 'GET', 'https://www.example.com/v1/jobs/job_a', 404, '<html>nothing</html>'),
    entry(51, 'GET', 'https://ads.test/pixel', 204, ''),
    entry(52, 'OPTIONS', '/v1/jobs', 403, '<html>CORS</html>', { key: null }),
    entry(53, 'GET', '/index.html', 404, '<html>nothing</html>'),
    {
      ...entry(54, 'GET', '/v1/jobs', 0, ''),
      response: { status: 0, headers: [], content: { size: 0, mimeType: 'x-unknown' } },
    } as HarEntry,
  ]
  const report = checkRecording(written(t, [...others, ...lower]))
  t.same(having(report, 'failed'), [])
  t.ok(report.summary.passed >= 25, report.why)
  t.equal(report.target, `traffic.har (${base})`)
  t.match(clauseOf(report, 'ERR-1').notes, ['1 call was cut off before a whole answer came: not judged'])
  const spoilt = structuredClone(lower)
  const content = spoilt[23]?.response.content
  if (content) content.text = Buffer.from('{"error":{"code":"internal_error","message":"no"}}').toString('base64')
  t.same(brokenIn(written(t, spoilt)), ['ERR-1'], 'base64 is read')
})

t.test('keys that another tool has recorded are in no report', async t => {
  const entries = right()
  answer(29, 500, { error: { code: 'internal_error', message: 'live_key_of_a is no good', request_id: 7 } })(entries)
  const file = written(t, [
    ...entries,
    entry(60, 'GET', '/v1/jobs?api_key=live_key_of_c&token=tkn_12345', 500, '', {
      headers: { Authorization: 'Bearer bearer_12345' },
      answered: { 'content-length': '0' },
    }),
  ])
  for (const reporter of ['json', 'pretty', 'html', 'junit', 'markdown', 'tap', 'sarif']) {
    const { code, stdout, stderr } = await checkCommand([file, '--reporter', reporter])
    t.equal(code, 1, reporter)
    t.notMatch(stdout + stderr, /live_key|bearer_12345|tkn_12345/, reporter)
  }
})

t.test('the command: exit codes, options that make sense, and those that do not', async t => {
  const good = written(t, right())
  const dir = join(good, '..')
  const bad = right()
  answer(8, 200, job('job_a', 'failed', 100))(bad)
  const put = (name: string, text: string) => {
    writeFileSync(join(dir, name), text)
    return join(dir, name)
  }
  const broken = put('bad.har', JSON.stringify({ log: { entries: bad } }))
  t.match(await checkCommand([good]), { code: 0, stderr: '', stdout: /\d+ passed, 0 failed, \d+ skipped/ })
  t.match(await checkCommand([broken]), { code: 1, stdout: /JOB-4 failed[\s\S]*completed, which is terminal/ })
  t.match(await checkCommand([broken, '--skip', 'JOB-4']), { code: 0 })
  t.match(await checkCommand([broken, '--only', 'DL-1,states', '--require', 'DL-1']), { code: 1 })
  t.match(await checkCommand([good, '--require', 'GO-4']), { code: 1, stdout: /required, but not passed: GO-4/ })
  t.match(await checkCommand([good, '--only', 'WH-3']), { code: 1, stdout: /nothing was proved/ })
  const json = put('before.json', (await checkCommand([good, '--reporter', 'json'])).stdout)
  t.match(await checkCommand([broken, '--baseline', json]), { code: 1, stdout: /JOB-4 passed -> failed/ })
  const known = (list: string) => ['--expected-failures', put('known.txt', list)]
  t.match(await checkCommand([broken, ...known('# the relay\njob-4\n')]), {
    code: 0,
    stdout: /JOB-4 failed, as expected[\s\S]*1 failure expected/,
  })
  t.match(await checkCommand([good, ...known('\nJOB-4')]), {
    code: 1,
    stdout: /JOB-4 passed, though .*known\.txt:2 expects it to fail: remove this line/,
  })
  t.match(await checkCommand([broken, ...known('DL-3')]), { code: 1 }, 'another failure is not excused')
  t.match(await checkCommand([good, ...known('JOB-44')]), { code: 2, stderr: /known\.txt:1: "JOB-44" is unknown/ })
  t.match(await checkCommand([good, '--list']), { code: 0, stdout: /^traffic\.answers +ERR-1/ })
  const wrong: [string[], RegExp][] = [
    [[good, '--key', 'k'], /^understudy: --key is for an endpoint that calls are sent to; .*nothing is sent/],
    [[good, '--profile', 'full'], /^understudy: --profile is for an endpoint/],
    [[good, '--bail'], /^understudy: --bail is for an endpoint/],
    [[good, '--only', 'nonsense'], /^understudy: --only names "nonsense"/],
    [[good, '--require', 'nonsense'], /^understudy: --require names "nonsense"/],
    [[good, '--base', 'https://elsewhere.test'], /holds no call below https:\/\/elsewhere\.test/],
    [['http://127.0.0.1:1', '--base', base], /^understudy: --base is for a recording/],
    [[join(dir, 'missing.har')], /missing\.har/],
    [[put('cut.har', readFileSync(good, 'utf8').slice(0, 3000))], /it was cut off/],
    [
      [put('other.har', JSON.stringify({ log: { entries: [entry(1, 'GET', 'https://other.test/users', 200, {})] } }))],
      /none of its 1 entries is a call of this API/,
    ],
    [[put('text.har', 'hello')], /is not JSON/],
  ]
  for (const [args, says] of wrong)
    t.match(await checkCommand(args), { code: 2, stdout: '', stderr: says }, args.join(' '))
  t.throws(() => checkRecording(good, { skip: ['nonsense'] }), /--skip names "nonsense"/)
})

/** A process without a recording has 75 MB: what is kept of an entry has to be less than some KB. */
const [entries, maxMb] = isProving ? [100_000, 300] : [4_000, 120]

t.test(`${entries} entries take less than ${maxMb} MB`, async t => {
  const file = join(t.testdir(), 'large.har')
  const parts: string[] = []
  for (let n = 0; n < entries / 5; n++) {
    const id = `job_${n}`
    const second = n / 100
    const key = `live_key_${n % 50}_of_many`
    parts.push(
      JSON.stringify(
        entry(
          second,
          'POST',
          '/v1/jobs',
          200,
          { success: true, id, status: 'pending', message: 'ok' },
          { key, sent: { video_url: video }, headers: { 'Idempotency-Key': `k${n}` } },
        ),
      ),
      JSON.stringify(entry(second + 1, 'GET', `/v1/jobs/${id}`, 200, job(id, 'processing', 40), { key })),
      JSON.stringify(entry(second + 2, 'GET', `/v1/jobs/${id}`, 500, error('internal_error', `req_${n}`), { key })),
      JSON.stringify(entry(second + 3, 'GET', `/v1/jobs/${id}`, 200, job(id, 'completed', 100), { key })),
      JSON.stringify(
        entry(
          second + 4,
          'GET',
          `/api/download/${id}`,
          200,
          { success: true, download_url: `${base}/out/${id}.webm`, output_format: 'webm' },
          { key },
        ),
      ),
    )
  }
  writeFileSync(file, `{"log":{"entries":[${parts.join(',')}]}}`)
  const measure = join(file, '..', 'measure.mjs')
  writeFileSync(
    measure,
    `process.argv[1] = 'understudy'; process.on('exit', () => console.error('maxMb', ${maxMemoryMb})); await import(${JSON.stringify(cliPath)})`,
  )
  const startedAt = performance.now()
  const { code, stdout, stderr } = await ended(
    spawned(process.execPath, [measure, 'check', file], { cwd: packageRoot }),
  )
  const seconds = (performance.now() - startedAt) / 1000
  const megabytes = Number(/maxMb (\d+)/.exec(stderr)?.[1])
  t.equal(code, 0, stderr)
  t.match(stdout, /0 failed/)
  t.ok(megabytes < maxMb, `${Math.round(megabytes)} MB`)
  t.comment(`${Math.round(megabytes)} MB, ${seconds.toFixed(1)} s`)
})
