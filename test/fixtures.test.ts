/** The fixtures are what fixtures/README.md says: real files that real tools accept, with alpha where it is promised. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { outputsFolder, packageRoot } from '../base/paths.ts'
import { videoTypes } from '../contracts/schemas.ts'
import { contentsOf, knownContentsOf, sniff, sniffBytes } from '../media/video.ts'
import { alpha, type Film, filmsOf } from './films.ts'

const run = promisify(execFile)
const clipsFolder = join(packageRoot, 'fixtures', 'clips')
const clips = await readdir(clipsFolder)
const outputs = await readdir(outputsFolder)
const mattes = await readdir(join(packageRoot, 'fixtures', 'mattes'))

/** Seconds, by the clip's name (GO-6): a short, a longer and a visually difficult one. */
const seconds: Record<string, number> = { short: 2, longer: 12, difficult: 3 }
/** ffmpeg's name of each container. */
const containers: Record<string, string> = {
  mp4: 'mov,mp4,m4a,3gp,3g2,mj2',
  mov: 'mov,mp4,m4a,3gp,3g2,mj2',
  webm: 'matroska,webm',
  avi: 'avi',
  gif: 'gif',
}
const maxClipBytes = 3 * 1024 * 1024
const size = { width: 320, height: 180 }

t.test('GO-6 there is a short, a longer and a difficult clip in each container that UP-2 takes', async t => {
  const expected = Object.keys(seconds).flatMap(name =>
    ['avi', 'mov', 'mp4', 'webm'].map(ending => `${name}.${ending}`),
  )
  t.same(clips.toSorted(), expected.toSorted())
})

const folder = t.testdir()
/** What is known of each film once ffmpeg has seen it, by its path in fixtures/; of those with alpha, that of every frame. */
const films: Record<string, Film> = {}
const withAlpha = ['outputs/output.webm', 'outputs/output.mov', 'outputs/output.gif', 'outputs/output.png_sequence.zip']

t.before(async () => {
  const zip = join(outputsFolder, 'output.png_sequence.zip')
  await run('unzip', ['-tq', zip])
  await run('unzip', ['-q', zip, '-d', folder])
  const paths = [
    ...clips.map(name => `clips/${name}`),
    ...mattes.map(name => `mattes/${name}`),
    'outputs/output.mp4',
    ...withAlpha,
  ]
  const found = await filmsOf(
    folder,
    ...paths.map((path): [string, string?] => [
      path.endsWith('.zip') ? join(folder, 'frame_%04d.png') : join(packageRoot, 'fixtures', path),
      withAlpha.includes(path) ? alpha : undefined,
    ]),
  )
  for (const [i, path] of paths.entries()) films[path] = found[i] as Film
})

for (const name of clips) {
  const path = join(clipsFolder, name)
  const ending = extname(name).slice(1)
  const expectedSeconds = seconds[name.split('.')[0] as string] as number

  t.test(`GO-6 clips/${name} is a ${ending} of ${expectedSeconds} s that ffmpeg and the mock read alike`, async t => {
    const film = films[`clips/${name}`] as Film
    t.equal(film.container, containers[ending])
    const [, brand] = /major_brand +: (.{4})/.exec(film.said) ?? []
    if (ending === 'mov') t.equal(brand, 'qt  ', 'QuickTime by its brand')
    if (ending === 'mp4') t.not(brand, 'qt  ', 'no QuickTime by its brand')
    t.same(
      [...film.said.matchAll(/: (Video|Audio|Subtitle|Data): /g)].map(([, kind]) => kind),
      ['Video', 'Audio'],
    )
    t.match(film, size)
    t.ok(Math.abs(film.seconds - expectedSeconds) <= 0.05, `lasts ${film.seconds} s`)
    t.ok((await stat(path)).size < maxClipBytes)

    const contents = await contentsOf(path)
    const durationMs = contents.durationMs ?? Number.NaN
    t.ok(Math.abs(durationMs / 1000 - film.seconds) <= 0.05, `UP-3 contentsOf gives ${durationMs}`)
    const bytes = await readFile(path)
    const sha256 = createHash('sha256').update(bytes).digest('hex')
    t.same(await knownContentsOf('/nowhere', sha256), contents, 'and is what media/video.ts knows of it unread')
    const head = bytes.subarray(0, sniffBytes)
    const sniffed = await sniff(head)
    t.ok('type' in sniffed && videoTypes[sniffed.type].some(known => known === ending), 'UP-4 sniff agrees')
  })
}

