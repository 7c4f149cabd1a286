/** Three replicas behind nginx, with the configuration that ships: as one mock, for each key. */
import { Readable } from 'node:stream'
import t from 'tap'
import type { RunningMock } from '../../client/mock.ts'
import { operations } from '../../contracts/operations.ts'
import { startMock } from '../../server/start.ts'
import { client, clip, start } from '../support.ts'
import { hasNginx, startNginx } from './nginx.ts'

if (hasNginx) await testNginx()
else t.plan(0, 'nginx is not installed (Debian: nginx-light)')

async function testNginx(): Promise<void> {
  const options = { seed: 'one', speed: 'instant', rateLimit: 0, jobLimit: 0, trustProxy: true } as const
  const mocks: RunningMock[] = []
  for (let i = 0; i < 3; i++) mocks.push(await start(t, options))
  const proxy = await startNginx(
    t.testdir() as string,
    mocks.map(({ port }) => port),
  )
  t.teardown(() => proxy.close())
  const atEnd = (close: () => Promise<void>) => t.teardown(close)

  const keys = Array.from({ length: 12 }, (_, i) => `test_nginx_${i}`)
  /** Which replica a key's calls come to. */
  const homeOf = (key: string): number => mocks.findIndex(mock => mock.journal.entries({ key }).length > 0)

  t.test('each key has one replica for all its calls, and the keys are spread over all three', async t => {
    await Promise.all(keys.map(key => client(proxy, key).get('/v1/jobs')))
    await Promise.all(keys.map(key => client(proxy, key).job()))
    for (const key of keys) {
      const counts = mocks.map(mock => mock.journal.entries({ key, kind: 'exchange' }).length)
      t.equal(counts.filter(count => count > 0).length, 1, `${key}: ${counts}`)
      t.equal((await client(proxy, key).get('/v1/jobs')).body.total, 1)
    }
    t.equal(new Set(keys.map(homeOf)).size, 3)
  })

  t.test('every documented route answers behind nginx as before it', async t => {
    const key = 'test_routes'
    const api = client(proxy, key)
    const uploaded = await api.upload(await clip('short.mp4'))
    t.ok(uploaded.body.video_url.startsWith(proxy.url), 'links lead back to nginx')
    const id = await api.job({ video_url: uploaded.body.video_url })
    const draft = await api.job({ auto_start: false })
    const { output_url } = (await api.get(`/v1/jobs/${id}`)).body
    t.ok(output_url.startsWith(`${proxy.url}/files/outputs/`))
    const paths: Record<string, [string, string]> = {
      uploadVideo: ['POST', ''],
      uploadVideoLegacy: ['POST', ''],
      createJob: ['POST', '/v1/jobs'],
      startJob: ['POST', `/v1/jobs/${draft}/start`],
      getJob: ['GET', `/v1/jobs/${id}`],
      listJobs: ['GET', '/v1/jobs?limit=2'],
      getDownload: ['GET', `/api/download/${id}`],
      getUsageSummary: ['GET', '/v1/usage/summary?days=3'],
      getUsageEvents: ['GET', '/v1/usage/events?limit=3'],
      getPricing: ['GET', '/api/pricing'],
      getHealth: ['GET', '/health'],
      getOutputFile: ['GET', new URL(output_url).pathname],
      getUploadedFile: ['GET', new URL(uploaded.body.video_url).pathname],
    }
    const open = Object.entries(operations).flatMap(([name, { auth }]) => (auth === 'admin' ? [] : [name]))
    for (const name of open) {
      const [method, path] = paths[name] ?? ['', '']
      if (path === '') {
        const legacy = name === 'uploadVideoLegacy' ? '/api/upload' : '/v1/uploads'
        t.equal((await api.upload(await clip('short.mp4'), 'a.mp4', '', legacy)).status, 200, name)
        continue
      }
      const answer =
        method === 'POST' ? await api.post(path, { video_url: 'https://example.com/a.mp4#t=1' }) : await api.get(path)
      t.equal(answer.status, 200, `${name} ${path}`)
    }
    t.match((await client(proxy, null).get('/v1/jobs')).body, { error: { code: 'missing_api_key' } })
    const range = await fetch(output_url, { headers: { range: 'bytes=0-3' } })
    t.equal(range.status, 206)
  })

  t.test('a download without a key is found at whichever replica made it; what nobody has is 404', async t => {
    for (const key of keys) {
      const id = await client(proxy, key).job()
      const link = await client(proxy, null).get(`/api/download/${id}`)
      t.equal(link.status, 200, `${key}, at home at ${homeOf(key)}`)
      const file = await fetch(link.body.download_url)
      t.equal(file.status, 200)
      t.ok((await file.arrayBuffer()).byteLength > 1_000)
    }
    t.match(await client(proxy, null).get('/api/download/job_none'), { status: 404, body: { error: { code: String } } })
  })

  t.test('a control call goes to the replica of the key that it asks for', async t => {
    for (const key of keys) {
      const journal = (await client(proxy, null).get(`/__mock/journal?key=${key}`)).body
      t.ok(journal.entries.length > 0, key)
    }
  })

  t.test('an upload of 32 MB is streamed through, and kept by nobody on the way', async t => {
    const size = 32 * 1024 * 1024
    const head = Buffer.from(
      '--b\r\nContent-Disposition: form-data; name="file"; filename="large.mp4"\r\nContent-Type: video/mp4\r\n\r\n',
    )
    const video = await clip('short.mp4')
    const free = Buffer.alloc(1024 * 1024)
    async function* form() {
      yield head
      yield video
      for (let left = size - video.length; left > 0; left -= free.length)
        yield left < free.length ? free.subarray(0, left) : free
      yield Buffer.from('\r\n--b--\r\n')
    }
    const response = await fetch(`${proxy.url}/v1/uploads`, {
      method: 'POST',
      headers: { 'x-api-key': 'test_large', 'content-type': 'multipart/form-data; boundary=b' },
      body: Readable.toWeb(Readable.from(form())) as ReadableStream,
      duplex: 'half',
    } as RequestInit)
    const body = await response.json()
    t.match({ status: response.status, body }, { status: 200, body: { size } })
    t.notMatch(proxy.said(), /buffered to a temporary file/)
  })

  t.test(
    "a replica that is away is its own keys' failure, in the envelope, and theirs again when it is back",
    async t => {
      const away = homeOf(keys[0] as string)
      const elsewhere = keys.find(key => homeOf(key) !== away) as string
      const { port } = mocks[away] as RunningMock
      await mocks[away]?.close()
      const answer = await client(proxy, keys[0]).get('/v1/jobs')
      t.match(answer, { status: 500, body: { error: { code: 'internal_error', request_id: /^req_/ } } })
      t.match(answer.headers.get('content-type'), /^application\/json/)
      t.equal((await client(proxy, elsewhere).get('/v1/jobs')).status, 200, 'the others go on')
      const id = await client(proxy, elsewhere).job()
      t.equal((await client(proxy, null).get(`/api/download/${id}`)).status, 200, 'and their downloads')
      const again = await startMock({ ...options, port })
      atEnd(() => again.close())
      t.equal(
        (await client(proxy, keys[0]).get('/v1/jobs')).status,
        200,
        'back at once: nobody is left out for a while',
      )
      t.equal(again.journal.entries({ key: keys[0] as string }).length, 1)
    },
  )

  t.test('what a scenario does passes: its errors as they are, and a body that is cut', async t => {
    const ask = (fault: string) =>
      fetch(`${proxy.url}/v1/jobs`, { headers: { 'x-api-key': 'test_faults', 'x-mock-fault': fault } })
    const late = await ask('timeout')
    t.match({ status: late.status, body: await late.json() }, { status: 504, body: { error: { code: 'timeout' } } })
    const html = await ask('proxy_html')
    t.equal(html.status, 502)
    t.match(html.headers.get('content-type'), /html/, "nginx's own envelope stands in for nothing that the mock said")
    await t.rejects(ask('truncated_body').then(answer => answer.text()))
    t.match(
      await (await ask('reset')).json(),
      { error: { code: 'internal_error' } },
      'where there is no answer, nginx has one',
    )
  })

  t.test("each replica's metrics are at a port of their own, with the token that they want", async t => {
    for (const replica of [0, 1, 2])
      t.match(await (await fetch(`${proxy.metricsUrl}/${replica}/metrics`)).text(), /understudy_requests_total/)
    t.equal((await fetch(`${proxy.metricsUrl}/metrics`)).status, 404)
  })
}
