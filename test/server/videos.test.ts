/** Videos as cameras, browsers, phones and muxers write them, sent by HTTP: what is taken, and what is billed. */
import { execSync, spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { RunningMock } from '../../client/mock.ts'
import { client, isProving, sampled, start } from '../support.ts'

const folder = t.testdir({}) as string
const at = (name: string): string => join(folder, name)
const seconds = 3
const picture = ['-f', 'lavfi', '-i', `testsrc=size=64x48:rate=25:duration=${seconds}`]
const sound = ['-f', 'lavfi', '-i', `sine=duration=${seconds}`]

/**
 * One run of ffmpeg for many files, as it takes longer to start than to write one. Those of `pipes` it writes to a pipe: it
 * can't go back to fill in what it did not know.
 */
function write(inputs: string[], files: Record<string, string[]>, pipes: Record<string, string[]> = {}): void {
  const toFiles = Object.entries(files).flatMap(([name, args]) => [...args, at(name)])
  const toPipes = Object.entries(pipes).flatMap(([, args], i) => [...args, `pipe:${i + 3}`])
  const { status, output } = spawnSync('ffmpeg', ['-v', 'error', '-nostdin', '-y', ...inputs, ...toFiles, ...toPipes], {
    stdio: ['ignore', 'pipe', 'pipe', ...Object.keys(pipes).map(() => 'pipe' as const)],
    maxBuffer: 1e8,
  })
  if (status !== 0) throw new Error(`ffmpeg: ${output[2]}`)
  for (const [i, name] of Object.keys(pipes).entries()) writeFileSync(at(name), output[i + 3] as unknown as Buffer)
}

let mock: RunningMock
t.before(async () => {
  mock = await start(t)
  const both = ['-map', '0', '-map', '1']
  write([...picture, ...sound], {
    'h264.mp4': ['-map', '0', '-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-g', '10', '-crf', '40'],
    'vp8.webm': [...both, '-c:v', 'libvpx', '-deadline', 'realtime', '-c:a', 'libopus'],
    'plain.avi': [...both, '-c:v', 'mpeg4', '-c:a', 'mp3'],
    'sound.mp4': ['-map', '1', '-c:a', 'aac'],
    'sound.mov': ['-map', '1', '-c:a', 'pcm_s16le'],
    'sound.webm': ['-map', '1', '-c:a', 'libopus'],
    'sound.avi': ['-map', '1', '-c:a', 'mp3'],
  })
  const sources = ['h264.mp4', 'vp8.webm', 'plain.avi']
  // Without the tags in which ffmpeg would hand the length on.
  const of = (name: string, ...args: string[]) => [
    ...['-map', `${sources.indexOf(name)}`, '-c', 'copy', '-map_metadata:s:v', '-1', '-map_metadata:s:a', '-1'],
    ...args,
  ]
  const fragments = ['-movflags', 'frag_keyframe+empty_moov']
  write(
    sources.flatMap(name => ['-i', at(name)]),
    { 'fast.mp4': of('h264.mp4', '-movflags', 'faststart'), 'mute.avi': of('plain.avi', '-an') },
    {
      'pipe.webm': of('vp8.webm', '-f', 'webm'),
      // As MediaRecorder does with a timeslice: nothing has a size but the blocks.
      'live.webm': of('vp8.webm', '-f', 'webm', '-live', '1', '-cluster_time_limit', '500'),
      'late.webm': of('vp8.webm', '-output_ts_offset', '7200', '-f', 'webm', '-live', '1'),
      'pipe.avi': of('plain.avi', '-f', 'avi'),
      'frag.mp4': of('h264.mp4', ...fragments, '-f', 'mp4'),
      'frag.mov': of('h264.mp4', ...fragments, '-f', 'mov'),
    },
  )
})

const send = (name: string, type = '', filename = name) => client(mock).upload(readFileSync(at(name)), filename, type)

/** What a job of the uploaded file comes to. */
async function billed(name: string, type?: string, filename?: string) {
  const { status, body } = await send(name, type, filename)
  if (status !== 200) return { status, body }
  const api = client(mock)
  return (await api.get(`/v1/jobs/${await api.job({ video_url: body.video_url })}`)).body
}

async function isBilled(t: Test, name: string, expected = seconds, type?: string, filename?: string): Promise<void> {
  const job = await billed(name, type, filename)
  t.match(job, { status: 'completed', billing_status: 'charged' }, name)
  t.ok(Math.abs(job.duration_seconds - expected) < 0.1, `${name} is ${expected} s: ${job.duration_seconds}`)
}

t.test('GO-6 a WebM that does not say its length is billed by its blocks', async t => {
  for (const name of ['vp8.webm', 'pipe.webm', 'live.webm', 'late.webm'])
    await isBilled(t, name, seconds, 'video/webm;codecs=vp8')
  const whole = readFileSync(at('pipe.webm'))
  writeFileSync(at('half.webm'), whole.subarray(0, whole.length / 2))
  const { status, duration_seconds: half } = await billed('half.webm')
  t.equal(status, 'completed', 'what was cut while it was recorded plays up to there')
  t.ok(half > 0.5 && half < 2.5, `${half} s`)
})

t.test('GO-6 an AVI is billed by its pictures, whatever its header and index say', async t => {
  const whole = readFileSync(at('plain.avi'))
  const headed = (name: string, frames: number, withIndex = true) => {
    const bytes = Buffer.from(whole)
    bytes.writeUInt32LE(frames, bytes.indexOf('avih') + 8 + 16)
    bytes.writeUInt32LE(frames, bytes.indexOf('strh') + 8 + 32)
    writeFileSync(at(name), withIndex ? bytes : bytes.subarray(0, bytes.lastIndexOf('idx1')))
  }
  headed('zero.avi', 0)
  headed('zeroUnindexed.avi', 0, false)
  headed('tooMany.avi', 90_000)
  headed('tooManyUnindexed.avi', 90_000, false)
  for (const name of ['plain', 'zero', 'zeroUnindexed', 'tooMany', 'tooManyUnindexed', 'pipe'])
    await isBilled(t, `${name}.avi`)
})

t.test('GO-6 fragmented and unfinished MP4 and QuickTime are billed by what plays', async t => {
  for (const name of ['frag.mp4', 'frag.mov', 'fast.mp4']) await isBilled(t, name)
  const fast = readFileSync(at('fast.mp4'))
  writeFileSync(at('cut.mp4'), fast.subarray(0, fast.length * 0.7))
  await isBilled(t, 'cut.mp4')
  const whole = readFileSync(at('h264.mp4'))
  writeFileSync(at('headless.mp4'), whole.subarray(0, whole.length / 2))
  t.match(await billed('headless.mp4'), { status: 'failed', error: /can't be read/, billing_status: 'not_charged' })
})

t.test('UP-2 an MP4 under the brands of phones, cameras and stores is an MP4', async t => {
  const brands = ['3gp4', '3gp5', '3g2a', 'mmp4', 'M4V ', 'isom', 'iso5', 'M4VH', 'f4v ', 'MSNV', 'dash']
  for (const brand of sampled(brands, 2)) {
    const bytes = readFileSync(at('h264.mp4'))
    bytes.write(brand, 8, 'latin1')
    writeFileSync(at('brand.mp4'), bytes)
    await isBilled(t, 'brand.mp4', seconds, 'video/mp4', `VID_${brand}.mp4`)
  }
  const bytes = readFileSync(at('h264.mp4'))
  bytes.write('3gp4', 8, 'latin1')
  for (let i = 16; i < bytes.readUInt32BE(0); i += 4) bytes.write('3gp4', i, 'latin1')
  writeFileSync(at('only.mp4'), bytes)
  t.match(await send('only.mp4', 'video/mp4'), { status: 400, body: { error: { message: /holds video\/3gpp;/ } } })
  t.match((await send('brand.mp4', 'video/3gpp', 'a.3gp')).status, 400, 'what calls itself 3GPP is none of the four')
})

t.test('UP-2 a documented type is taken under the other names that browsers and systems have for it', async t => {
  const names = {
    'plain.avi': ['video/avi', 'video/msvideo', 'video/vnd.avi', 'Video/X-MSVideo', 'application/x-troff-msvideo'],
    'h264.mp4': ['video/x-m4v', 'application/mp4', 'video/mp4; codecs="avc1.42E01E"', 'binary/octet-stream'],
  }
  for (const [name, types] of Object.entries(names))
    for (const type of types) t.equal((await send(name, type)).status, 200, type)
  t.equal((await send('h264.mp4', '', 'film.m4v')).status, 200)
  t.equal((await send('h264.mp4', 'audio/mp4')).status, 400)
  writeFileSync(at('text.avi'), 'just a text'.repeat(100))
  t.match(await send('text.avi', 'video/avi'), { status: 400, body: { error: { message: /no known video format/ } } })
})

t.test('UP-2 sound without a picture is refused, in whatever it comes', async t => {
  for (const ending of ['mp4', 'mov', 'webm', 'avi']) {
    t.match(
      await send(`sound.${ending}`),
      {
        status: 400,
        body: { error: { code: 'invalid_request', message: /^Invalid file type: .*sound and no picture/ } },
      },
      ending,
    )
  }
  const { body } = await client(mock).get('/v1/usage/summary')
  t.ok(body, 'and the mock lives on')
})

t.test('a length that nobody can find is drawn, as that of a foreign video_url', async t => {
  // Pictures, each of which stays for no time at all.
  const bytes = readFileSync(at('mute.avi'))
  for (let i = bytes.indexOf('strh'); i !== -1; i = bytes.indexOf('strh', i + 4)) bytes.writeUInt32LE(0, i + 8 + 24)
  bytes.writeUInt32LE(0, bytes.indexOf('avih') + 8)
  writeFileSync(at('timeless.avi'), bytes)
  const job = await billed('timeless.avi')
  t.match(job, { status: 'completed', billing_status: 'charged' })
  t.ok(job.duration_seconds >= 2 && job.duration_seconds <= 30, `${job.duration_seconds} s`)
  const set = await start(t, { videoSeconds: 7 })
  const { body } = await client(set).upload(bytes, 'timeless.avi')
  const api = client(set)
  const { body: same } = await api.get(`/v1/jobs/${await api.job({ video_url: body.video_url })}`)
  t.equal(same.duration_seconds, 7, '--video-seconds counts for it too')
})

t.test('docs/guides/videos.md: each file of the table is made, taken and billed as it says', async t => {
  const page = readFileSync('docs/guides/videos.md', 'utf8')
  const rows = [...page.matchAll(/^\| ([\w.]+) \| `(-.+?)` \| (?:`(.+?)`|(400)) \|( [\d.]+)? \|$/gm)]
  t.ok(rows.length >= 13, `${rows.length} rows`)
  // What no other test of this file makes of its own; `npm run prove` takes all rows.
  const daily = ['phone.mp4', 'trimmed.mov', 'streamed.avi', 'film.mkv', 'old.3gp']
  for (const [, name = '', args, type, refused, length] of rows) {
    if (!isProving && !daily.includes(name)) continue
    execSync(`ffmpeg -v error -y ${args}`, { cwd: folder })
    if (refused !== undefined) {
      t.match(await send(name), { status: 400, body: { error: { message: /^Invalid file type/ } } }, name)
      continue
    }
    const { headers } = await send(name)
    const [entry] = mock.journal.entries({ requestId: headers.get('x-request-id') as string })
    t.equal(entry?.upload?.type, type, name)
    await isBilled(t, name, Number(length))
  }
})
