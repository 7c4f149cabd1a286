/** A process that has run out of descriptors: what fails then works again when there are some. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { Agent, request } from 'node:http'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { packageRoot } from '../../base/paths.ts'
import { cliPath, clip } from '../support.ts'

/** What serve opens at once at its start, by the tests' own build, fits in. */
const limit = 200

t.test('what was asked for without descriptors left is answered when there are some again', async t => {
  const command = `ulimit -n ${limit} && exec "${process.execPath}" "${cliPath}" serve --port 0 --log-level silent --speed instant`
  const child = spawn('sh', ['-c', command], { cwd: packageRoot, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [greeting] = await once(child.stdout, 'data')
  const url = new URL(/http:\/\/[\w.:]+/.exec(String(greeting))?.[0] as string)
  // One connection that is there before all others, and stays.
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => agent.destroy())
  async function call(
    method: string,
    path: string,
    body?: Buffer,
    type = '',
  ): Promise<{ status: number; said: string }> {
    const headers = { 'x-api-key': 'test_key', ...(body && { 'content-type': type, 'content-length': body.length }) }
    const sent = request(url.origin + path, { method, agent, headers }).end(body)
    const [response] = await once(sent, 'response')
    return { status: response.statusCode, said: await text(response) }
  }
  const form = Buffer.concat([
    Buffer.from('--cut\r\nContent-Disposition: form-data; name="file"; filename="a.mp4"\r\n\r\n'),
    await clip('short.mp4'),
    Buffer.from('\r\n--cut--\r\n'),
  ])
  const asks = {
    '/docs': () => call('GET', '/docs'),
    '/metrics': () => call('GET', '/metrics'),
    '/openapi.json': () => call('GET', '/openapi.json'),
    upload: () => call('POST', '/v1/uploads', form, 'multipart/form-data; boundary=cut'),
  }

  t.equal((await call('GET', '/health')).status, 200)
  const idle: Socket[] = []
  for (let i = 0; i < limit; i++) {
    const socket = connect(Number(url.port), url.hostname).on('error', () => {})
    idle.push(socket)
    await Promise.race([once(socket, 'connect'), once(socket, 'close')])
  }
  for (let i = 0; i < 5; i++) await call('GET', '/health')
  // None, then enough for a file and not for all that a first upload loads.
  for (const free of [0, 4]) {
    for (const socket of idle.filter(one => !one.destroyed).slice(0, free)) {
      socket.destroy()
      await once(socket, 'close')
    }
    for (let i = 0; i < 5; i++) await call('GET', '/health')
    for (const [name, ask] of Object.entries(asks)) {
      const { status, said } = await ask()
      t.match({ status, said }, { status: 500, said: /internal_error/ }, `${name} with ${free} left`)
    }
  }
  for (const socket of idle) socket.destroy()
  for (let i = 0; i < 20; i++) await call('GET', '/health')
  for (const [name, ask] of Object.entries(asks)) t.equal((await ask()).status, 200, `${name} later`)
  const { said } = await asks.upload()
  const job = await call(
    'POST',
    '/v1/jobs',
    Buffer.from(JSON.stringify({ video_url: JSON.parse(said).video_url })),
    'application/json',
  )
  const { id } = JSON.parse(job.said)
  t.match((await call('GET', `/v1/jobs/${id}`)).said, /"duration_seconds":2/, 'the file was looked into')
})
