/** check(): the contract suite as another program calls it, against the mock. */

import { appendFileSync, copyFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Ajv } from 'ajv'
import t from 'tap'
import { ConfigError } from '../../base/options.ts'
import { packageRoot } from '../../base/paths.ts'
import type { RunningMock } from '../../client/mock.ts'
import { rewriteJobs } from '../../server/mutants/change.ts'
import type { Mutant } from '../../server/mutants/mutant.ts'
import { checkRecording } from '../../suite/checkRecording.ts'
import { Report as reportSchema } from '../../suite/report.ts'
import { reporters } from '../../suite/reporters/index.ts'
import { type CheckOptions, type CheckPlan, check } from '../../suite/runCheck.ts'
import { startMutant } from '../mutants/start.ts'
import { client, clip, isProving, start } from '../support.ts'
import { altered, type Call, clauseOf, front, having, type Reply, skip } from './checking.ts'

const webhookSecret = 'whsec_of_the_test'
// What no suite can see from outside, or must not touch.
const unseen = ['RL-3', 'AD-1']

/** The ms that this process works, mock and suite: a machine that is busy with something else makes them no more. */
function timer(): () => number {
  const since = process.cpuUsage()
  return () => {
    const { user, system } = process.cpuUsage(since)
    return Math.round((user + system) / 1000)
  }
}

const isReport = new Ajv({ allErrors: true, allowUnionTypes: true }).compile(reportSchema)

t.test('on the mock all that can be tried holds, in the profile full within 20 s', async t => {
  const mock = await start(t, { webhookSecret })
  const plans: CheckPlan[] = []
  const took = timer()
  // One upload of 500 MB is real here; the one that is taken is in `npm run prove`.
  const report = await check(mock.url, {
    webhookSecret,
    require: ['core'],
    onPlan: plan => void plans.push(plan),
    ...(!isProving && { skip: ['uploads.largest'] }),
  })
  t.same(having(report, 'failed'), [])
  t.same(
    having(report, 'skipped').filter(id => id !== 'ERR-3'),
    isProving ? unseen : ['UP-2', ...unseen],
  )
  t.match(report, { ok: true, complete: true, profile: 'full', required: { missing: [] } })
  t.ok(took() < 20_000, `${took()} ms`)
  t.ok(report.spent.sent_bytes > (isProving ? 1e9 : 5e8), 'a large upload')
  t.ok(isReport(JSON.parse(reporters.json(report))), JSON.stringify(isReport.errors))
  t.match(plans, [{ target: mock.url, profile: 'full', aided: true, checks: report.checks.length }], 'one plan, before')
  const { credits = 0 } = plans[0] ?? {}
  t.ok(report.spent.credits > 100 && report.spent.credits <= credits, `${report.spent.credits} of ${credits} planned`)

  // What was sent and answered, as a recording: nothing right is accused, and most clauses are seen.
  const file = join(t.testdir(), 'suite.har')
  writeFileSync(file, mock.journal.har())
  const recorded = checkRecording(file)
  t.same(having(recorded, 'failed'), [])
  t.ok(recorded.summary.passed >= 30, recorded.why)
  t.ok(clauseOf(recorded, 'JOB-5').evidence.length > 0)
  t.match(recorded, { ok: true, profile: 'safe', seed: 'none', spent: { credits: 0 } })
})

t.test('in the profile safe nothing is broken, spent or filled up, within 5 s; core is then not all there', async t => {
  const mock = await start(t, { webhookSecret })
  const took = timer()
  const report = await check(mock.url, { webhookSecret, profile: 'safe' })
  t.ok(took() < 5000, `${took()} ms`)
  t.match(report, { ok: true, complete: true, summary: { failed: 0 }, spent: { credits: 0 } })
  t.ok(report.summary.passed >= 15, `${report.summary.passed} hold`)
  t.ok(report.spent.sent_bytes < 3e6, `${report.spent.sent_bytes} bytes`)
  t.equal(await spentOn(mock), 0)
  const made = mock.journal.entries({ route: 'createJob' }).filter(({ status }) => status === 200)
  t.ok(made.length > 10, 'jobs were made')
  for (const { request } of made) t.match(request.body, { auto_start: false }, 'as drafts')
  t.equal(mock.journal.count({ status: 429 }), 0, 'no limit was met')

  const required = await check(mock.url, { profile: 'safe', require: ['core'] })
  t.equal(required.ok, false)
  t.match(required.why, /required, but not passed: .*GO-2.*GO-6/)
  for (const id of required.required.missing) {
    t.match(
      required.clauses.find(clause => clause.id === id),
      { verdict: 'skipped', needs: ['--profile full'] },
      id,
    )
  }
})

