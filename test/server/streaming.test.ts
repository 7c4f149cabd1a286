/** Large uploads: what they take of memory, and what is left on disk, also of a mock that is killed. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { type ClientRequest, type IncomingMessage, request } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { json } from 'node:stream/consumers'
import { setTimeout } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { packageRoot } from '../../base/paths.ts'
import { type Answer, client, cliPath, clip, isProving, serve as serveHere, start } from '../support.ts'

const MiB = 1024 * 1024
/** UP-2: 500MB. */
const maxBytes = 500 * MiB
/** What is kept in memory shows with less, too; `npm run prove` sends all of it. That the limit is 500 MB, auth.test.ts asks. */
const largeBytes = isProving ? maxBytes : 96 * MiB
const allowedGrowthBytes = 64 * MiB

// One byte more: multipart.test.ts has it with a small limit, `npm run prove` with this one.
t.test(`UP-2 a file of ${largeBytes / MiB} MB is accepted and measured in little memory`, async t => {
  const dataDir = t.testdir()
  const server = await serve(t, ['--data-dir', dataDir])
  // The first upload loads the code that measures videos: not what is asked here.
  t.equal((await upload(server.url, MiB)).status, 200)
  const before = await memoryOf(server.url)
  let highest = before
  const watch = async () => {
    highest = Math.max(highest, await memoryOf(server.url))
  }

  const largest = await upload(server.url, largeBytes, watch)
  t.equal(largest.status, 200)
  t.equal(largest.body.size, largeBytes)
  const job = await client(server).job({ video_url: largest.body.video_url })
  t.equal((await client(server).get(`/v1/jobs/${job}`)).body.duration_seconds, 2, 'its true duration')
  const head = await fetch(largest.body.video_url, { method: 'HEAD' })
  t.equal(head.headers.get('content-length'), String(largeBytes), 'and it is there, whole')

  const kept = await readdir(join(dataDir, 'uploads'))
  if (isProving) {
    const over = await upload(server.url, maxBytes + 1, watch)
    t.equal(over.status, 400, 'ERR-5 and not 413')
    t.match(over.body, { error: { code: 'invalid_request', message: /^File too large/ } })
  }
  t.same(await readdir(join(dataDir, 'incoming')), [], 'nothing of it is left')
  t.same(await readdir(join(dataDir, 'uploads')), kept)

  await watch()
  t.comment(`resident memory: ${Math.round(before / MiB)} MiB before, ${Math.round(highest / MiB)} MiB at most`)
  t.ok(highest - before < allowedGrowthBytes, `memory grew by ${highest - before} bytes`)
})

t.test('UP-1 an upload that is broken off leaves nothing on disk', async t => {
  const dataDir = t.testdir()
  const server = await start(t, { dataDir })
  const { sending, answer } = startUpload(server.url, maxBytes, breakOff)
  await t.rejects(answer)
  await until('the rest is gone', async () => (await readdir(join(dataDir, 'incoming'))).length === 0)
  t.same(await readdir(join(dataDir, 'uploads')), [])
  t.equal((await fetch(`${server.url}/health`)).status, 200)

  async function breakOff(sent: number): Promise<void> {
    if (sent < 8 * MiB) return
    await until('it has begun', async () => (await readdir(join(dataDir, 'incoming'))).length === 1)
    sending.destroy(new Error('broken off'))
  }
})

t.test('UP-3 uploads live in a temporary folder that goes away when the mock is stopped', async t => {
  const TMPDIR = temporaryIn(t)
  const server = await serveHere(t)
  t.equal((await upload(server.url, MiB)).status, 200)
  const folders = await foldersIn(TMPDIR)
  t.equal(folders.length, 1)
  t.equal((await readdir(join(TMPDIR, String(folders[0]), 'uploads'))).length, 1)
  t.equal((await server.interrupt()).code, 0)
  t.same(await foldersIn(TMPDIR), [])
})

t.test('UP-3 what a killed mock leaves behind is swept by the next one, what a living one has is not', async t => {
  const TMPDIR = temporaryIn(t)
  const living = await start(t)
  const { body } = await upload(living.url, MiB)
  const mine = await foldersIn(TMPDIR)
  const killed = await serve(t, [])
  await upload(killed.url, MiB)
  await killed.kill()
  t.same([mine.length, (await foldersIn(TMPDIR)).length], [1, 2])

  // Once a process, a mock looks for what others have left.
  await serve(t, [])
  t.same(await foldersIn(TMPDIR), mine)
  t.equal((await fetch(body.video_url)).status, 200)
})

