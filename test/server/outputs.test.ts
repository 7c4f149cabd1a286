/** Outputs that are made from their own inputs: what ffmpeg and the API say of them, over real HTTP. */
import { execFile, execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { packageRoot } from '../../base/paths.ts'
import type { RunningMock } from '../../client/mock.ts'
import { alphaFormats, type OutputFormat, outputFormats } from '../../contracts/schemas.ts'
import { inspect } from '../../media/container.ts'
import { alpha, type Film, filmsOf } from '../films.ts'
import { client, clip, isProving, start } from '../support.ts'
import { smallClip, smallSize } from './smallClip.ts'

const run = promisify(execFile)
const folder = t.testdir({}) as string
const at = (name: string): string => join(folder, name)
const ffmpeg = (...args: string[]) => execFileSync('ffmpeg', ['-v', 'error', '-y', ...args], { maxBuffer: 1e8 })

let mock: RunningMock
t.before(async () => {
  mock = await start(t, { outputs: 'made', renderJobs: 2 })
})

type Job = Record<string, unknown> & { status: string; error: string | null; output_url: string }

/** A job of the file, as it ends. */
async function jobOf(bytes: Uint8Array, name: string, fields: Record<string, unknown> = {}, on = mock): Promise<Job> {
  const api = client(on)
  const { body } = await api.upload(bytes, name)
  return ended(await api.job({ video_url: body.video_url, ...fields }), on)
}

/** Each poll waits for a moment by itself. */
async function ended(id: string, on = mock): Promise<Job> {
  for (;;) {
    const { body } = await client(on).get(`/v1/jobs/${id}`)
    if (body.status !== 'pending' && body.status !== 'processing') return body
  }
}

/** The output as a file. */
async function outputOf(job: Job, name: string): Promise<string> {
  const response = await fetch(job.output_url)
  writeFileSync(at(name), Buffer.from(await response.arrayBuffer()))
  return at(name)
}

const seen = (...films: [path: string, filter: string][]): Promise<Film[]> => filmsOf(folder, ...films)

const share = (values: Uint8Array, fits: (value: number) => boolean): number =>
  values.reduce((sum, value) => sum + (fits(value) ? 1 : 0), 0) / values.length

const small = { ...smallSize, clip: () => smallClip(folder) }

t.test('DL-3 each format of an uploaded clip has its length, size, rate, sound and alpha', async t => {
  const bytes = await small.clip()
  const sounds: Partial<Record<OutputFormat, string>> = { webm: 'opus', mov: 'pcm_s16le', mp4: 'aac' }
  const files = await Promise.all(
    outputFormats.map(async format => {
      const job = await jobOf(bytes, 'small.mp4', {
        output_format: format,
        ...(format === 'mp4' && { bg_type: 'green' }),
      })
      t.match(job, { status: 'completed', billing_status: 'charged', duration_seconds: Number }, format)
      const file = await outputOf(job, format === 'png_sequence' ? 'short.zip' : `short.${format}`)
      if (format !== 'png_sequence') return [format, file] as const
      mkdirSync(at('frames'))
      await run('unzip', ['-q', file, '-d', at('frames')])
      t.equal(readdirSync(at('frames')).length, small.frames, 'a picture for each frame')
      return [format, join(at('frames'), 'frame_%04d.png')] as const
    }),
  )
  // ffmpeg reads no animated WebP.
  const readable = files.filter(([format]) => format !== 'webp')
  const films = await seen(
    ...readable.map(([format, file]): [string, string] => [
      file,
      alphaFormats.includes(format) ? alpha : 'format=gray',
    ]),
  )
  for (const [i, { seconds, codecs, width, height, rate, pixels }] of films.entries()) {
    const format = readable[i]?.[0] as OutputFormat
    t.same({ width, height, rate }, { width: small.width, height: small.height, rate: 25 }, format)
    t.ok(Math.abs(seconds - small.frames / 25) <= 0.04, `${format} lasts ${seconds} s`)
    t.equal(codecs[1], sounds[format], `${format}'s sound`)
    t.equal(pixels.length, small.width * small.height * small.frames, `${format} has ${small.frames} frames`)
    if (!alphaFormats.includes(format)) continue
    const [clear, solid] = [share(pixels, one => one < 8), share(pixels, one => one > 247)]
    t.ok(clear > 0.7 && clear < 0.85 && solid > 0.14 && solid < 0.26, `${format}: ${clear} clear, ${solid} solid`)
  }
})

t.test('the cut-out is that of the clip: its alpha is off by less than 0.06 in the mean', async t => {
  const readme = readFileSync(join(packageRoot, 'fixtures', 'README.md'), 'utf8')
  for (const name of ['short', ...(isProving ? ['longer', 'difficult'] : [])]) {
    const job = await jobOf(await clip(`${name}.mp4`), `${name}.mp4`)
    const matte = join(packageRoot, 'fixtures', 'mattes', `${name}.mp4`)
    const [made, drawn] = await seen([await outputOf(job, `${name}.webm`), alpha], [matte, 'format=gray'])
    const [found, expected] = [made?.pixels as Uint8Array, drawn?.pixels as Uint8Array]
    t.equal(found.length, expected.length, `${name}: as many frames`)
    const off = found.reduce((sum, value, i) => sum + Math.abs(value - (expected[i] as number)), 0) / found.length / 255
    const told = Number(new RegExp(`\\| \`mattes/${name}.mp4\` .*\\| (0\\.\\d+) \\|`).exec(readme)?.[1])
    t.ok(Math.abs(off - told) < 0.002, `${name} is off by ${off}; fixtures/README.md says ${told}`)
    if (name !== 'difficult') t.ok(off < 0.06, `${name}: ${off}`)
  }
})

const x264 = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-crf', '40', '-preset', 'ultrafast']

/** Some films of one process: what goes before its input, the graph that draws it, and what follows. */
function draw(films: Record<string, [before: string[], graphs: string[], after: string[]]>): void {
  const all = Object.entries(films)
  const inputs = all.flatMap(([, [before, graphs]]) =>
    graphs.flatMap((graph, i) => [...(i === 0 ? before : []), '-f', 'lavfi', '-i', graph]),
  )
  let input = 0
  const outputs = all.flatMap(([name, [, graphs, after]]) => [
    ...graphs.flatMap(() => ['-map', `${input++}`]),
    ...after,
    at(name),
  ])
  ffmpeg(...inputs, ...outputs)
}

/** Turns an MP4 by 90 degrees, as phones do: by the matrix of its track (ISO/IEC 14496-12, 8.3.2). */
function turn(name: string): void {
  const bytes = readFileSync(at(name))
  const matrix = bytes.indexOf('tkhd') + 4 + 40
  for (const [i, value] of [0, 1, 0, -1, 0, 0].entries()) bytes.writeInt32BE(value * 65_536, matrix + i * 4)
  writeFileSync(at(name), bytes)
}

t.test('what cameras, browsers and editors write comes out as long, as large and as fast', async t => {
  const picture = (...more: string[]) => [`testsrc=${['duration=1', ...more].join(':')}`]
  const sound = 'sine=duration=2'
  const sized = 'size=96x54'
  const odd: Record<string, [...Parameters<typeof draw>[0][string], Partial<Film>]> = {
    'ntsc.mp4': [[], picture(sized, 'rate=30000/1001'), x264, { rate: 29.97 }],
    'turned.mp4': [
      ['-itsoffset', '0.5'],
      [...picture(sized, 'rate=30000/1001'), sound],
      x264,
      { width: 54, height: 96, seconds: 2, rate: 29.97 },
    ],
    // Longer, so that what is left of it is more than its first picture.
    'cut.mp4': [[], [`testsrc=duration=2:${sized}`], [...x264, '-movflags', 'faststart'], { seconds: 2 }],
    'fast.mp4': [[], picture(sized, 'rate=60'), x264, { rate: 60 }],
    'odd.avi': [[], picture('size=97x55'), ['-c:v', 'mpeg4'], { width: 97, height: 55 }],
    'long-sound.mp4': [[], [...picture(sized), sound], x264, { seconds: 2 }],
    'prores.mov': [[], picture(sized), ['-c:v', 'prores'], {}],
    'hevc.mp4': [[], picture(sized), ['-c:v', 'libx265', '-x265-params', 'log-level=0', '-tag:v', 'hvc1'], {}],
    'fragmented.mp4': [[], picture(sized), [...x264, '-movflags', 'frag_keyframe+empty_moov'], {}],
    'vfr.mp4': [[], picture(sized), ['-vf', "select='not(eq(mod(n,5),3))'", '-fps_mode', 'vfr', ...x264], { rate: 20 }],
    'late.mp4': [['-itsoffset', '0.5'], [...picture(sized), sound], x264, { seconds: 2 }],
    'live.webm': [[], picture(sized), ['-c:v', 'libvpx', '-deadline', 'realtime', '-f', 'webm', '-live', '1'], {}],
  }
  // A few of them each time, of which one is odd in all that its times and sides can be; `npm run prove` takes all.
  const daily = ['turned.mp4', 'odd.avi', 'live.webm', 'cut.mp4']
  const names = Object.keys(odd).filter(name => isProving || daily.includes(name))
  draw(Object.fromEntries(names.map(name => [name, odd[name]?.slice(0, 3) as Parameters<typeof draw>[0][string]])))
  turn('turned.mp4')
  const whole = readFileSync(at('cut.mp4'))
  writeFileSync(at('cut.mp4'), whole.subarray(0, whole.length * 0.6))
  const files = await Promise.all(
    names.map(async name => {
      const job = await jobOf(readFileSync(at(name)), name)
      t.match(job, { status: 'completed' }, `${name}: ${job.error}`)
      return outputOf(job, `of-${name}.webm`)
    }),
  )
  const films = await seen(...files.map((file): [string, string] => [file, 'format=gray']))
  for (const [i, name] of names.entries()) {
    const film = films[i] as Film
    const { seconds, ...rest } = { seconds: 1, width: 96, height: 54, rate: 25, ...odd[name]?.[3] }
    t.match(film, rest, name)
    t.ok(Math.abs(film.seconds - seconds) <= 0.05, `${name} lasts ${film.seconds} s, expected ${seconds}`)
    const frames = film.pixels.length / rest.width / rest.height
    t.ok(Math.abs(frames - seconds * rest.rate) < 1, `${name}: ${frames} frames in ${seconds} s`)
  }
})

/** The colours of the first frame of some films, as RGBA at a place of that film. */
async function colours(...films: string[]) {
  const found = await seen(...films.map((file): [string, string] => [file, 'trim=end_frame=1,format=rgba']))
  return found.map(film => ({
    ...film,
    at: (x: number, y: number) => [...film.pixels.subarray((y * film.width + x) * 4, (y * film.width + x) * 4 + 4)],
  }))
}

const isNear = (found: number[] | undefined, expected: number[]): boolean =>
  found !== undefined && expected.every((value, i) => Math.abs(value - (found[i] as number)) < 16)

t.test('JOB-1 what stands behind the subject is as the job says, and so is where it stands', async t => {
  // One pixel of 0xff8000 as a GIF.
  const behind = Buffer.from('R0lGODlhAQABAIABAP+AAP///ywAAAAAAQABAAACAkQBADs=', 'base64')
  // Any server on this machine: an image is fetched as a webhook is sent.
  const server = createServer((_, response) => response.end(behind))
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const { port } = server.address() as { port: number }
  const cases: [string, Record<string, unknown>, number[]][] = [
    ['css', { background: { type: 'color', color: 'tomato' } }, [255, 99, 71, 255]],
    ['image', { background: { type: 'image', image_url: `http://127.0.0.1:${port}/a.png` } }, [255, 128, 0, 255]],
    [
      'foreign',
      { background: { type: 'image', image_url: 'https://example.com/a.png', color: [9, 9, 90] } },
      [9, 9, 90, 255],
    ],
    [
      'composed',
      {
        bg_type: 'custom',
        bg_color: [0, 0, 255],
        composition: {
          canvas: { width: 100, height: 150 },
          foreground: { anchor: 'bottom-right', scale: 0.5, offset: { x: -5, y: -10 } },
        },
      },
      [0, 0, 255, 255],
    ],
  ]
  const bytes = await small.clip()
  const files = await Promise.all(
    cases.map(async ([name, fields]) => {
      const job = await jobOf(bytes, 'small.mp4', { output_format: 'mov', ...fields })
      t.match(job, { status: 'completed' }, `${name}: ${job.error}`)
      return outputOf(job, `${name}.mov`)
    }),
  )
  const films = await colours(...files)
  for (const [i, [name, , expected]] of cases.entries()) {
    const film = films[i] as (typeof films)[number]
    const isComposed = name === 'composed'
    t.match(film, { rate: 25, ...(isComposed ? { width: 100, height: 150 } : { width: 160, height: 90 }) })
    // Half of 160 x 90, its right edge at 95 and its lower one at 140: the head of 80, 30 is at 55, 110.
    const [found, head] = isComposed ? [film.at(55, 75), film.at(55, 110)] : [film.at(2, 2), film.at(80, 30)]
    t.ok(isNear(found, expected), `${name}: ${found}`)
    t.ok(isNear(head, [224, 172, 130]), `${name}: the head is ${head}`)
  }
})

t.test('JOB-4 CR-3 what can not be made fails with a sentence, and costs nothing', async t => {
  const bytes = await small.clip()
  const noise = Buffer.from(bytes)
  // All of its pictures and sound.
  noise.fill(0x55, noise.indexOf('mdat') + 4)
  const cases: [string, Job, RegExp][] = [
    ['noise', await jobOf(noise, 'noise.mp4'), /^Processing failed: no picture of it can be decoded/],
    [
      'colour',
      await jobOf(bytes, 'a.mp4', { background: { type: 'color', color: 'blurple' } }),
      /^Processing failed: its background's color "blurple" is none; expected RGB or a CSS colour$/,
    ],
    [
      'canvas',
      await jobOf(bytes, 'a.mp4', { composition: { canvas: { width: 1e6, height: 1e6 } } }),
      /canvas is 1000000 x 1000000; expected/,
    ],
    [
      'image',
      await jobOf(bytes, 'a.mp4', { background: { type: 'image', image_url: `${mock.url}/health` } }),
      /image_url gives no picture/,
    ],
  ]
  for (const [name, job, error] of cases) {
    t.match(job, { status: 'failed', error, billing_status: 'not_charged', output_url: null }, name)
    t.notMatch(job.error, /understudy|tmp|0x/, 'nothing of this machine is in it')
  }
  const again = await client(mock).post(`/v1/jobs/${cases[1]?.[1].id}/start`, { background: { type: 'transparent' } })
  t.equal(again.status, 200)
  t.match(await ended(again.body.id), { status: 'completed', error: null }, 'with other inputs it goes')
})

t.test('JOB-5 an oval in place of the subject is told; a still background is not mistaken for one', async t => {
  draw({
    'moving.mp4': [[], ['nullsrc=s=96x54:r=10:d=1,geq=random(1)*255:128:128'], x264],
    // Bars that stand still, and a square before them that moves.
    'still.mp4': [
      [],
      ["smptebars=s=160x90:r=5:d=4[back];color=white:s=30x40:r=5:d=4[square];[back][square]overlay=x='t*30':y=30"],
      x264,
    ],
  })
  t.match((await jobOf(readFileSync(at('moving.mp4')), 'moving.mp4')).message, /background moves.*soft oval/)
  const job = await jobOf(readFileSync(at('still.mp4')), 'still.mp4')
  t.equal(job.message, undefined)
  const [film] = await seen([await outputOf(job, 'still.webm'), alpha])
  const solid = share(film?.pixels as Uint8Array, one => one > 200)
  const real = (30 * 40) / (160 * 90)
  t.ok(Math.abs(solid - real) < 0.04, `${solid} of it is solid, ${real} is the square's`)
})

t.test('a foreign video_url gets a clip of its billed length, made when it is asked for', async t => {
  const before = Date.now()
  const job = await ended(await client(mock).job({ video_url: 'https://example.com/my%20cat.mp4#t=1' }))
  t.match(job, { status: 'completed', duration_seconds: 1 })
  t.ok(Date.now() - before < 5_000)
  const [film] = await seen([await outputOf(job, 'foreign.webm'), alpha])
  t.match(film, { seconds: 1, width: 320, height: 180 })
  const { pixels } = film as Film
  t.ok(share(pixels, one => one < 8) > 0.2 && share(pixels, one => one > 247) > 0.1)
})

t.test('a recording of what was made is replayed with the canned file, whole', async t => {
  const job = await jobOf(await clip('short.mp4'), 'short.mp4')
  const made = (await (await fetch(job.output_url)).arrayBuffer()).byteLength
  writeFileSync(at('made.har'), mock.journal.har({ jobId: job.id as string }))
  const replayed = await start(t, { replay: at('made.har') })
  const response = await fetch(replayed.url + new URL(job.output_url).pathname)
  const { byteLength } = await response.arrayBuffer()
  t.equal(response.status, 200)
  t.equal(Number(response.headers.get('content-length')), byteLength)
  t.ok(made > byteLength, 'which is shorter than what was recorded')
})

t.test('the same content and inputs are made once, and to the same bytes on another mock', async t => {
  const made = async (dataDir: string) => {
    const own = await start(t, { outputs: 'made', dataDir })
    const bytes = await small.clip()
    const jobs = await Promise.all([jobOf(bytes, 'a.mp4', {}, own), jobOf(bytes, 'b.mp4', {}, own)])
    const files = await Promise.all(
      jobs.map(async job => Buffer.from(await (await fetch(job.output_url)).arrayBuffer())),
    )
    await own.close()
    t.equal(readdirSync(join(dataDir, 'outputs')).length, 1, 'one file for both')
    t.same(readdirSync(join(dataDir, 'incoming')), [], 'nothing is left of the way')
    return files as [Buffer, Buffer]
  }
  const [one, other] = [await made(at('one')), await made(at('other'))]
  t.ok(one[0].length > 5_000 && one.concat(other).every(file => file.equals(one[0])))
  const later = await start(t, { outputs: 'made', dataDir: at('one') })
  const name = readdirSync(at('one/outputs'))[0] as string
  writeFileSync(at(`one/outputs/${name}`), 'kept over a restart')
  const kept = await jobOf(await small.clip(), 'c.mp4', {}, later)
  t.equal(await (await fetch(kept.output_url)).text(), 'kept over a restart')
  rmSync(at(`one/outputs/${name}`))
  const anew = Buffer.from(await (await fetch(kept.output_url)).arrayBuffer())
  t.ok(anew.equals(one[0]), 'taken away, it is made anew')
})

t.test('a job that is due waits for its output, and the journal says how long', async t => {
  const own = await start(t, { outputs: 'made', speed: 1 })
  own.clock.freeze()
  const api = client(own)
  const { body } = await api.upload(await small.clip(), 'small.mp4')
  const id = await api.job({ video_url: body.video_url })
  t.match((await api.get(`/v1/jobs/${id}`)).body, { status: 'pending' })
  own.clock.step('10s')
  const polls = []
  do polls.push((await api.get(`/v1/jobs/${id}`)).body)
  while (polls.at(-1).status === 'processing')
  t.match(polls.at(-1), { status: 'completed', progress: 100 })
  const waits = own.journal
    .entries({ route: 'getJob' })
    .flatMap(entry => ('output_wait_ms' in entry ? [entry.output_wait_ms] : []))
  t.equal(waits.length, polls.length, 'the poll before it was due did not wait')
  t.ok(
    waits.every(ms => Number(ms) > 0 && Number(ms) < 60_000),
    `${waits}`,
  )
})

/** The programs that this process has started, by their command lines. */
const children = (): string[] =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .flatMap(pid => {
      try {
        const [, parent] = /^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
        return Number(parent) === process.pid ? [`${pid} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8')}`] : []
      } catch {
        return []
      }
    })
    .filter(line => /^\d+ ff/.test(line))

/** A video that takes a while: a clip over and over. */
const slow = () => {
  const longer = join(packageRoot, 'fixtures', 'clips', 'longer.mp4')
  if (!existsSync(at('slow.mp4'))) ffmpeg('-stream_loop', '10', '-i', longer, '-c', 'copy', at('slow.mp4'))
  return readFileSync(at('slow.mp4'))
}

async function begunOn(own: RunningMock, key: string): Promise<string> {
  const api = client(own, key)
  const { body } = await api.upload(slow(), 'slow.mp4')
  const before = children()
  const id = await api.job({ video_url: body.video_url })
  // That ffmpeg is at it.
  while (!children().some(line => !before.includes(line))) await api.get('/health')
  return id
}

t.test(
  'reset and close end what is being made',
  { skip: !existsSync('/proc/self/status') && 'there is no /proc' },
  async t => {
    const own = await start(t, { outputs: 'made', dataDir: at('ended') })
    await begunOn(own, 'test_a')
    const first = children()
    own.reset('test_a')
    const id = await begunOn(own, 'test_b')
    // They end, or this does not.
    while (children().some(line => first.includes(line))) await client(own).get('/health')
    for (const line of children()) process.kill(Number(line.split(' ', 1)[0]), 'SIGKILL')
    for (;;) {
      const { body } = await client(own, 'test_b').get(`/v1/jobs/${id}`)
      if (body.status === 'processing') continue
      t.match(body, {
        status: 'failed',
        error: 'Processing failed: ffmpeg was ended from outside',
        billing_status: 'not_charged',
      })
      break
    }
    await begunOn(own, 'test_c')
    await own.close()
    t.same(children(), [])
    t.same(readdirSync(at('ended/incoming')), [])
  },
)

t.test('old outputs make room for new ones', async t => {
  const outputBytes = 1024 * 1024
  const own = await start(t, { outputs: 'made', dataDir: at('bounded'), outputBytes })
  // As MOV, each is more than half of that.
  const bytes = await clip('short.mp4')
  const jobs = []
  for (const bg_type of ['white', 'black'])
    jobs.push(await jobOf(bytes, 'a.mp4', { output_format: 'mov', bg_type }, own))
  t.match(jobs, Array(2).fill({ status: 'completed' }))
  const kept = readdirSync(at('bounded/outputs'), { withFileTypes: true }).map(
    ({ name }) => statSync(at(`bounded/outputs/${name}`)).size,
  )
  t.ok(kept.length === 1 && (kept[0] as number) > outputBytes / 2, `${kept}`)
  t.equal((await fetch((jobs[0] as Job).output_url)).status, 200, 'one that went is made anew')
})

t.test('canned outputs are as long as their job in each format, by repeating or leaving out frames', async t => {
  const canned = await start(t, { outputs: 'canned' })
  const made = async (format: OutputFormat, seconds: number) => {
    const fields = { video_url: `https://example.com/a.mp4#t=${seconds}`, output_format: format }
    return ended(await client(canned).job({ ...fields, ...(format === 'mp4' && { bg_type: 'green' }) }), canned)
  }
  const films: [name: string, frames: number, path: string, filter: string][] = []
  await Promise.all(
    outputFormats.flatMap(format =>
      (isProving ? [5, 0.6] : [['webm', 'mp4', 'gif'].includes(format) ? 5 : 0.6]).map(async seconds => {
        const ending = format === 'png_sequence' ? 'zip' : format
        const file = await outputOf(await made(format, seconds), `canned-${seconds}.${ending}`)
        const frames = seconds * 25
        const { problem, seconds: told } = inspect(readFileSync(file))
        t.equal(problem, undefined, format)
        if (format !== 'png_sequence')
          t.ok(Math.abs((told ?? 0) - seconds) < 0.041, `${format} of ${seconds} s: ${told} s`)
        if (format === 'webp') return
        if (format === 'png_sequence') {
          mkdirSync(at(`frames-${seconds}`))
          await run('unzip', ['-q', file, '-d', at(`frames-${seconds}`)])
          t.equal(readdirSync(at(`frames-${seconds}`)).length, frames)
          return
        }
        films.push([format, frames, file, format === 'mp4' ? 'format=gray' : alpha])
      }),
    ),
  )
  const found = await seen(...films.map(([, , path, filter]): [string, string] => [path, filter]))
  for (const [i, [format, frames, , filter]] of films.entries()) {
    const film = found[i] as Film
    t.match(film, { width: 320, height: 180, rate: 25 }, format)
    t.equal(film.pixels.length, frames * 320 * 180, `${format}: ${frames} frames, and all can be decoded`)
    if (filter !== alpha) continue
    const last = film.pixels.subarray(-320 * 180)
    t.ok(share(last, one => one < 8) > 0.5 && share(last, one => one > 247) > 0.1, `${format}: the last has alpha`)
  }
  const file = Buffer.from(await (await fetch((await made('webm', 2)).output_url)).arrayBuffer())
  t.ok(file.equals(readFileSync(join(packageRoot, 'fixtures', 'outputs', 'output.webm'))), 'what fits is as it ships')
})