t.test('the profile quick pays for its jobs and leaves out bursts and large uploads; it waits for no job', async t => {
  const mock = await start(t, { webhookSecret, speed: 1 })
  const report = await check(mock.url, { webhookSecret, profile: 'quick' })
  t.match(report, { ok: true, complete: true, profile: 'quick', summary: { failed: 0 } })
  t.ok(report.spent.credits > 100, `${report.spent.credits} credits`)
  t.ok(report.spent.sent_bytes < 3e6, `${report.spent.sent_bytes} bytes`)
  t.equal(mock.journal.count({ status: 429 }), 0, 'no limit was met')
  const left = report.checks.filter(({ reason }) => reason?.includes('which the profile quick does not'))
  t.same(new Set(left.map(({ id }) => id.split('.')[0])), new Set(['limits', 'uploads']))
})

t.test('off this machine the profile full is refused before any connection unless it is told its budget', async t => {
  const refused = check('http://understudy.invalid', { profile: 'full' })
  await t.rejects(
    refused,
    new ConfigError(
      'the profile full spends credits on an endpoint that is not on this machine; say how many with --max-credits N',
    ),
  )
  await t.rejects(check('http://understudy.invalid', { profile: 'full', maxCredits: 5 }), /there is no host/)
})

t.test('no more than --max-credits is ever spent, whatever goes wrong at the endpoint', async t => {
  const isCreate = ({ method, url }: Call) => method === 'POST' && /^\/v1\/jobs(\/\w+\/start)?$/.test(url)
  const breakages: Record<string, (call: Call, reply: Reply) => Reply | undefined> = {
    nothing: (_call, reply) => reply,
    'jobs that are made, but answered 500': (call, reply) =>
      isCreate(call) ? { ...reply, status: 500, body: '{}' } : reply,
    'jobs that are made, but the answer is cut': (call, reply) => {
      if (!isCreate(call)) return reply
      call.response.socket?.resetAndDestroy()
      return undefined
    },
    'jobs whose answer has no id': (call, reply) =>
      isCreate(call) && reply.status === 200 ? altered(reply, ({ id: _, ...rest }) => rest) : reply,
  }
  for (const [name, breakage] of Object.entries(breakages)) {
    for (const control of isProving || name === 'nothing' ? [true, false] : [name.endsWith('cut')]) {
      const mock = await start(t)
      const { url } = await front(t, mock, async (call, pass) => breakage(call, await pass()))
      const report = await check(url, {
        key: 'test_thrifty',
        maxCredits: 7,
        control,
        only: ['CR-1', 'DL-1', 'GO-3', 'jobs.lifecycle'],
      })
      const spent = control
        ? await spentOn(mock)
        : (await client(mock, 'test_thrifty').get('/v1/usage/summary')).body.credits_used
      t.ok(
        spent <= 7 && spent <= report.spent.credits,
        `${name}: ${spent} of 7 credits, ${report.spent.credits} by the report`,
      )
      t.ok(report.spent.credits <= 7)
      if (name !== 'nothing') continue
      t.ok(spent > 3, 'it is used')
      t.equal(report.ok, true)
      t.match(clauseOf(report, 'CR-1'), {
        verdict: 'skipped',
        reason: /it would cost \d+(\.\d+)? credits, and \d+(\.\d+)? are left of the budget/,
        needs: ['--max-credits'],
      })
    }
  }
})

t.test('JOB-3 where drafts start by themselves, one of them is all that is spent before that is known', async t => {
  const mock = await start(t)
  const { url } = await front(t, mock, (call, pass) => {
    call.body = Buffer.from(call.body.toString('latin1').replace('"auto_start":false', '"auto_start":true '), 'latin1')
    return pass()
  })
  const safe = await check(url, { key: 'test_safe', control: false, profile: 'safe' })
  t.equal(clauseOf(safe, 'JOB-3').verdict, 'failed')
  t.match(clauseOf(safe, 'JOB-1'), { verdict: 'skipped', reason: /a draft does not wait here \(JOB-3\)/ })
  t.equal((await client(mock, 'test_safe').get('/v1/usage/summary')).body.total_jobs, 1)
  t.equal(safe.spent.credits, 2, 'and it is owned up to')
})

