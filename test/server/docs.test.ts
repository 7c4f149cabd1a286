/** /docs: the API reference with its lines to paste, and the guide's site below it. */
import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { get } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import fastify from 'fastify'
import t from 'tap'
import { packageRoot } from '../../base/paths.ts'
import { operations } from '../../contracts/operations.ts'
import { controlRoutes } from '../../server/docs/controlRoutes.ts'
import { navigation } from '../../server/docs/frame.ts'
import { registerSite } from '../../server/docs/site.ts'
import { client, start } from '../support.ts'

const run = promisify(execFile)
const pages = navigation.map(([path]) => path)

/** What a reader copies. */
const linesIn = (html: string): string[] =>
  [...html.matchAll(/<div class="copy"><pre><code>([\s\S]*?)<\/code>/g)]
    .map(([, text = '']) => text.replace(/&#(\d+);/g, (_, code) => String.fromCharCode(Number(code))))
    .filter(text => text.includes('curl '))

t.test('every page is there, asks no other host for anything, and is 304 to who has it', async t => {
  const mock = await start(t)
  const api = client(mock, null)
  for (const path of [...pages, '/docs/try.js']) {
    const { status, headers, body } = await api.get(path)
    t.equal(status, 200, path)
    t.notMatch(JSON.stringify(body), /(src|href)=\\"(https?:)?\/\//)
    const tag = headers.get('etag') as string
    t.equal((await plainGet(mock.url + path, { 'if-none-match': `W/${tag}` })).status, 304)
    t.equal((await plainGet(mock.url + path, { 'if-none-match': '"other"' })).status, 200)
  }
  const { headers, body } = await api.get('/docs')
  t.match(headers.get('content-security-policy'), /^default-src 'none'; script-src 'self';/)
  for (const to of [...pages, '/docs/guide/']) t.ok(body.includes(`href="${to}"`), `/docs leads to ${to}`)
  for (const id of Object.keys(operations)) t.ok(body.includes(`id="${id}"`), id)
})

t.test('each line of the reference can be pasted: none is refused', async t => {
  const mock = await start(t, { adminToken: 'open-sesame' })
  const api = client(mock, null)
  const refusedOn: Record<string, string[]> = {
    '/docs': [],
    '/docs/webhooks': [],
    // This mock speaks no TLS.
    '/docs/control': ['not_found', 'not_found', 'not_found'],
    // What these are about.
    '/docs/scenarios': ['internal_error', 'internal_error'],
    '/docs/test-values': ['insufficient_credits'],
  }
  const paste = async (path: string) => {
    const scripts = linesIn((await api.get(path)).body)
    // Each begins anew, as in a shell of its own.
    const text = scripts.map(lines => `(\n${lines}\n)`).join('\necho\n')
    const env = { PATH: process.env.PATH, ADMIN_TOKEN: 'open-sesame' }
    const cwd = join(folder, path.replaceAll('/', '-'))
    await mkdir(cwd)
    return run('bash', ['--norc', '-ec', text], { cwd, env })
  }
  const folder = t.testdir({})
  await Promise.all(
    Object.entries(refusedOn).map(async ([path, codes]) => {
      const { stdout, stderr } = await paste(path)
      t.equal(stderr, '', path)
      t.ok(stdout.length > 100, path)
      const found = [...stdout.matchAll(/(?:^|\})\{"error":\{"code":"(\w+)"/gm)].map(([, code]) => code)
      t.same(found, codes, path, { stdout })
    }),
  )
})

t.test('off loopback the lines for control routes ask for the admin token, and say what is missing', async t => {
  const mock = await start(t, { host: '0.0.0.0', adminToken: 'open-sesame' })
  const [line = ''] = linesIn((await client(mock, null).get('/docs/control')).body)
  t.match(line, '/__mock/scenario')
  const paste = (env: Record<string, string>) =>
    run('bash', ['--norc', '-c', line], { env: { PATH: process.env.PATH, ...env } }).catch(failed => failed)
  t.match(await paste({ ADMIN_TOKEN: 'open-sesame' }), { stdout: /"scenario":null/ })
  t.match(await paste({}), { code: Number, stderr: /ADMIN_TOKEN: is the --admin-token of the mock/ })
})

t.test('the control API of the reference is that of the mock, route by route', async t => {
  const source = readFileSync(join(packageRoot, 'server', 'control', 'index.ts'), 'utf8')
  const pattern = /\b(?:app|scope)\.(get|post|put|delete)(?:<[^(]*>)?\(\s*'(\/(?:__mock|metrics)[^']*)'/g
  const registered = [...source.matchAll(pattern)].map(
    ([, method = '', path = '']) => `${method.toUpperCase()} ${path.replace(/:(\w+)/g, '{$1}')}`,
  )
  t.ok(registered.length > 20)
  t.same(controlRoutes.map(({ method, path }) => `${method} ${path}`).sort(), registered.sort())
})

t.test('a source checkout without a site says how to build it', async t => {
  const app = fastify()
  registerSite(app, (_request, _reply, done) => done(), t.testdir({}))
  t.match(await app.inject('/docs/guide/'), { statusCode: 404, body: /npm install &#38;&#38; npm run docs:site/ })
  t.match(await app.inject('/docs/guide'), { statusCode: 302, headers: { location: '/docs/guide/' } })
})

t.test('the site is served with a strict policy, ETags, and nothing from beside it', async t => {
  const folder = t.testdir({
    'secret.txt': 'canary',
    site: {
      'index.html': '<h1>Start</h1>',
      '404.html': '<h1>Nothing</h1>',
      assets: { 'app.1a2b.js': 'start()' },
      scenarios: { 'a.yaml': 'rules: []' },
    },
  })
  const app = fastify()
  registerSite(app, (_request, _reply, done) => done(), join(folder, 'site'))
  t.teardown(() => app.close())
  const at = `${await app.listen({ port: 0, host: '127.0.0.1' })}/docs/guide/`
  const home = await plainGet(at)
  t.match(home, { status: 200, body: '<h1>Start</h1>' })
  t.match(home.headers, {
    'content-type': /^text\/html/,
    'cache-control': 'no-cache',
    'x-content-type-options': 'nosniff',
  })
  t.match(home.headers['content-security-policy'], /default-src 'none'; script-src 'self';/)
  t.match(await plainGet(at, { 'if-none-match': home.headers.etag as string }), { status: 304, body: '' })
  const script = await plainGet(`${at}assets/app.1a2b.js`)
  t.match(script, { status: 200, headers: { 'content-type': /javascript/, 'cache-control': /immutable/ } })
  t.match(await plainGet(`${at}scenarios/a.yaml`), { status: 200, headers: { 'content-type': /^text\/plain/ } })
  t.match(await plainGet(`${at}none.html`), { status: 404, body: '<h1>Nothing</h1>' })
  t.match(await plainGet(`${at}api.html`), { status: 302, headers: { location: '/docs' } })
  for (const path of ['..%2fsecret.txt', '%2e%2e/secret.txt', '..%5csecret.txt', '%00', 'assets', '%ff'])
    t.notMatch((await plainGet(at + path)).body, 'canary', path)
})

/** What fetch would send beside it stays away: it asks for nothing from a cache. */
function plainGet(url: string, headers: Record<string, string> = {}) {
  return new Promise<{ status: number | undefined; headers: Record<string, unknown>; body: string }>(
    (resolve, reject) => {
      get(url, { headers, agent: false }, response => {
        let body = ''
        response.on('data', piece => {
          body += piece
        })
        response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }))
      }).on('error', reject)
    },
  )
}
