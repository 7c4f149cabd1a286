/** SIGTERM, as CI and containers send it, and SIGHUP, as a terminal that is closed: each command that runs for long leaves a report, and nothing of its own behind. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { launcherKind } from '../../cli/launcher.ts'
import { ended, front } from '../suite/checking.ts'
import { begin, client, cliPath, isProving, spawnCommand, start } from '../support.ts'

const json = ['--reporter', 'json']

/** Runs a command in a process of its own; once `isUnderWay`, it gets the signal. */
async function terminated(
  t: Test,
  args: readonly string[],
  isUnderWay: () => unknown,
  { signal = 'SIGTERM', isPassedOn = false }: { signal?: NodeJS.Signals; isPassedOn?: boolean } = {},
) {
  const child = spawnCommand(args)
  t.teardown(() => child.kill('SIGKILL'))
  const done = ended(child)
  while (child.exitCode === null && !(await isUnderWay())) await new Promise(resolve => setTimeout(resolve, 20))
  child.kill(signal)
  // npm passes on what the whole group has got.
  if (isPassedOn) setTimeout(() => child.kill(signal), 100)
  const { code, stdout, stderr } = await done
  t.equal(code, 1, stderr)
  return JSON.parse(stdout)
}

/**
 * The same without a process, for those that begin nothing outside: what their process does with a signal is in cli/bin.ts, for all
 * commands alike. A command that does not look at it would go on.
 */
async function interrupted(t: Test, args: readonly string[], isUnderWay: () => unknown) {
  if (isProving) return terminated(t, args, isUnderWay)
  const running = begin(args)
  let isOver = false
  const over = running.ended.then(() => {
    isOver = true
  })
  while (!isOver && !(await isUnderWay())) await new Promise(resolve => setTimeout(resolve, 20))
  const { code, stdout, stderr } = await running.interrupt()
  await over
  t.equal(code, 1, stderr)
  return JSON.parse(stdout)
}

t.test(
  'SIGTERM and SIGHUP end check, replay, rehearse and drill with a report, and mends and ends what they began',
  async t => {
    const mock = await start(t)
    const held = await front(t, mock, (call, pass) => {
      return held.calls.length > 5 && call.url !== '/health' ? new Promise<undefined>(() => {}) : pass()
    })
    const folder = t.testdir()
    const har = join(folder, 'calls.har')
    for (let n = 0; n < 8; n++) await client(mock).get(`/v1/jobs?limit=${n + 1}`)
    writeFileSync(har, mock.journal.har())
    const silent = await front(t, mock, ({ url }, pass) =>
      url === '/health' ? pass() : new Promise<undefined>(() => {}),
    )
    const pidFile = join(folder, 'pid')
    const program = `require('fs').writeFileSync(${JSON.stringify(pidFile)}, String(process.pid)); process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)`
    const broken = join(folder, 'broken')
    const outage = [
      ...[
        'drill',
        'outage',
        ...json,
        mock.url,
        '--key',
        'test_term',
        '--rate',
        '20',
        '--duration',
        '20s',
        '--outage-at',
        '100ms',
      ],
      ...['--outage-for', '15s', '--outage-start', `touch ${broken}`, '--outage-stop', `rm ${broken}`],
    ]
    const [check, replay, rehearse, drill] = await Promise.all([
      interrupted(
        t,
        ['check', ...json, held.url, '--key', 'test_key', '--control', 'off'],
        () => held.calls.length > 5,
      ),
      interrupted(t, ['replay', ...json, har, silent.url, '--key', 'test_key'], () => silent.calls.length > 1),
      terminated(
        t,
        [
          'rehearse',
          ...json,
          '--scenario',
          'none',
          '--out',
          join(folder, 'out'),
          '--',
          process.execPath,
          '-e',
          program,
        ],
        () => existsSync(pidFile) && readFileSync(pidFile, 'utf8') !== '',
        { isPassedOn: true },
      ),
      // Its terminal was closed.
      terminated(t, outage, () => existsSync(broken), { signal: 'SIGHUP' }),
    ])
    t.match(check, { complete: false, ok: false })
    t.match(replay, { ok: false })
    t.match(rehearse, { ok: false })
    t.throws(() => process.kill(Number(readFileSync(pidFile, 'utf8')), 0), 'the program has ended')
    t.match(drill, { complete: false, why: /it was stopped before its end/ })
    t.notOk(existsSync(broken), 'the target is mended')
  },
)

t.test('SIGTERM to npm ends the server that npm start began, and its port is free', async t => {
  const clean = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(UNDERSTUDY|npm)_/.test(name)))
  const start = `"${process.execPath}" "${cliPath}" serve`
  const npm = spawn('npm', ['start', '--silent', '--', '--port', '0', '--log-level', 'error'], {
    cwd: t.testdir({ 'package.json': JSON.stringify({ scripts: { start } }) }),
    env: clean,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  t.teardown(() => npm.kill('SIGKILL'))
  let printed = ''
  // The server has npm's stdout too: its end is the end of both.
  for await (const text of npm.stdout) {
    printed += text
    if (/ready at \S+/.test(printed)) npm.kill('SIGTERM')
  }
  t.match(printed, /ready at http/)
  await t.rejects(fetch(`${/http:\/\/[\w.:]+/.exec(printed)?.[0]}/health`))
})

t.test('what runs a command in front is told from what puts it into the background', async t => {
  const kinds: [string[], string | undefined][] = [
    [['npm start --port 4010'], 'manager'],
    [['npm exec understudy serve', ''], 'manager'],
    [['/usr/bin/node', '/usr/lib/node_modules/npm/bin/npx-cli.js', 'understudy', 'serve'], 'manager'],
    [['node', '/opt/yarn/bin/yarn.js', 'understudy'], 'manager'],
    [['sh', '-c', "'understudy' serve --port 4010"], 'shell'],
    [['/bin/sh', '-c', 'npm run build && understudy serve 2>&1'], 'shell'],
    [['sh', '-c', 'understudy serve & understudy health --wait 9s'], undefined],
    [['sh', '-c', 'understudy serve &'], undefined],
    [['bash', '-e', 'start.sh'], undefined],
    [['-bash'], undefined],
    [['node', 'server.js', 'npm'], undefined],
  ]
  for (const [words, kind] of kinds) t.equal(launcherKind(words), kind, words.join(' '))
})