t.test('each clip has a matte of its length and size', async t => {
  t.same(
    mattes.toSorted(),
    Object.keys(seconds)
      .map(name => `${name}.mp4`)
      .toSorted(),
  )
  for (const name of mattes)
    t.match(
      films[`mattes/${name}`],
      { codecs: ['h264'], seconds: seconds[name.split('.')[0] as string], ...size },
      name,
    )
})

t.test('DL-3 each video output is what its format says, 2 s long', async t => {
  for (const ending of ['webm', 'mov', 'mp4', 'gif']) {
    const film = films[`outputs/output.${ending}`] as Film
    t.match(film, { container: containers[ending], seconds: 2, ...size }, `output.${ending}`)
    t.equal(film.codecs.length, 1, 'without audio')
  }
})

t.test('DL-3 the png_sequence is a sound zip of 50 PNGs with alpha, named in order', async t => {
  const expected = Array.from({ length: 50 }, (_, i) => `frame_${String(i + 1).padStart(4, '0')}.png`)
  t.same((await readdir(folder)).filter(name => name.endsWith('.png')).sort(), expected)
  t.match(films['outputs/output.png_sequence.zip'], { codecs: ['png'], said: /Video: png, rgba\b/, ...size })
})

t.test(
  'DL-3 the outputs with alpha are clear in one place and solid in another, in each of their 50 frames',
  async t => {
    for (const path of withAlpha) {
      const { pixels } = films[path] as Film
      const frameBytes = size.width * size.height
      t.equal(pixels.length, 50 * frameBytes, `${path} has 50 frames`)
      const frames = Array.from({ length: 50 }, (_, i) => pixels.subarray(i * frameBytes, (i + 1) * frameBytes))
      const without = frames.flatMap((frame, i) => (frame.includes(0) && frame.includes(255) ? [] : [i]))
      t.same(without, [], `${path}: frames without a clear or without a solid pixel`)
    }
  },
)

t.test('DL-3 the webp is animated for 2 s, and every frame of it carries alpha', async t => {
  const bytes = await readFile(join(outputsFolder, 'output.webp'))
  t.equal(bytes.toString('latin1', 8, 12), 'WEBP')
  const [header, ...rest] = chunksOf(bytes, 12)
  t.equal(header?.name, 'VP8X')
  const flags = header?.data[0] ?? 0
  t.ok(flags & 0x10, 'the alpha flag')
  t.ok(flags & 0x02, 'the animation flag')
  t.same([header?.data.readUIntLE(4, 3), header?.data.readUIntLE(7, 3)], [size.width - 1, size.height - 1])
  const frames = rest.filter(chunk => chunk.name === 'ANMF').map(chunk => chunk.data)
  t.equal(
    frames.reduce((sum, frame) => sum + frame.readUIntLE(12, 3), 0),
    2000,
    'milliseconds of all frames',
  )
  const contents = new Set(
    frames.map(frame =>
      chunksOf(frame, 16)
        .map(chunk => chunk.name)
        .join(),
    ),
  )
  t.same([...contents], ['ALPH,VP8 '])
})

t.test('fixtures/README.md names every file, with the size that it has', async t => {
  const readme = await readFile(join(packageRoot, 'fixtures', 'README.md'), 'utf8')
  const rows = readme.matchAll(/^\| `(\S+)` .*\| ([\d,]+) \| [^|]+\|$/gm)
  const told = Object.fromEntries([...rows].map(([, name, bytes]) => [name, Number(bytes?.replaceAll(',', ''))]))
  const files = [
    ...clips.map(name => `clips/${name}`),
    ...mattes.map(name => `mattes/${name}`),
    ...outputs.map(name => `outputs/${name}`),
  ]
  const found: Record<string, number> = {}
  for (const file of files) found[file] = (await stat(join(packageRoot, 'fixtures', file))).size
  t.same(told, found)
})

/** The chunks of a RIFF file from `start` on. */
function chunksOf(bytes: Buffer, start: number): { name: string; data: Buffer }[] {
  const chunks = []
  for (let at = start; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at + 4)
    chunks.push({ name: bytes.toString('latin1', at, at + 4), data: bytes.subarray(at + 8, at + 8 + length) })
    at += 8 + length + (length % 2)
  }
  return chunks
}
