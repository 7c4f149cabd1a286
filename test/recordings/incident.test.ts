/**
 * The whole way of an incident: a client meets a failing API through the recorder, and what was recorded is played again
 * to a server and to a client, without a difference.
 */
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { conduct } from '../../conduct/fromRecording.ts'
import { startRecorder } from '../../record/recorder.ts'
import { openHar } from '../../recordings/read.ts'
import { replay } from '../../replay/run.ts'
import { type Answer, client, clip, start } from '../support.ts'

const key = 'test_incident_key'

/** What came of a call: its status, its code or the job's state, or how it was cut. */
const told = async (call: Promise<Answer>): Promise<string> => {
  try {
    const { status, body } = await call
    return [status, body?.error?.code ?? body?.status].filter(Boolean).join(' ')
  } catch {
    return 'cut'
  }
}

/** Uploads, is refused, is cut, gets through, polls, downloads: each outcome in its order. */
async function session(mock: { url: string }): Promise<string[]> {
  const api = client(mock, key)
  const log: string[] = []
  const keep = async (call: Promise<Answer>): Promise<Answer | undefined> => {
    log.push(await told(call))
    return call.catch(() => undefined)
  }
  const uploaded = await keep(api.upload(await clip('short.mp4')))
  const create = () =>
    keep(api.post('/v1/jobs', { video_url: uploaded?.body.video_url }, { 'idempotency-key': 'incident' }))
  let made: Answer | undefined
  while (made?.status !== 200) made = await create()
  const { id } = made.body
  const job = await keep(api.get(`/v1/jobs/${id}`))
  const download = await keep(api.get(`/api/download/${id}`))
  await keep(client(mock, null).call('GET', download?.body.download_url))
  await keep(client(mock, null).call('GET', job?.body.output_url))
  await keep(api.get('/v1/jobs/nobody'))
  await keep(api.get('/v1/jobs?limit=5'))
  return log
}

const outage = {
  name: 'the-incident',
  rules: [
    { name: 'refused', when: { route: 'POST /v1/jobs' }, first: 2, then: { error: 'processing_failed' } },
    { name: 'limited', when: { route: 'POST /v1/jobs' }, first: 1, then: { error: 'rate_limited', retry_after: 2 } },
    { name: 'reset', when: { route: 'POST /v1/jobs' }, first: 1, then: { fault: 'reset' } },
    {
      name: 'lost',
      when: { route: 'POST /v1/jobs' },
      first: 1,
      then: { pass: 'before_delay', fault: 'close_before_head' },
    },
    { name: 'half', when: { route: 'GET /files/outputs*' }, first: 1, then: { fault: 'truncated_body' } },
  ],
} as const

async function recorded(t: Test): Promise<{ file: string; log: string[] }> {
  const file = join(t.testdir({}) as string, 'incident.har')
  const mock = await start(t)
  mock.use(structuredClone(outage) as never, { key })
  const recorder = await startRecorder({ target: mock.url, port: 0, out: file })
  const log = await session(recorder)
  await recorder.close()
  return { file, log }
}

const expected = [
  '200',
  '500 internal_error',
  '500 internal_error',
  '429 rate_limited',
  'cut',
  'cut',
  '200 pending',
  '200 completed',
  '200',
  'cut',
  '200',
  '404 not_found',
  '200',
]

t.test('an incident recorded through the proxy is what the client met', async t => {
  const { file, log } = await recorded(t)
  t.same(log, expected)
  const har = openHar(file)
  const cuts = [...har.entries()].map(({ _cut, response }) => (_cut ? `${_cut.when} ${_cut.how}` : response.status))
  har.close()
  t.same(cuts, [
    200,
    500,
    500,
    429,
    'before_head reset',
    'before_head closed',
    200,
    200,
    200,
    'in_body closed',
    200,
    404,
    200,
  ])
})

t.test(
  'replayed to a server that has the same incident, it shows no difference; to one that has not, the incident',
  async t => {
    const { file } = await recorded(t)
    const mock = await start(t)
    const keyOfAll = 'test_replayed'
    mock.use(structuredClone(outage) as never, { key: keyOfAll })
    const same = await replay(file, mock.url, { speed: 'instant', control: false, key: [keyOfAll] })
    t.same(same.differences, [])
    t.match(same, { ok: true, sent: expected.length, not_sent: [] }, same.why)
    const healthy = await start(t)
    const other = await replay(file, healthy.url, { speed: 'instant', control: false, key: ['test_healthy'] })
    t.equal(other.ok, false)
    t.same(
      other.differences.map(({ call, what }) => `${call} ${what}`),
      ['2 status', '3 status', '4 status', '5 cut', '6 cut', '10 cut'],
    )
  },
)

t.test('replayed to a client, it is met again: the same answers in the same order', async t => {
  const { file, log } = await recorded(t)
  const mock = await start(t, { replay: file })
  t.same(await session(mock), log)
})

t.test('replayed to a server that replays it, it shows no difference either', async t => {
  const { file } = await recorded(t)
  const mock = await start(t, { replay: file })
  const report = await replay(file, mock.url, { speed: 'instant', control: false, key: [key] })
  t.same(report.differences, [])
  t.equal(report.ok, true, report.why)
})

t.test('the client is graded by what was recorded', async t => {
  const { file } = await recorded(t)
  const broken = conduct(file, { key }).rules.flatMap(({ id, verdict }) => (verdict === 'failed' ? id : []))
  t.same(broken, ['errors.no-hammering', 'limits.retry-after'])
})
