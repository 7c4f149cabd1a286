/** A mock on a machine that is unkind to it: clients that leave, stay or don't read, a folder that goes away, a disk that is full. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readdir, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { packageRoot } from '../../base/paths.ts'
import { client, cliPath, clip, isProving } from '../support.ts'

const MiB = 1024 * 1024
/** The proof in full; the tests have a sample. */
const many = (all: number, few: number): number => (isProving ? all : few)

const dataDir = t.testdir()
/** No file may be larger than 4 MiB: what is written behind that fails, as it does on a full disk. */
const server = await serve('ulimit -f 8192 2>/dev/null; [ "$(ulimit -f)" = 8192 ] || exit 1', ['--data-dir', dataDir])
const api = client(server)
const video = await clip('short.mp4')
const incoming = () => readdir(join(dataDir, 'incoming'))

t.test('UP-1 uploads that are broken off half-way leave no file, and no descriptor', async t => {
  const before = await descriptors()
  const head = formHead('a.mp4', 10 * MiB)
  for (let i = 0; i < many(200, 40); i++) {
    const socket = await connected()
    await new Promise(resolve => socket.write(Buffer.concat([head, video]), resolve))
    socket.destroy()
  }
  await until('their files are gone', async () => (await incoming()).length === 0)
  t.same(await readdir(join(dataDir, 'uploads')), [])
  await until('their descriptors are closed', async () => (await descriptors()) <= before + 2)
})

t.test(
  'UP-1 a disk that takes no more: 500 in the envelope, nothing is left, and the next one gets through',
  async t => {
    const answer = await api.upload(Buffer.concat([video, Buffer.alloc(6 * MiB)]))
    t.match(answer, { status: 500, body: { error: { code: 'internal_error' } } })
    t.same(await incoming(), [])
    t.match(await api.upload(video), { status: 200 })
  },
)

t.test('DL-3 clients that never read a download hold nobody up', async t => {
  const { body } = await api.upload(Buffer.concat([video, Buffer.alloc(3 * MiB)]))
  const { pathname } = new URL(body.video_url)
  const before = { descriptors: await descriptors(), memory: await memory() }
  const idle: Socket[] = []
  for (let i = 0; i < many(200, 30); i++) {
    const socket = await connected()
    socket.pause()
    socket.write(`GET ${pathname} HTTP/1.1\r\nHost: a.test\r\n\r\n`)
    idle.push(socket)
  }
  await until('they are all being answered', async () => (await descriptors()) >= before.descriptors + 2 * idle.length)
  t.equal((await fetch(body.video_url).then(response => response.arrayBuffer())).byteLength, body.size)
  const grown = (await memory()) - before.memory
  t.ok(grown < idle.length * MiB + 60 * MiB, `${Math.round(grown / MiB)} MiB for ${idle.length} of them`)
  for (const socket of idle) socket.destroy()
  await until('their files are closed', async () => (await descriptors()) <= before.descriptors + 2)
})

t.test('idle connections cost a descriptor each, and nothing else', async t => {
  const before = { descriptors: await descriptors(), memory: await memory() }
  const idle = await Promise.all(Array.from({ length: many(2_000, 300) }, connected))
  t.match(await api.get('/health'), { status: 200 })
  const grown = (await memory()) - before.memory
  t.ok(grown < 60 * MiB, `${Math.round(grown / MiB)} MiB for ${idle.length} of them`)
  for (const socket of idle) socket.destroy()
  await until('they are closed', async () => (await descriptors()) <= before.descriptors + 2)
})

t.test('UP-3 a data folder that is taken away while the mock runs is made anew by the next upload', async t => {
  const { body } = await api.upload(video)
  await rm(dataDir, { recursive: true })
  t.match(await client(server, null).get(body.video_url), { status: 404, body: { error: { code: 'not_found' } } })
  t.match(await api.get('/health'), { status: 200 })
  const again = await api.upload(video)
  t.equal(again.status, 200)
  t.equal((await fetch(again.body.video_url)).status, 200)
})

t.test('the mock is still the same process, and ends as it should', async t => {
  t.equal(server.child.exitCode, null)
  server.child.kill('SIGTERM')
  const [code] = await once(server.child, 'exit')
  t.equal(code, 0)
})

interface Server {
  url: string
  child: ChildProcess
}

/** `understudy serve` behind what a shell is told first. */
async function serve(first: string, args: readonly string[]): Promise<Server> {
  const words = [process.execPath, cliPath, 'serve', '--port', '0', '--log-level', 'silent', '--speed', 'instant']
  const command = `${first}; exec ${[...words, '--rate-limit', '0', '--job-limit', '0', ...args].map(word => `'${word}'`).join(' ')}`
  const child = spawn('sh', ['-c', command], { cwd: packageRoot, stdio: ['ignore', 'pipe', 'inherit'] })
  t.teardown(() => child.kill('SIGKILL'))
  const [greeting] = await once(child.stdout, 'data')
  return { url: /http:\/\/[\w.:]+/.exec(String(greeting))?.[0] as string, child }
}

async function connected(): Promise<Socket> {
  const { hostname, port } = new URL(server.url)
  const socket = connect(Number(port), hostname).on('error', () => {})
  await once(socket, 'connect')
  return socket
}

/** How many the mock has open; what can't be told on this system is 0. */
async function descriptors(): Promise<number> {
  return existsSync('/proc/self/fd') ? (await readdir(`/proc/${server.child.pid}/fd`)).length : 0
}

async function memory(): Promise<number> {
  const { body } = await api.get('/metrics')
  return Number(/^process_resident_memory_bytes (\d+)$/m.exec(body)?.[1])
}

function formHead(filename: string, length: number): Buffer {
  return Buffer.from(
    'POST /v1/uploads HTTP/1.1\r\nHost: a.test\r\nX-Api-Key: test_key\r\n' +
      `Content-Type: multipart/form-data; boundary=cut\r\nContent-Length: ${length}\r\n\r\n` +
      `--cut\r\nContent-Disposition: form-data; name="file"; filename="${filename}"\r\n\r\n`,
  )
}

/** Asks the mock, and so gives it its turn, until it is so. */
async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 2_000; tries++) {
    if (await isSo()) return
    await api.get('/health')
  }
  throw new Error(`never: ${what}`)
}
