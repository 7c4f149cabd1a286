/** UP-1 to UP-4, and the upload's rows of ERR-4. */

import { plural } from '../../base/text.ts'
import { describeResponse, field, isRefused } from '../../contracts/answers.ts'
import type { ObservedExchange } from '../../contracts/observedExchange.ts'
import type { Video } from '../../media/clip.ts'
import type { Check } from '../check.ts'
import type { Probe } from '../probe.ts'
import { asFile } from '../upload.ts'

const routes = ['/v1/uploads', '/api/upload'] as const
const text = (content: string) => new TextEncoder().encode(content)

/** UP-2, [open]: 500 * 1024 * 1024 or 500,000,000 bytes. One byte more than either, and no more than both. */
export const tooManyBytes = 500 * 1024 * 1024 + 1
export const mostBytes = 500_000_000

/** A playable clip, made so large by an empty box at its end that every reader of MP4 skips. */
function padded({ bytes }: Video, size: number) {
  const padding = size - bytes.length
  return {
    size,
    *chunks() {
      yield bytes
      const head = new Uint8Array(8)
      new DataView(head.buffer).setUint32(0, padding)
      head.set(text('free'), 4)
      yield head
      const chunk = new Uint8Array(1024 * 1024)
      for (let left = padding - head.length; left > 0; left -= chunk.length) {
        yield left >= chunk.length ? chunk : chunk.subarray(0, left)
      }
    },
  }
}

/** Whether a clip is taken where its part says its type: asked once. */
const typed = (t: Probe, clip: Video): Promise<ObservedExchange> =>
  t.run.once(`typed ${clip.name}`, () => t.upload(asFile(clip)))

/** That it is taken; which status a good answer has is UP-3's matter. */
const expectUpload = (
  t: Probe,
  exchange: ObservedExchange,
  clauses: 'UP-1' | 'UP-2' | 'UP-4',
  about: string,
): boolean => t.expect(clauses, exchange.status < 300, `${about} is taken`, describeResponse(exchange), { exchange })

export const uploadChecks: readonly Check[] = [
  {
    id: 'uploads.answer',
    title: 'an upload is answered with its id, its URL, its name and its size',
    clauses: ['UP-1', 'UP-3'],
    needs: ['key'],
    async run(t: Probe) {
      const clip = t.environment.clips.short
      for (const path of routes) {
        const exchange = await t.upload(asFile(clip), path)
        expectUpload(t, exchange, 'UP-1', `an upload in the field "file" to ${path}`)
        if (exchange.status >= 300) continue
        const place = (name: string) => ({ exchange, pointer: `/${name}` })
        t.expect('UP-3', field(exchange, 'success') === true, 'true', field(exchange, 'success'), place('success'))
        t.expect(
          'UP-3',
          field(exchange, 'filename') === clip.name,
          clip.name,
          field(exchange, 'filename'),
          place('filename'),
        )
        t.expect(
          'UP-3',
          field(exchange, 'size') === clip.bytes.length,
          plural(clip.bytes.length, 'byte'),
          field(exchange, 'size'),
          place('size'),
        )
      }
      const other = await t.upload({ ...asFile(clip), field: 'movie' })
      const none = await t.call('POST', '/v1/uploads', {
        text: '--b\r\nContent-Disposition: form-data; name="note"\r\n\r\nno file\r\n--b--\r\n',
        headers: { 'Content-Type': 'multipart/form-data; boundary=b' },
      })
      for (const exchange of [other, none]) {
        t.expect(
          'UP-1',
          isRefused(exchange),
          '4xx, as there is no file in the field "file"',
          describeResponse(exchange),
          {
            exchange,
          },
        )
      }
    },
  },
  {
    id: 'uploads.types',
    title: 'MP4, QuickTime, WebM and AVI are taken',
    clauses: ['UP-2'],
    needs: ['key'],
    async run(t: Probe) {
      for (const clip of t.environment.clips.others) {
        expectUpload(t, await typed(t, clip), 'UP-2', `an upload of ${clip.type}`)
      }
    },
  },
  {
    id: 'uploads.rejected-type',
    title: 'what is not a video is 400',
    clauses: ['ERR-4', 'UP-2'],
    async run(t: Probe) {
      const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 0, 0, 0, 13, 0x49, 0x48, 0x44, 0x52])
      const files = [
        { name: 'note.txt', type: 'text/plain', content: text('this is not a video') },
        { name: 'picture.png', type: 'image/png', content: png },
      ]
      for (const file of files) {
        const exchange = await t.upload(file, '/api/upload')
        t.expect('UP-2', isRefused(exchange), `4xx, as ${file.type} is not a video`, describeResponse(exchange), {
          exchange,
        })
        t.expectStatus('ERR-4', exchange, [400], `an upload of ${file.type}`)
      }
    },
  },
  {
    id: 'uploads.rejected-type-v1',
    title: 'on /v1/uploads as well',
    clauses: ['UP-2'],
    needs: ['key'],
    async run(t: Probe) {
      const exchange = await t.upload({ name: 'note.txt', type: 'text/plain', content: text('this is not a video') })
      t.expect('UP-2', isRefused(exchange), '4xx, as text/plain is not a video', describeResponse(exchange), {
        exchange,
      })
    },
  },
  {
    id: 'uploads.without-type',
    title: "without the part's Content-Type, the type is known from the extension and the first bytes",
    clauses: ['UP-4'],
    needs: ['key'],
    async run(t: Probe) {
      let isTaken = false
      for (const clip of t.environment.clips.others) {
        // What is refused with its type as well is UP-2's matter.
        if ((await typed(t, clip)).status >= 300) continue
        isTaken = true
        const exchange = await t.upload({ ...asFile(clip), type: undefined })
        expectUpload(t, exchange, 'UP-4', `${clip.name}, of no type`)
      }
      const exchange = await t.upload({ name: 'note.txt', type: undefined, content: text('this is not a video') })
      t.expect('UP-4', isRefused(exchange), '4xx: a text, of no type', describeResponse(exchange), {
        exchange,
      })
      t.must(isTaken, 'no clip is taken, even with its type')
    },
  },
  {
    id: 'uploads.too-large',
    title: 'a file over 500 MB is 400, not 413',
    clauses: ['ERR-4', 'ERR-5', 'UP-2'],
    costs: { upload: tooManyBytes },
    async run(t: Probe) {
      const { short } = t.environment.clips
      const file = { ...asFile(short), content: padded(short, tooManyBytes) }
      const exchange = await t.upload(file, '/api/upload')
      t.expect('UP-2', isRefused(exchange), `4xx: a file of ${tooManyBytes} bytes`, describeResponse(exchange), {
        exchange,
      })
      t.expectStatus(['ERR-4', 'ERR-5'], exchange, [400], `a file of ${tooManyBytes} bytes`)
    },
  },
  {
    id: 'uploads.largest',
    title: 'a file of 500,000,000 bytes is taken',
    clauses: ['UP-2'],
    costs: { upload: mostBytes },
    needs: ['key'],
    async run(t: Probe) {
      const { short } = t.environment.clips
      const exchange = await t.upload({ ...asFile(short), content: padded(short, mostBytes) })
      expectUpload(t, exchange, 'UP-2', `a file of ${mostBytes} bytes`)
      t.expect('UP-2', field(exchange, 'size') === mostBytes, `${mostBytes} bytes`, field(exchange, 'size'), {
        exchange,
        pointer: '/size',
      })
    },
  },
]
