/** The configuration file: what it may say, what wins over it, and what it is told when it is wrong. */
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import t, { type Test } from 'tap'
import type { UnderstudyConfig } from '../../cli/config.ts'
import { client, serve, spawnCommand, start, understudy } from '../support.ts'

const fileIn = (t: Test, name: string, content: string): string => {
  const path = join(t.testdir(), name)
  writeFileSync(path, content)
  return path
}

t.test('an option wins over its variable, a variable over the file, the file over the default', async t => {
  const config = fileIn(t, 'a.json', '{"serve": {"seed": "file", "credits": 0, "rateLimit": 7}}')
  const withFile = ['--config', config]
  const [file, variable, flag, off] = await Promise.all([
    serve(t, withFile),
    serve(t, withFile, { env: { UNDERSTUDY_SEED: 'variable' } }),
    serve(t, [...withFile, '--seed', 'flag'], { env: { UNDERSTUDY_SEED: 'variable' } }),
    serve(t, ['--no-config'], { env: { UNDERSTUDY_CONFIG: config } }),
  ])
  t.match(file.stdout(), 'seed: file')
  t.match(variable.stdout(), 'seed: variable')
  t.match(flag.stdout(), 'seed: flag')
  t.notMatch(off.stdout(), 'seed: file')
  const created = await client(flag).post('/v1/jobs', { video_url: 'https://example.com/a.mp4#t=1' })
  t.equal(created.status, 402, 'what no option says comes from the file')
  t.equal(created.headers.get('x-ratelimit-limit'), '7')
})

t.test(
  'a section is for each verb below, one of its own for that verb, a list as if the flag were repeated',
  async t => {
    const config = fileIn(
      t,
      'a.yaml',
      `drill: { rate: 5, calls: 30, burst: { calls: 20 }, threshold: [p99 < 1s, errors < 1%] }
serve: { webhookAllow: [a.test, b.test], cors: ['https://a.test', 'https://b.test'], adminToken: hush }
check: { header: ['A: 1,2', 'B: 3'], reporter: [pretty, tap=out.tap], bail: true }
replay: { control: false }
`,
    )
    const shown = await understudy(['config', '--json', '--config', config])
    t.equal(shown.code, 0, shown.stderr)
    const { settings } = JSON.parse(shown.stdout) as { settings: { verb: string; option: string; value: unknown }[] }
    const setting = (verb: string, option: string) =>
      settings.find(one => one.verb === verb && one.option === option)?.value
    t.equal(setting('drill burst', 'calls'), 20)
    t.equal(setting('drill recover', 'calls'), 30)
    t.equal(setting('drill burst', 'rate'), undefined, 'a drill that does not take it')
    t.equal(setting('drill sustain', 'rate'), 5)
    t.equal((setting('drill sustain', 'threshold') as unknown[]).length, 2)
    t.same(setting('serve', 'webhookAllow'), ['a.test', 'b.test'])
    t.equal(setting('serve', 'cors'), 'https://a.test,https://b.test')
    t.same(setting('check', 'reporter'), [{ name: 'pretty' }, { name: 'tap', path: 'out.tap' }])
    t.equal(setting('replay', 'control'), false)
    t.equal(setting('serve', 'adminToken'), '[redacted]')
    t.equal(setting('check', 'header'), '[redacted]')
    t.notMatch(shown.stdout, /hush|1,2/)
  },
)

t.test('config prints each option with its value and where it comes from, and no secret', async t => {
  const config = fileIn(t, 'a.json', '{"serve": {"port": 4020, "webhookSecret": "hush"}}')
  const env = { UNDERSTUDY_SPEED: '20', UNDERSTUDY_ADMIN_TOKEN: 'hush' }
  const set = await understudy(['config', '--config', config], { env })
  t.equal(set.code, 0)
  t.match(set.stdout, /^ {2}--port +4020 +.*a\.json$/m)
  t.match(set.stdout, /^ {2}--speed +20 +UNDERSTUDY_SPEED$/m)
  t.notMatch(set.stdout, /default/)
  const all = await understudy(['config', 'serve', '--config', config], { env })
  t.match(all.stdout, /^ {2}--credits +1000 +default$/m)
  t.match(all.stdout, /^ {2}--seed +random, and printed +default$/m)
  t.notMatch(set.stdout + all.stdout, /hush/)
  t.match(await understudy(['config', 'sirve']), { code: 2, stderr: /no verb "sirve"/ })
})

