/** What a broken clause is shown with, and whether the line that reproduces it does: each is run by bash, in another folder. */

import t, { type Test } from 'tap'
import { type ClauseId, clauses } from '../../contracts/clauses.ts'
import type { Evidence } from '../../contracts/evidence.ts'

import { reporters } from '../../suite/reporters/index.ts'
import { check } from '../../suite/runCheck.ts'
import { isEvidence, mostEvidence } from '../../suite/verdict.ts'
import { clip, start } from '../support.ts'
import { altered, type Call, clauseOf, ended, front, json, type Reply, spawned } from './checking.ts'

const key = 'test_evidence'
const isUpload = ({ method, url }: Call) => method === 'POST' && /\/uploads?$/.test(url)
const isCreate = ({ method, url }: Call) => method === 'POST' && url === '/v1/jobs'

interface Case {
  says: string
  id: ClauseId
  only: string
  /** What the endpoint does wrong. */
  wrong: (call: Call, reply: Reply) => Reply
  evidence: object
  /** The call that the line has to make again. */
  isIt: (call: Call) => boolean
}

const cases: Case[] = [
  {
    says: 'a GET without a key',
    id: 'CR-2',
    only: 'credits.pricing',
    wrong: ({ url }, reply) => (url === '/api/pricing' ? altered(reply, ({ packages: _, ...rest }) => rest) : reply),
    evidence: {
      expected: /^a list|^0 items/,
      found: 'missing',
      pointer: '/packages',
      request: { method: 'GET', url: /\/api\/pricing$/ },
      response: { status: 200, headers: { 'content-type': /json/ }, body: /price_per_second_cents/ },
    },
    isIt: ({ url }) => url === '/api/pricing',
  },
  {
    says: 'a GET with a key and a query',
    id: 'US-1',
    only: 'usage.summary',
    wrong: ({ url }, reply) =>
      url === '/v1/usage/summary?days=7' ? altered(reply, body => ({ ...body, total_jobs: 'many' })) : reply,
    evidence: {
      expected: 'a whole number',
      found: '"many"',
      pointer: '/total_jobs',
      request: { url: /\?days=7$/, headers: { 'X-Api-Key': '$API_KEY' } },
      curl: /^curl -i '\S+\/v1\/usage\/summary\?days=7' -H "X-Api-Key: \$API_KEY"$/,
    },
    isIt: ({ url, headers }) => url === '/v1/usage/summary?days=7' && headers['x-api-key'] === key,
  },
  {
    says: 'a POST whose JSON has quotes, apostrophes and dollar signs',
    id: 'JOB-2',
    only: 'jobs.defaults',
    wrong: withVideoUrl(`https://example.com/it's "$HOME" \`id\` \\ $(id) !x.mp4`),
    evidence: {
      found: '""',
      pointer: '/id',
      request: { method: 'POST', body: /it's \\"\$HOME\\"/ },
      response: { status: 200 },
    },
    isIt: isCreate,
  },
  {
    says: 'and one whose JSON has the key in it as well',
    id: 'JOB-2',
    only: 'jobs.defaults',
    wrong: withVideoUrl(`https://example.com/it's "$HOME" \`id\` \\ $(id)?key=${key}&a=$API_KEYS.mp4`),
    evidence: { pointer: '/id', request: { body: /\?key=\$API_KEY&a=\$API_KEYS\.mp4/ } },
    isIt: isCreate,
  },
  {
    says: 'a POST without a body',
    id: 'ERR-1',
    only: 'auth.unknown-key',
    wrong: (call, reply) => (call.url.endsWith('/start') ? { ...reply, body: 'no!' } : reply),
    evidence: { found: 'a body that is not JSON', response: { status: 401, body: 'no!' }, curl: /^curl -i -X POST / },
    isIt: ({ method, url, body }) => method === 'POST' && url.endsWith('/start') && body.length === 0,
  },
  {
    says: 'an upload of a clip',
    id: 'UP-3',
    only: 'uploads.answer',
    wrong: (call, reply) => (isUpload(call) ? altered(reply, body => ({ ...body, size: 3 })) : reply),
    evidence: {
      expected: '31,052 bytes',
      found: '3',
      pointer: '/size',
      request: { method: 'POST', body: 'file: short.mp4 (video/mp4, 31,052 bytes)' },
      response: { status: 200, body: /"size":3/ },
      curl: /-F 'file=@\/.*\/clips\/short\.mp4;filename=short\.mp4;type=video\/mp4'$/,
    },
    isIt: call =>
      isUpload(call) && call.body.includes('name="file"; filename="short.mp4"\r\nContent-Type: video/mp4\r\n'),
  },
  {
    says: 'an upload whose part says no type',
    id: 'UP-4',
    only: 'uploads.without-type',
    wrong: (call, reply) =>
      isUpload(call) && !/\r\nContent-Type:/i.test(call.body.toString('latin1'))
        ? { ...reply, status: 415, body: '{}' }
        : reply,
    evidence: { found: '415', request: { body: 'file: short.mp4 (no type, 31,052 bytes)' }, response: { status: 415 } },
    isIt: call => isUpload(call) && call.body.includes('name="file"; filename="short.mp4"\r\n\r\n'),
  },
  {
    says: 'an upload of what is not a video',
    id: 'ERR-4',
    only: 'uploads.rejected-type',
    wrong: (call, reply) => (isUpload(call) ? json(200, { success: true }) : reply),
    evidence: {
      expected: 'an upload of text/plain: 400',
      found: '200',
      request: { body: 'file: note.txt (text/plain, 19 bytes)' },
    },
    isIt: call =>
      isUpload(call) &&
      call.body.includes('filename="note.txt"\r\nContent-Type: text/plain\r\n\r\nthis is not a video\r\n'),
  },
]

for (const { says, id, only, wrong, evidence, isIt } of cases) {
  t.test(`${id} is shown broken with all that tells why, and reproduced by its line: ${says}`, async t => {
    const mock = await start(t)
    const { url, calls } = await front(t, mock, async (call, pass) => wrong(call, await pass()))
    const report = await check(url, { key, control: false, profile: 'safe', only: [only] })
    const clause = clauseOf(report, id)
    t.match(clause, { verdict: 'failed', text: clauses[id].text })
    const [first] = clause.evidence as [Evidence]
    t.match(first, { ...evidence, passed: false, check: only })
    t.match(reporters.pretty(report, { width: 1000 }), first.curl, 'the line is printed to be copied')

    const sent = calls.find(isIt)
    calls.length = 0
    const { status, body } = await pasted(t, first.curl ?? '')
    t.equal(status, first.response?.status)
    t.equal(calls.length, 1, 'one call')
    const [again] = calls as [Call]
    t.ok(isIt(again), 'the same call')
    t.equal(`${again.method} ${again.url}`, `${sent?.method} ${sent?.url}`)
    t.equal(again.headers['x-api-key'], sent?.headers['x-api-key'])
    if (isUpload(again))
      t.equal(again.body.includes(await clip('short.mp4')), sent?.body.includes(await clip('short.mp4')))
    else t.equal(String(again.body), String(sent?.body))
    // What is an id or a time differs from call to call.
    const bare = (text = '') => text.replace(/(vid|job|req)_\w+|"\d{4}-[^"]*"/g, '…')
    t.equal(bare(body), bare(first.response?.body))
  })
}

t.test('DL-3 is shown broken with the call that was made even where no answer came', async t => {
  const mock = await start(t)
  const nowhere = 'http://127.0.0.1:1/output.webm'
  const { url } = await front(t, mock, async ({ url }, pass) =>
    url.startsWith('/api/download/') ? altered(await pass(), body => ({ ...body, download_url: nowhere })) : pass(),
  )
  const report = await check(url, { only: ['download.output', 'golive'] })
  t.match(clauseOf(report, 'DL-3').evidence, [
    {
      found: 'nothing listens at 127.0.0.1:1',
      pointer: 'download_url',
      request: { method: 'GET', url: nowhere },
      response: { status: 0 },
      curl: `curl -i ${nowhere}`,
    },
  ])
  // A clip that never came out is no clip that was tried.
  t.match(clauseOf(report, 'GO-6'), { verdict: 'skipped', reason: /clip did not come out whole/ })
})

/** An endpoint that hands out such a URL, and whose jobs have no id. */
function withVideoUrl(video_url: string): Case['wrong'] {
  return (call, reply) => {
    if (isUpload(call)) return altered(reply, body => ({ ...body, video_url }))
    return isCreate(call) ? json(200, { success: true, id: '', status: 'created', message: 'made' }) : reply
  }
}

/** As a user does: the key exported, the line pasted, wherever one is. */
async function pasted(t: Test, line: string): Promise<{ status: number; body: string }> {
  const child = spawned('bash', ['-uc', line], { cwd: t.testdir(), env: { API_KEY: key } })
  const { code, stdout, stderr } = await ended(child)
  t.equal(code, 0, stderr)
  const [head = '', ...rest] = stdout
    .replaceAll('\r\n', '\n')
    .replace(/^HTTP\/1\.1 100 .*\n\n/, '')
    .split('\n\n')
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), body: rest.join('\n\n') }
}

t.test('each check that failed has evidence, however many there are, and what says the same is there once', async t => {
  const kept: { check: string; holds: boolean; expected: string; pointer: string }[] = []
  const found = (check: string, expected: string) => ({ check, holds: false, expected, pointer: '/status' })
  const all = Array.from({ length: 80 }, (_, n) => [found(`jobs.${n}`, 'a state'), found(`jobs.${n}`, 'a state')])
  for (const one of [...Array.from({ length: 70 }, (_, n) => found('jobs.list', `${n}`)), ...all.flat()])
    if (isEvidence(kept, one)) kept.push(one)
  t.equal(kept.filter(({ check }) => check === 'jobs.list').length, mostEvidence.broken)
  t.equal(new Set(kept.map(({ check }) => check)).size, 81)
  t.equal(kept.length, mostEvidence.broken + 80)
})