t.test('JOB-4 where no job stays completed, a run ends all the same, with a report of what is known', async t => {
  const looks = new Map<string, number>()
  const goesBack: Pick<Mutant, 'id' | 'apply'> = {
    id: 'completed-goes-back',
    apply: mutation =>
      rewriteJobs(mutation, job => {
        if (job.status !== 'completed') return
        const look = (looks.get(job.id) ?? 0) + 1
        looks.set(job.id, look)
        if (look > 1 || looks.size > 1) job.status = 'processing'
      }),
  }
  const mock = await startMutant(goesBack, { speed: 40 })
  t.teardown(() => mock.close())
  const options: CheckOptions = { skip, clock: mock.suiteClock, maxTime: 20_000, seed: 'back' }
  const report = await check(mock.url, options)
  t.match(report, { ok: false, complete: false })
  t.match(report.why, /; the run took longer than 20.0 s \(--max-time\)$/)
  t.match(clauseOf(report, 'JOB-4'), {
    verdict: 'failed',
    evidence: [{ expected: 'a documented move from completed' }],
  })
  t.equal(clauseOf(report, 'SYS-1').verdict, 'passed')
  t.match(clauseOf(report, 'GO-6'), { verdict: 'skipped', reason: /\(--max-time\)/, needs: ['--max-time'] })
  t.match(report.checks.at(-1), { verdict: 'skipped', reason: 'the run took longer than 20.0 s (--max-time)' })
})

t.test(
  'RL-2 a Retry-After is waited out; one that is too long leaves things untried, and says what to give',
  async t => {
    const mock = await start(t)
    mock.setKey({ key: 'test_slow', rateLimit: { calls: 8, per: '1s' } })
    const options: CheckOptions = { key: 'test_slow', control: false, only: ['JOB-6', 'US-1'], profile: 'safe' }
    const report = await check(mock.url, options)
    t.match(report, { ok: true, summary: { failed: 0 } })
    t.equal(clauseOf(report, 'JOB-6').verdict, 'passed')
    const entries = mock.journal.entries({ key: 'test_slow' })
    const refused = entries.filter(({ status }) => status === 429)
    t.ok(refused.length >= 2, `${refused.length} were answered 429`)
    for (const entry of refused) {
      const next = entries[entries.indexOf(entry) + 1]
      if (next) t.ok(Date.parse(next.time) - Date.parse(entry.time) >= 990, 'and not asked again within the second')
    }

    const hasty = await check(mock.url, { ...options, maxWait: 300 })
    t.match(hasty.summary, { failed: 0 })
    t.match(clauseOf(hasty, 'JOB-6'), {
      verdict: 'skipped',
      reason: /429, to be tried again after 1 s/,
      needs: ['--max-wait'],
    })
  },
)

t.test("GO-4 ids are looked for in the server's own logs, even in what is written a moment later", async t => {
  const mock = await start(t)
  const folder = t.testdir({ 'other.log': 'nothing of it\n' })
  const only = ['GO-4', 'JOB-2']
  const logged = async (name: string, write: (line: string, index: number) => void) => {
    let index = 0
    const file = join(folder, name)
    writeFileSync(file, '')
    const { url } = await front(t, mock, async (_call, pass) => {
      const reply = await pass()
      const { id } = { id: '', ...JSON.parse(String(reply.body) || '{}') }
      write(`${JSON.stringify({ request_id: reply.headers['x-request-id'], job_id: id })}\n`, index++)
      return reply
    })
    const logs = [join(folder, 'other.log'), file]
    return clauseOf(await check(url, { logs, only, profile: 'safe' }), 'GO-4')
  }
  const at = (name: string) => (line: string) => appendFileSync(join(folder, name), line)
  t.match(await logged('whole.log', at('whole.log')), { verdict: 'passed' })
  const late = (line: string) => setTimeout(700).then(() => at('late.log')(line))
  t.match(await logged('late.log', late), { verdict: 'passed' })
  const none = await logged('none.log', () => {})
  t.match(none, {
    verdict: 'failed',
    evidence: [{ expected: /request_id/, found: /1 of 1 are missing: req_/ }, { found: /missing: job_/ }],
  })
})

// CR-2 is what the server before the mock breaks, and nobody gives the secret that WH-2 takes.
const ofEachVerdict = ['CR-2', 'SYS-1', 'JOB-2', 'WH-2']

