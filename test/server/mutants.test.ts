import t from 'tap'
import { clauses } from '../../contracts/clauses.ts'
import { mutants, variants } from '../../server/mutants/index.ts'
import { mustNames } from '../../server/mutants/severity.ts'
import { traits } from '../../server/mutants/traits.ts'
import { startMock } from '../../server/start.ts'
import { showingOf, transcriptOf } from '../mutants/showing.ts'
import { client, clip, sampled, start } from '../support.ts'

const all = [...mutants, ...variants]

t.test(
  'each mutant shows itself in a session, where its traits say, and what comes before is as on the healthy mock',
  async t => {
    const ordinary = await transcriptOf()
    t.same(ordinary.showings, [], 'the healthy mock shows nothing')
    const waiting = sampled(all, 60)
    // Most of a session is waiting for one answer after the other.
    await Promise.all(
      Array.from({ length: 3 }, async () => {
        for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
          const { problem, trait } = await showingOf(one, ordinary)
          t.equal(problem, undefined, one.id)
          t.match(trait, traits[one.id] ?? {}, `${one.id}: npx tsx test/mutants/writeTraits.ts writes where it shows`)
        }
      }),
    )
  },
)

t.test(
  'the catalogue is whole: names of their own, clauses that there are, traits for each, losses of known mutants',
  async t => {
    const ids = all.map(({ id }) => id)
    t.equal(new Set(ids).size, ids.length)
    t.same(Object.keys(traits).sort(), [...ids].sort(), 'npx tsx test/mutants/writeTraits.ts')
    t.same(
      mustNames.filter(name => !mutants.some(({ id }) => id === name)),
      [],
    )
    t.equal(new Set(mustNames).size, mustNames.length)
    for (const { id, grants } of variants) t.ok(grants in clauses || grants.startsWith('RFC '), id)
  },
)

t.test(
  'startMock({ mutant }) is a mock that is broken in one place, and says so in the answers that it changes',
  async t => {
    const mock = await start(t, { mutant: 'job-output-url-null' })
    const { job, get, upload } = client(mock)
    const id = await job()
    const { body, headers } = await get(`/v1/jobs/${id}`)
    t.match(body, { status: 'completed', output_url: null })
    t.equal(headers.get('x-mock-mutant'), 'job-output-url-null')
    t.equal((await upload(await clip('short.mp4'))).headers.get('x-mock-mutant'), null)
    const [entry] = mock.journal.entries({ kind: 'exchange', route: 'getJob' })
    t.match(entry?.response?.body, { output_url: /^http/ }, 'the journal has what the mock meant')
  },
)

t.test('a mutant that there is not is refused by its name, with the nearest one', async t => {
  await t.rejects(startMock({ mutant: 'job-output-url-nul' }), {
    name: 'ConfigError',
    message: /"job-output-url-nul"; expected a mutant .* did you mean job-output-url-null\?/,
  })
})

t.test('X-Mock-Mutant is for one call: the same job, shown broken once', async t => {
  const { call, get, post, job } = client(await start(t))
  const id = await job()
  const broken = await get(`/v1/jobs/${id}`, { 'x-mock-mutant': 'job-output-url-null' })
  t.match([broken.body.id, broken.body.output_url], [id, null])
  t.equal(broken.headers.get('x-mock-mutant'), 'job-output-url-null')
  t.match((await get(`/v1/jobs/${id}`)).body.output_url, /^http/)
  const made = await post('/v1/jobs', { video_url: 'https://example.com/a.mp4' }, { 'x-mock-mutant': 'default-model' })
  t.equal((await get(`/v1/jobs/${made.body.id}`)).body.model, 'light', 'what is kept is kept')
  const upload = new FormData()
  upload.append('file', new Blob(['no video']), 'notes.txt')
  const taken = await call('POST', '/v1/uploads', {
    body: upload,
    headers: { 'x-mock-mutant': 'upload-any-type-accepted' },
  })
  t.equal(taken.status, 200)
  t.equal((await call('POST', '/v1/uploads', { body: upload })).status, 400, 'the next one is looked at again')
  const unknown = await get('/v1/jobs', { 'x-mock-mutant': 'nothing' })
  t.match(unknown, { status: 400, body: { error: { message: /X-Mock-Mutant is "nothing"; expected/ } } })
})

t.test('ID-1 the variant that answers a start with the job says the same again when the start is repeated', async t => {
  const { get, post } = client(await start(t, { mutant: 'start-answers-job' }))
  const { body } = await post('/v1/jobs', { video_url: 'https://example.com/a.mp4', auto_start: false })
  const begin = (key: string) => post(`/v1/jobs/${body.id}/start`, {}, { 'Idempotency-Key': key })
  const first = await begin('once')
  while ((await get(`/v1/jobs/${body.id}`)).body.status !== 'completed');
  t.match(first.body, { id: body.id, status: 'pending' })
  t.same((await begin('once')).body, first.body)
  t.match((await begin('another')).body, { status: 'completed' }, 'with another key it is the job as it is')
})
