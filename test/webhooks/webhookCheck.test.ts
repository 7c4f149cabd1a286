/** `understudy webhook-check` against receivers on real ports: a careful one, and each way of not being one. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { createServer, type IncomingHttpHeaders, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Ajv } from 'ajv'
import { validate as validateCtrf } from 'ctrf'
import t, { type Test } from 'tap'
import { ReceiverReport } from '../../webhooks/report.ts'
import { receiverReporters } from '../../webhooks/reporters/index.ts'
import { receiverReporterHelp } from '../../webhooks/reporters/names.ts'
import { checkReceiver, type ReceiverOptions } from '../../webhooks/run.ts'
import { hostile } from '../conduct/reports.ts'
import { acting, pageProblems, proseOf, readJunit, readTap } from '../reports/readers.ts'
import { understudy } from '../support.ts'

interface Request {
  headers: IncomingHttpHeaders
  body: string
}
/** What a receiver answers; undefined: nothing. */
type Receiver = (request: Request) => number | undefined

const secret = 'whsec_current'
const nextSecret = 'whsec_next'

const isSigned = ({ headers, body }: Request, key: string): boolean => {
  const signed = `${headers['x-webhook-timestamp']}.${body}`
  const expected = Buffer.from(`sha256=${createHmac('sha256', key).update(signed).digest('hex')}`)
  const given = Buffer.from(String(headers['x-webhook-signature'] ?? ''))
  return given.length === expected.length && timingSafeEqual(given, expected)
}
const isFresh = ({ headers }: Request): boolean =>
  Math.abs(Date.now() - Date.parse(String(headers['x-webhook-timestamp']))) < 300_000

/** All that a receiver should do. */
function careful(): Receiver {
  const seen = new Set<unknown>()
  return request => {
    if (!isSigned(request, secret) && !isSigned(request, nextSecret)) return 401
    if (!isFresh(request)) return 401
    try {
      JSON.parse(request.body)
    } catch {
      return 400
    }
    seen.add(request.headers['x-webhook-delivery-id'])
    return 204
  }
}

const listening = (t: Test, receiver: Receiver): Promise<string> =>
  served(t, async (request, response) => {
    const body = await text(request).catch(() => '')
    const status = receiver({ headers: request.headers, body })
    if (status !== undefined) response.writeHead(status).end(`answered ${status}`)
  })