t.test('the report is what its schema says, in JSON as well', async t => {
  const mock = await start(t)
  const { url } = await front(t, mock, async ({ url }, pass) =>
    url.startsWith('/api/pricing') ? altered(await pass(), body => ({ ...body, packages: 'none' })) : pass(),
  )
  const before = await check(mock.url, { profile: 'safe', only: ['CR-2'], seed: 'seven' })
  const report = await check(url, { seed: 'seven', only: ofEachVerdict, require: ['core'], baseline: before })
  const document = JSON.parse(reporters.json(report))
  t.ok(isReport(document), JSON.stringify(isReport.errors))
  t.match(document, { target: url, profile: 'full', seed: 'seven', ok: false, changes: { changes: Array } })
  t.same(Object.keys(document.summary), ['passed', 'failed', 'skipped', 'inconclusive'])
  const verdicts = document.clauses.map(({ verdict }: { verdict: string }) => verdict)
  for (const verdict of ['passed', 'failed', 'skipped', 'inconclusive']) {
    t.equal(verdicts.filter((one: string) => one === verdict).length, document.summary[verdict], verdict)
  }
  t.match(
    document.clauses.find(({ id }: { id: string }) => id === 'CR-2'),
    { verdict: 'failed', evidence: [{ passed: false }] },
  )
  for (const { id, verdict, reason, evidence } of document.clauses) {
    t.equal(typeof reason, verdict === 'skipped' ? 'string' : 'undefined', `${id} gives a reason only if not tried`)
    if (verdict !== 'skipped') t.ok(evidence.length > 0, `${id} has evidence`)
  }
  t.notOk(isReport({ ...document, summary: {} }), 'the schema can refuse')
})

t.test('WH-2 a signature is right only with the right secret', async t => {
  const mock = await start(t, { webhookSecret })
  const only = ['webhooks']
  const right = await check(mock.url, { webhookSecret, only })
  t.match([clauseOf(right, 'WH-1'), clauseOf(right, 'WH-2')], [{ verdict: 'passed' }, { verdict: 'passed' }])
  const wrong = await check(mock.url, { webhookSecret: 'another', only })
  t.same(having(wrong, 'failed'), ['WH-2'])
  t.match(clauseOf(wrong, 'WH-2').evidence, [
    {
      expected: /HMAC/,
      found: /^sha256=\w{64}$/,
      pointer: 'header X-Webhook-Signature',
      request: { method: 'POST', body: /"event":"job\.started"/ },
    },
  ])
  const none = await check(mock.url, { only })
  t.match(clauseOf(none, 'WH-2'), { verdict: 'skipped', needs: ['--webhook-secret'] })
})

t.test(
  'GO-6 a clip of your own is used in place of the short one, and what is not a video is refused by its name',
  async t => {
    const mock = await start(t)
    const folder = t.testdir({ 'song.mp4': 'la la la', 'notes.txt': 'la la la' })
    copyFileSync(join(packageRoot, 'fixtures', 'clips', 'difficult.mp4'), join(folder, 'mine.mp4'))
    const { url, calls } = await front(t, mock, (_call, pass) => pass())
    const report = await check(url, { clip: join(folder, 'mine.mp4'), only: ['credits.charge', 'golive.clip-short'] })
    t.match(report.summary, { failed: 0 })
    t.equal(
      clauseOf(report, 'CR-1').evidence[0]?.expected,
      '3 credits: 3 s at 60 a minute (original); where it rounds up, less than 4',
    )
    const uploads = calls.filter(({ url }) => url === '/v1/uploads')
    const bytes = await clip('difficult.mp4')
    t.ok(
      uploads.length > 0 && uploads.every(({ body }) => body.includes('filename="mine.mp4"') && body.includes(bytes)),
    )
    for (const [name, says] of [
      ['song.mp4', /song\.mp4 has no length/],
      ['notes.txt', /notes\.txt has no extension of a video/],
      ['none.mp4', /none\.mp4.* not a file/],
    ] as const) {
      await t.rejects(check(url, { clip: join(folder, name) }), says)
    }
  },
)

/** What all keys of all worlds that the suite was given have spent: each began with a million. */
async function spentOn(mock: RunningMock): Promise<number> {
  const { body } = await client(mock, null).get('/__mock/keys')
  const states: { world: string | null; credits: { available: number; reserved: number } }[] = body.keys ?? body
  const rich = states.filter(({ world, credits }) => world !== null && credits.available > 500_000)
  if (rich.length < 2) throw new Error('the suite has used no worlds of its own')
  return rich.reduce((all, { credits }) => all + 1_000_000 - credits.available - credits.reserved, 0)
}
