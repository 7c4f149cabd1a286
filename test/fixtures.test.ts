/** The fixtures are what fixtures/README.md says: real files that real tools accept, with alpha where it is promised. */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { readdir, readFile, stat } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { outputsFolder, packageRoot } from '../base/paths.ts'
import { videoTypes } from '../contracts/schemas.ts'
import { contentsOf, knownContentsOf, sniff, sniffBytes } from '../media/video.ts'

const run = promisify(execFile)
const clipsFolder = join(packageRoot, 'fixtures', 'clips')
const clips = await readdir(clipsFolder)
const outputs = await readdir(outputsFolder)
const mattes = await readdir(join(packageRoot, 'fixtures', 'mattes'))

/** Seconds, by the clip's name (GO-6): a short, a longer and a visually difficult one. */
const seconds: Record<string, number> = { short: 2, longer: 12, difficult: 3 }
/** ffprobe's name of each container. */
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

for (const name of clips) {
  const path = join(clipsFolder, name)
  const ending = extname(name).slice(1)
  const expectedSeconds = seconds[name.split('.')[0] as string] as number

  t.test(`GO-6 clips/${name} is a ${ending} of ${expectedSeconds} s that ffprobe and the mock read alike`, async t => {
    const { format, streams } = await probe(path)
    t.equal(format.format_name, containers[ending])
    if (ending === 'mov') t.equal(format.tags?.major_brand, 'qt  ', 'QuickTime by its brand')
    if (ending === 'mp4') t.not(format.tags?.major_brand, 'qt  ', 'no QuickTime by its brand')
    t.match(
      streams.map(stream => stream.codec_type),
      ['video', 'audio'],
    )
    t.match(streams[0], size)
    t.ok(Math.abs(Number(format.duration) - expectedSeconds) <= 0.05, `lasts ${format.duration} s`)
    t.ok((await stat(path)).size < maxClipBytes)

    const contents = await contentsOf(path)
    const durationMs = contents.durationMs ?? Number.NaN
    t.ok(Math.abs(durationMs / 1000 - Number(format.duration)) <= 0.05, `UP-3 contentsOf gives ${durationMs}`)
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
  for (const name of mattes) {
    const { format, streams } = await probe(join(packageRoot, 'fixtures', 'mattes', name))
    t.equal(Number(format.duration), seconds[name.split('.')[0] as string], name)
    t.match(streams, [{ codec_name: 'h264', ...size }])
  }
})

t.test('DL-3 each video output is what its format says, 2 s long', async t => {
  for (const ending of ['webm', 'mov', 'mp4', 'gif']) {
    const { format, streams } = await probe(join(outputsFolder, `output.${ending}`))
    t.equal(format.format_name, containers[ending])
    t.equal(Number(format.duration), 2, `output.${ending}`)
    t.equal(streams.length, 1, 'without audio')
    t.match(streams[0], size)
  }
})

t.test(
  'DL-3 the outputs with alpha are clear in one place and solid in another, in each of their 50 frames',
  async t => {
    // ffmpeg's own VP9 decoder drops the alpha.
    const decoders: Record<string, string[]> = { webm: ['-c:v', 'libvpx-vp9'], mov: [], gif: [] }
    for (const [ending, decoder] of Object.entries(decoders)) {
      await hasAlpha(t, ending, [...decoder, '-i', join(outputsFolder, `output.${ending}`)])
    }
  },
)

t.test('DL-3 the png_sequence is a sound zip of 50 PNGs with alpha, named in order', async t => {
  const folder = t.testdir()
  const zip = join(outputsFolder, 'output.png_sequence.zip')
  await run('unzip', ['-tq', zip])
  await run('unzip', ['-q', zip, '-d', folder])
  const expected = Array.from({ length: 50 }, (_, i) => `frame_${String(i + 1).padStart(4, '0')}.png`)
  t.same((await readdir(folder)).sort(), expected)
  const { streams } = await probe(join(folder, 'frame_0001.png'))
  t.match(streams[0], { codec_name: 'png', pix_fmt: 'rgba', ...size })
  await hasAlpha(t, 'png_sequence', ['-i', join(folder, 'frame_%04d.png')])
})

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

interface Probe {
  format: { format_name: string; duration: string; tags?: { major_brand?: string } }
  streams: { codec_type: string; codec_name: string; pix_fmt: string; width: number; height: number }[]
}

async function probe(path: string): Promise<Probe> {
  const { stdout, stderr } = await run('ffprobe', ['-v', 'error', '-show_format', '-show_streams', '-of', 'json', path])
  if (stderr !== '') throw new Error(`ffprobe says of ${path}: ${stderr}`)
  return JSON.parse(stdout)
}

async function hasAlpha(t: Test, name: string, input: string[]): Promise<void> {
  const decoded = await run('ffmpeg', ['-v', 'error', ...input, '-f', 'rawvideo', '-pix_fmt', 'rgba', 'pipe:1'], {
    encoding: 'buffer',
    maxBuffer: 32 * 1024 * 1024,
  })
  const frameBytes = size.width * size.height * 4
  t.equal(decoded.stdout.length, 50 * frameBytes, `${name} has 50 frames`)
  const without: number[] = []
  for (let at = 0; at < decoded.stdout.length; at += frameBytes) {
    const alpha = new Set<number | undefined>()
    for (let i = at + 3; i < at + frameBytes; i += 4) alpha.add(decoded.stdout[i])
    if (!alpha.has(0) || !alpha.has(255)) without.push(at / frameBytes)
  }
  t.same(without, [], `${name}: frames without a clear or without a solid pixel`)
}

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