t.test('UP-3 CR-1 --data-dir keeps an upload over a restart, and a job on it is billed by its true length', async t => {
  const dataDir = t.testdir()
  const first = await start(t, { dataDir })
  const { body } = await upload(first.url, MiB)
  const bytes = await bytesAt(body.video_url)
  await first.close()

  const second = await serve(t, ['--data-dir', dataDir, '--speed', 'instant'])
  const url = second.url + new URL(body.video_url).pathname
  t.ok(bytes.equals(await bytesAt(url)), 'it is still there')
  const api = client(second)
  const id = await api.job({ video_url: url })
  await until('the job is completed', async () => (await api.get(`/v1/jobs/${id}`)).body.status === 'completed')
  t.match((await api.get(`/v1/jobs/${id}`)).body, { duration_seconds: 2, billing_status: 'charged' })
  t.equal((await api.get('/v1/usage/summary')).body.credits_used, 2, '2 s at 60 credits a minute')

  // Killed in the middle of an upload.
  const incoming = join(dataDir, 'incoming')
  const kept = await readdir(join(dataDir, 'uploads'))
  const { answer } = startUpload(second.url, maxBytes, async () => {
    await until('it has begun', async () => (await readdir(incoming)).length === 1)
    await second.kill()
  })
  await t.rejects(answer)
  await second.kill()
  t.equal((await readdir(incoming)).length, 1)

  const third = await start(t, { dataDir })
  t.ok(bytes.equals(await bytesAt(third.url + new URL(url).pathname)), 'after a kill too')
  t.same(await readdir(incoming), [], 'what had half arrived is gone')
  t.same(await readdir(join(dataDir, 'uploads')), kept)
})

interface Server {
  url: string
  /** Resolves when it is gone. */
  kill(): Promise<unknown>
}

/** `understudy serve` as a child process: to be measured, or to be killed. */
async function serve(t: Test, args: string[]): Promise<Server> {
  // What ffmpeg made of an upload would be written while the test's folder is taken away.
  const command = [cliPath, 'serve', '--port', '0', '--log-level', 'error', '--outputs', 'canned', ...args]
  const child: ChildProcess = spawn(process.execPath, command, {
    cwd: packageRoot,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const exited = once(child, 'exit')
  t.teardown(() => child.kill('SIGKILL') && exited)
  const [greeting] = await Promise.race([once(child.stdout as Readable, 'data'), exited])
  const url = /http:\/\/\S+/.exec(String(greeting))?.[0]
  if (url === undefined) throw new Error(`the mock did not start: ${greeting}`)
  const kill = () => {
    child.kill('SIGKILL')
    return exited
  }
  return { url, kill }
}

/** Temporary folders are made in one of the test's own, by this process and by those that it starts. */
function temporaryIn(t: Test): string {
  const { TMPDIR } = process.env
  t.teardown(() => {
    if (TMPDIR === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = TMPDIR
  })
  process.env.TMPDIR = t.testdir()
  return process.env.TMPDIR
}

const upload = (url: string, size: number, onProgress?: (sent: number) => Promise<void>) =>
  startUpload(url, size, onProgress).answer

/** Uploads a video of `size` bytes that are never in memory together; tells of each 8 MiB that are sent. */
function startUpload(url: string, size: number, onProgress: (sent: number) => Promise<void> = async () => {}) {
  const head = '--cut\r\nContent-Disposition: form-data; name="file"; filename="big.mp4"\r\n\r\n'
  const tail = '\r\n--cut--\r\n'
  const headers = {
    'x-api-key': 'test_key',
    'content-type': 'multipart/form-data; boundary=cut',
    'content-length': head.length + size + tail.length,
  }
  const sending: ClientRequest = request(`${url}/v1/uploads`, { method: 'POST', headers, agent: false })
  const answer = once(sending, 'response').then(
    async ([response]: IncomingMessage[]): Promise<Pick<Answer, 'status' | 'body'>> => {
      return { status: response?.statusCode ?? 0, body: await json(response as IncomingMessage) }
    },
  )
  Readable.from(form())
    .on('error', () => {})
    .pipe(sending)
  return { sending, answer }

  async function* form() {
    yield head
    yield* paddedVideo(size, onProgress)
    yield tail
  }
}

/** A real clip and, to make it as large as that, one box that players skip. */
async function* paddedVideo(size: number, onProgress: (sent: number) => Promise<void>) {
  const video = await clip('short.mp4')
  yield video
  const boxHead = Buffer.from('\0\0\0\0free', 'latin1')
  boxHead.writeUInt32BE(size - video.length)
  yield boxHead
  const zeros = Buffer.alloc(MiB)
  for (let sent = video.length + boxHead.length; sent < size; sent += zeros.length) {
    yield zeros.subarray(0, size - sent)
    if (Math.floor(sent / MiB) % 8 === 0) await onProgress(sent)
  }
}

/** Bytes of resident memory, by the server's own account. */
async function memoryOf(url: string): Promise<number> {
  const metrics = await (await fetch(`${url}/metrics`)).text()
  return Number(/^process_resident_memory_bytes (\d+)$/m.exec(metrics)?.[1])
}

const bytesAt = async (url: string): Promise<Buffer> => Buffer.from(await (await fetch(url)).arrayBuffer())

const foldersIn = async (folder: string): Promise<string[]> =>
  (await readdir(folder)).filter(name => name.startsWith('understudy-'))

async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 1000; tries++) {
    if (await isSo()) return
    await setTimeout(10)
  }
  throw new Error(`never: ${what}`)
}