async function served(t: Test, listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`
}

const validate = new Ajv({ strict: true }).compile(ReceiverReport as object)
const both = { secret, nextSecret, seed: 'test' }

async function graded(t: Test, receiver: Receiver, options: ReceiverOptions = both) {
  // On a busy machine an answer of this process may take its 5 s: how long it takes is a test of its own.
  const calm = { sleep: async () => {}, timeout: 60_000 }
  const report = await checkReceiver(await listening(t, receiver), { ...calm, ...options })
  t.ok(validate(JSON.parse(JSON.stringify(report))), JSON.stringify(validate.errors))
  for (const write of Object.values(receiverReporters)) t.notMatch(write(report), /whsec_/, 'no secret is shown')
  const ids = (verdict: string) => report.checks.flatMap(one => (one.verdict === verdict ? [one.id.slice(9)] : []))
  return {
    report,
    failed: ids('failed'),
    passed: ids('passed'),
    skipped: ids('skipped'),
    inconclusive: ids('inconclusive'),
  }
}

t.jobs = 4
const test = (title: string, run: (t: Test) => Promise<void>) => t.test(title, { buffered: true }, run)

test('WH-2 a careful receiver passes all', async t => {
  const { report, passed } = await graded(t, careful())
  t.equal(passed.length, report.checks.length, JSON.stringify(report.checks.filter(one => one.verdict !== 'passed')))
  t.match(report, { ok: true, complete: true, why: /^16 checks: 16 passed, 0 failed, 0 skipped$/ })
})

const seenIds = new Set<string>()
/** Each with one habit, and what it fails for it. */
const habits: Record<string, [receiver: Receiver, failed: string[], ok: boolean]> = {
  'looks at no signature': [
    request => (isFresh(request) ? (safely(request) ? 204 : 400) : 401),
    ['wrong-signature', 'unsigned', 'tampered'],
    false,
  ],
  'takes what has no signature': [
    request => (request.headers['x-webhook-signature'] === undefined ? 204 : careful()(request)),
    ['unsigned'],
    false,
  ],
  'signs the body alone': [
    request => {
      // It compares nothing with the timestamp: whoever knows one signature may change it.
      const isKnown = [secret, nextSecret].some(key => isSigned({ ...request, headers: stamped(request, key) }, key))
      return !isKnown || !isFresh(request) ? 401 : safely(request) ? 204 : 400
    },
    ['tampered'],
    false,
  ],
  'does not look at the time': [
    request => (!isSigned(request, secret) && !isSigned(request, nextSecret) ? 401 : safely(request) ? 204 : 400),
    ['stale'],
    true,
  ],
  'answers a duplicate 500': [
    request => {
      const id = String(request.headers['x-webhook-delivery-id'])
      const status = careful()(request)
      if (status === 204 && seenIds.has(id)) return 500
      if (status === 204) seenIds.add(id)
      return status
    },
    ['duplicate', 'replayed', 'changed-retry'],
    false,
  ],
  'needs an id': [
    request => (request.headers['x-webhook-delivery-id'] === undefined ? 500 : careful()(request)),
    ['without-id'],
    true,
  ],
  'takes 100 kB': [request => (request.body.length > 100_000 ? 413 : careful()(request)), ['large'], true],
  'knows one secret': [request => (isSigned(request, secret) ? careful()(request) : 401), ['rotated'], true],
  'throws at JSON that it can not parse': [
    request => (careful()(request) === 400 ? 500 : careful()(request)),
    ['malformed'],
    true,
  ],
  'refuses events that it does not know': [
    request => (request.headers['x-webhook-event'] === 'job.archived' ? 422 : careful()(request)),
    ['unknown-event'],
    true,
  ],
}

function safely({ body }: Request): boolean {
  try {
    return JSON.parse(body) !== undefined
  } catch {
    return false
  }
}

/** Headers whose timestamp fits the signature, if any of the last minutes' does. */
function stamped({ headers, body }: Request, key: string): IncomingHttpHeaders {
  if (headers['x-webhook-signature'] === undefined) return headers
  const at = Date.parse(String(headers['x-webhook-timestamp']))
  // Its own first, then the one that a tampered delivery was signed with: a second before, and a moment later.
  for (const ms of [at, ...Array.from({ length: 1501 }, (_, later) => at - 1000 + later)]) {
    const changed = { ...headers, 'x-webhook-timestamp': new Date(ms).toISOString() }
    if (isSigned({ headers: changed, body }, key)) return changed
  }
  return headers
}

for (const [habit, [receiver, expected, ok]] of Object.entries(habits)) {
  test(`WH-2 a receiver that ${habit} fails ${expected.join(', ')}, and nothing else`, async t => {
    const { report, failed } = await graded(t, receiver)
    t.strictSame(failed, expected)
    t.equal(report.ok, ok, 'only a must fails the run')
    for (const { verdict, evidence } of report.checks)
      if (verdict === 'failed') {
        t.match(evidence[0], { passed: false, request: { method: 'POST' } })
        t.equal(evidence[0]?.curl?.startsWith('curl -i'), habit === 'takes 100 kB' ? undefined : true)
      }
  })
}

test('WH-3 who takes longer than the time-out fails each delivery', async t => {
  const { failed } = await graded(
    t,
    request => (request.headers['x-webhook-event'] === 'job.failed' ? undefined : 204),
    {
      timeout: 300,
    },
  )
  t.match(failed, ['valid'])
})

test('WH-2 a refusal proves nothing where a good delivery is refused too', async t => {
  const { report, inconclusive, failed } = await graded(t, () => 404)
  t.match(failed, ['valid'])
  t.strictSame(inconclusive, ['wrong-signature', 'unsigned', 'tampered', 'stale', 'malformed'])
  t.notOk(report.ok)
})

test('WH-2 without a secret what needs one is skipped, and says so', async t => {
  const { report, skipped } = await graded(t, () => 204, { seed: 'test' })
  t.strictSame(skipped, ['wrong-signature', 'unsigned', 'tampered', 'stale', 'rotated'])
  t.match(
    report.checks.find(({ verdict }) => verdict === 'skipped'),
    { needs: '--secret' },
  )
})

test('each reporter says what failed, and fails nothing for a should', async t => {
  const { report } = await graded(t, () => 204)
  t.match(report, { ok: false, why: /must: receiver\.wrong-signature, receiver\.unsigned, receiver\.tampered$/ })
  t.strictSame(Object.keys(receiverReporters).sort(), Object.keys(receiverReporterHelp).sort())

  const page = receiverReporters.html(report)
  t.match(page, '<details class="clause rule" id="receiver.unsigned" data-verdict="failed" open>')
  t.match(page, '<details class="clause rule" id="receiver.valid" data-verdict="passed">')
  t.match(page, '<span class="reason">failed (should)</span>')
  t.match(page, 'x-webhook-signature: sha256=', 'the delivery that was taken')
  t.strictSame(pageProblems(page), [])

  const { runs } = JSON.parse(receiverReporters.sarif(report))
  t.match(runs[0], {
    invocations: [{ executionSuccessful: true, exitCode: 1 }],
    tool: { driver: { rules: report.checks.map(({ id }) => ({ id })) } },
  })
  const results = runs[0].results as { ruleId: string; level: string }[]
  t.strictSame(
    results.map(({ ruleId, level }) => `${ruleId.slice(9)} ${level}`),
    ['wrong-signature error', 'unsigned error', 'tampered error', 'tampered error', 'stale note', 'malformed note'],
  )
  t.match(results[0], { locations: [{ logicalLocations: [{ name: 'POST /hooks' }] }] })
  const prints = results.map(one => JSON.stringify((one as { partialFingerprints?: object }).partialFingerprints))
  t.equal(new Set(prints).size, results.length, 'no two are the same result')

  // Only a must is a failure to who counts failures: the run would be red for what leaves its exit code at 0.
  const { points } = readTap<{ ok: boolean; skip: string | boolean }>(receiverReporters.tap(report))
  t.strictSame(
    points.flatMap(({ ok }, i) => (ok ? [] : [report.checks[i]?.id.slice(9)])),
    ['wrong-signature', 'unsigned', 'tampered'],
  )
  t.match(points[8], { skip: /^failed \(should\): expected rightly signed, an hour ago/ })
  const { cases } = readJunit(receiverReporters.junit(report))
  t.equal(cases.filter(({ kind }) => kind === 'failure').length, 3)
  const { valid, errors } = validateCtrf(JSON.parse(receiverReporters.ctrf(report)))
  t.ok(valid, JSON.stringify(errors))
})

test('what a receiver answers is text in each reporter, whatever it is', async t => {
  const url = await served(t, (request, response) =>
    request.resume().once('end', () => response.writeHead(500).end(hostile)),
  )
  const report = await checkReceiver(url, { seed: 'test', sleep: async () => {} })
  for (const [name, write] of Object.entries(receiverReporters)) {
    const text = write(report)
    t.same(text.match(acting), null, name)
    if (name === 'html') t.strictSame(pageProblems(text), [])
    if (name === 'markdown') t.ok(proseOf(text).isClosed && !proseOf(text).prose.join('\n').includes('<img'))
    if (name === 'junit') readJunit(text)
    if (name === 'tap') t.equal(readTap(text).complete.count, report.checks.length)
  }
})

test('the command: exit codes, reporters, and nothing off loopback', async t => {
  const url = await listening(t, careful())
  const args = ['webhook-check', url, '--seed', '7']
  const good = await understudy([...args, '--secret', secret, '--next-secret', nextSecret])
  t.match(good, { code: 0, stdout: /16 checks: 16 passed/ })
  t.match(good.stderr, /seed: 7/)
  const junit = await understudy([...args, '--reporter', 'junit'], {
    env: { UNDERSTUDY_WEBHOOK_CHECK_SECRET: 'another' },
  })
  t.match(junit, { code: 1, stdout: /<testcase classname="understudy.receiver"/ })
  t.notMatch(junit.stdout, />another</)
  t.match(await understudy(['webhook-check', 'http://hooks.example.com/a']), {
    code: 2,
    stderr: /hooks\.example\.com is not this machine; name it with --allow hooks\.example\.com/,
  })
  t.match(await understudy(['webhook-check', 'nonsense']), { code: 2, stderr: /"nonsense" is not a URL; expected one/ })
  t.match(await understudy(['webhook-check']), { code: 2, stderr: /no URL was given/ })
  t.match(await understudy(['webhook-check', 'http://127.0.0.1:1/hook']), { code: 3 })
  t.match(await understudy(['webhook-check', url, '--job', 'package.json/none']), { code: 2, stderr: /--job/ })
})
