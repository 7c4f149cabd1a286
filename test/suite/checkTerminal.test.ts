/** `understudy check` at a terminal: what it shows while it runs, what it keeps to itself, and how it is stopped. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Report } from '../../suite/report.ts'
import { reporters } from '../../suite/reporters/index.ts'
import { begin, cliPath, type Ran, spawnCommand, start, understudy } from '../support.ts'
import { altered, type Call, ended, front, json, skip, spawned } from './checking.ts'

const noTrace = /\n {4}at /
const read = (...path: string[]) => readFileSync(join(...path), 'utf8')

t.test('on a terminal it has colours and shows how far it is; NO_COLOR takes the colours away', async t => {
  const mock = await start(t)
  const args = ['check', mock.url, '--only', 'ERR-1,SYS-1', '--profile', 'safe']
  const line = [process.execPath, cliPath, ...args].join(' ')
  // One on a real terminal: that the process hands it on.
  const [real, colourful, plain] = await Promise.all([
    ended(spawned('script', ['-qec', line, '/dev/null'], { env: { NO_COLOR: '' } })),
    understudy(args, { tty: 80, env: { NO_COLOR: '' } }),
    understudy(args, { tty: 80, env: { NO_COLOR: '1' } }),
  ])
  t.match(real.stdout, /\[2\/2\] errors\.envelope: every error is/)
  t.match(real.stdout, '\u001b[32m')
  t.match(colourful.stderr, /\[2\/2\] errors\.envelope: every error is/)
  t.match(colourful.stdout, '\u001b[32m')
  t.notOk((plain.stdout + plain.stderr).includes('\u001b[32m'))
  t.match(plain.stdout, /3 passed, 0 failed/)
})

t.test(
  'no secret is printed anywhere, even if the endpoint says it aloud; a line to reproduce has $API_KEY',
  async t => {
    const mock = await start(t, { webhookSecret: 'hush_webhook' })
    const token = 'Bearer "hush/header" \\ &'
    const { url, calls } = await front(t, mock, async (call, pass) => {
      const reply = await pass()
      const heard = `${call.headers['x-api-key']} ${call.headers['x-token']}`
      reply.headers['x-heard'] = [heard, encodeURIComponent(heard)]
      if (reply.status < 400)
        return call.url.startsWith('/v1/usage/summary')
          ? altered(reply, body => ({ ...body, total_jobs: heard }))
          : reply
      const error = {
        code: `not ${heard}`,
        message: `What is ${heard}? ${encodeURIComponent(heard)}`,
        request_id: heard,
      }
      return { ...reply, ...json(reply.status, { error, heard }), headers: reply.headers }
    })
    const folder = t.testdir()
    const flags = {
      '--key': 'test_hush_main',
      '--second-key': 'test_hush_second',
      '--empty-account-key': 'test_hush_poor',
      '--webhook-secret': 'hush_webhook',
      '--admin-token': 'hush_admin',
      '--header': `X-Token: ${token}`,
    }
    const args = [url, ...Object.entries(flags).flat(), '--skip', `${skip},limits,webhooks.retry`]
    const files = Object.keys(reporters).flatMap(name => ['--reporter', `${name}=${join(folder, name)}`])
    const { code, stdout, stderr } = await understudy(['check', ...args, ...files, '--reporter', 'pretty'], { tty: 80 })
    t.equal(code, 1)
    t.match(stdout, /\d+ passed, \d+ failed/)
    t.notMatch(stdout + stderr, /hush/, 'neither in what is shown')
    for (const name of Object.keys(reporters)) t.notMatch(read(folder, name), /hush/, `nor in ${name}`)
    const report: Report = JSON.parse(read(folder, 'json'))
    t.ok(report.summary.failed >= 5, 'though much of what was said is evidence')
    t.match(report.extensions, ['not $API_KEY $HEADER_X_TOKEN'])
    const lines = report.clauses.flatMap(({ evidence }) => evidence.flatMap(({ curl }) => curl ?? []))
    t.ok(
      lines.filter(line => line.includes('-H "X-Api-Key: $API_KEY" -H')).length > 5 ||
        lines.filter(line => line.includes('"X-Api-Key: $API_KEY"')).length > 5,
    )
    t.ok(
      lines.every(line => !line.startsWith(`curl -i ${url}`) || line.includes('"X-Token: $HEADER_X_TOKEN"')),
      'and the header is in each',
    )
    const without = calls.filter(({ headers }: Call) => headers['x-token'] !== token)
    t.same(
      without.map(({ method, url }) => `${method} ${url}`),
      [],
      'which is sent with every call',
    )
  },
)

t.test('Ctrl-C ends a run soon, with a report of what is known by then, and exit 1', async t => {
  const mock = await start(t)
  // Held for good after so many calls: while it looks for a mock, at the first call of the run, and in its midst.
  for (const [calls, control] of [
    [0, 'on'],
    [0, 'off'],
    [40, 'off'],
  ] as const) {
    const held = { call: () => {} }
    const reached = new Promise<void>(resolve => {
      held.call = resolve
    })
    const slow = await front(t, mock, (_call, pass) => {
      if (slow.calls.length <= calls) return pass()
      held.call()
      return new Promise(() => {})
    })
    const args = ['check', slow.url, '--reporter', 'json', '--key', 'test_key', '--control', control]
    // One in a process of its own: that Ctrl-C is the signal that the command is given.
    const child = calls > 0 ? spawnCommand(args) : undefined
    const running = child ? undefined : begin(args)
    const result = child ? ended(child) : running?.ended
    await reached
    const since = performance.now()
    child?.kill('SIGINT')
    running?.interrupt()
    const { code, stdout, stderr } = (await result) as Ran
    t.ok(performance.now() - since < 2000, 'within 2 s')
    t.equal(code, 1)
    t.notMatch(stderr, noTrace)
    const report: Report = JSON.parse(stdout)
    t.match(report, { complete: false, ok: false, summary: { failed: 0 }, why: /it was stopped before its end$/ })
    t.ok(
      calls === 0 ? report.summary.passed === 0 : report.summary.passed > 0,
      `${report.summary.passed} hold after ${calls} calls`,
    )
    t.match(
      report.clauses.find(({ id }) => id === 'JOB-4'),
      { verdict: 'skipped', reason: /the run was stopped/ },
    )
  }
})