t.test('a wrong file is one line that names file and field, exit code 2', async t => {
  const cases: [string, string, string[], RegExp][] = [
    ['a.json', '{"serve": {"port": "abc"}}', ['serve'], /a\.json: serve\.port is "abc"; expected a whole number/],
    [
      'a.yaml',
      'serve: { rate_limit: 1 }',
      ['serve'],
      /a\.yaml: serve: There is no option "rate_limit"; it is rateLimit/,
    ],
    ['a.json', '{"serve": {"sped": 5}}', ['serve'], /serve: There is no option "sped"; did you mean speed\?/],
    ['a.json', '{"serve": {"zzzzzz": 5}}', ['serve'], /serve: There is no option "zzzzzz"; expected .*port, host/],
    ['a.json', '{"srve": {}}', ['health'], /a\.json: there is no verb "srve"; expected sections named serve,/],
    ['a.json', '{"serve": 1}', ['health'], /serve is 1; expected an object/],
    ['a.json', '[1]', ['health'], /is \[1\]; expected an object with a section for each verb/],
    ['a.json', '{', ['health'], /a\.json is not JSON: /],
    ['a.yaml', 'a: [', ['health'], /a\.yaml is not YAML: /],
    ['a.mjs', 'export const serve = {}', ['health'], /has no default export; expected export default/],
    ['b.mjs', 'throw new Error("no")', ['health'], /b\.mjs can't be loaded: no/],
    [
      'a.json',
      '{"check": {"bail": "yes"}}',
      ['check', 'http://127.0.0.1:9'],
      /check\.bail is "yes"; expected true or false/,
    ],
    [
      'a.json',
      '{"check": {"only": {}}}',
      ['check', 'http://127.0.0.1:9'],
      /check\.only is \{\}; expected a text, a number or/,
    ],
    [
      'a.json',
      '{"check": {"reporter": "tapp"}}',
      ['check', 'http://127.0.0.1:9'],
      /check\.reporter: --reporter names "tapp"/,
    ],
    ['a.json', '{"serve": {"port": 99999}}', ['health'], /serve\.port is "99999"; expected a whole number/],
  ]
  for (const [name, content, args, says] of cases) {
    const ran = await understudy([...args, '--config', fileIn(t, name, content)])
    t.match(ran, { code: 2, stdout: '', stderr: says })
    t.equal(ran.stderr.split('\n').length, 2, ran.stderr)
  }
  t.match(await understudy(['health', '--config', 'none.json']), {
    code: 2,
    stderr: /none\.json can't be read \(ENOENT\)/,
  })
})

t.test('verbs that look for the mock on this machine look where the file has serve put it', async t => {
  const mock = await start(t)
  const config = fileIn(t, 'a.json', JSON.stringify({ serve: { port: mock.port } }))
  const found = await understudy(['health'], { env: { UNDERSTUDY_CONFIG: config } })
  t.match(found, { code: 0, stdout: `${mock.url}/health is up\n` })
  const other = await understudy(['health'], { env: { UNDERSTUDY_CONFIG: config, UNDERSTUDY_PORT: '9' } })
  t.equal(other.code, 3)
  const tlsCaOut = join(t.testdirName, 'ca.pem')
  const secure = await start(t, { tlsCaOut })
  const withTls = join(t.testdirName, 'b.json')
  writeFileSync(withTls, JSON.stringify({ serve: { port: secure.port, tlsCaOut } }))
  t.match(await understudy(['health', '--config', withTls]), { code: 0, stdout: `${secure.url}/health is up\n` })
  t.match(secure.url, /^https:/)
  const not = fileIn(t, 'c.json', JSON.stringify({ serve: { port: mock.port, tls: false } }))
  t.match(await understudy(['health', '--config', not]), { code: 0, stdout: `${mock.url}/health is up\n` })
})

t.test('what the file says of check is no flag that a recording refuses', async t => {
  const mock = await start(t)
  await client(mock).get('/v1/jobs')
  const har = fileIn(t, 'calls.har', mock.journal.har())
  const config = join(har, '..', 'a.json')
  writeFileSync(config, '{"check": {"seed": "s", "timeout": "5s", "reporter": "json"}}')
  const ran = await understudy(['check', har, '--config', config])
  t.equal(ran.code, 0, ran.stderr)
  t.match(JSON.parse(ran.stdout), { ok: true })
  t.match(await understudy(['check', har, '--seed', 's']), { code: 2, stderr: /--seed is for an endpoint/ })
})

t.test('the file in the working directory is found; one in TypeScript needs a Node that reads it', async t => {
  const run = async (args: string[], cwd: string) => {
    const child = spawnCommand(args, { cwd })
    const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')])
    return { code: child.exitCode, stdout, stderr }
  }
  const folder = (files: Record<string, string>) => t.testdir(files) as string
  const typed = folder({ 'understudy.config.ts': 'export default { serve: { port: 4020 as number } }' })
  const readsTypes = Boolean((process.features as { typescript?: unknown }).typescript)
  t.match(
    await run(['config'], typed),
    readsTypes
      ? { code: 0, stdout: /--port +4020 +understudy\.config\.ts/ }
      : { code: 2, stderr: /reads no TypeScript.*Node 22\.18 or newer.*--import tsx/ },
  )
  const two = folder({ 'understudy.config.json': '{}', 'understudy.config.yaml': '' })
  t.match(await run(['health'], two), {
    code: 2,
    stderr: /understudy\.config\.json and understudy\.config\.yaml are both here/,
  })
  t.match(await run(['--version'], two), { code: 0, stderr: '' }, 'nothing is read for what needs none')
})

t.test('the type of a file knows the options of each verb, and no others', async t => {
  const good: UnderstudyConfig = {
    serve: { rateLimit: 0, webhookAllow: ['a.test'], detach: true },
    check: { only: ['jobs'], maxWait: '5s', reporter: ['pretty'] },
    drill: { timeout: '5s', burst: { calls: 20 } },
    'webhook-check': { secret: 's' },
    rehearse: { scenario: 'none' },
  }
  const checked = await understudy(['config', '--config', fileIn(t, 'a.json', JSON.stringify(good))])
  t.equal(checked.code, 0, checked.stderr)
  // @ts-expect-error a misspelled option
  const wrong: UnderstudyConfig = { serve: { rate_limit: 0 } }
  t.match(await understudy(['config', '--config', fileIn(t, 'b.json', JSON.stringify(wrong))]), { code: 2 })
})
