/** DL-1 to DL-3 and the download's row of ERR-4: what comes out, and whether it plays. */
import { NoAnswer, type Sent } from '../../base/http.ts'
import { field } from '../../contracts/answers.ts'
import { type ObservedExchange, unansweredOf } from '../../contracts/observedExchange.ts'
import { type OutputFormat, outputFormats } from '../../contracts/schemas.ts'
import { inspect } from '../../media/container.ts'
import type { Check } from '../check.ts'
import type { Probe } from '../probe.ts'
import { type Journey, sharedJourney, walk } from './journey.ts'
import { expectLength, expectPictures } from './pictures.ts'

const mostHops = 5

/** A file at a URL that the endpoint gave; redirects to where it lies are followed. Nothing, with that as a finding, if there is none. */
async function fileAt(
  t: Probe,
  url: string,
  what: string,
  headers?: Record<string, string>,
): Promise<ObservedExchange | undefined> {
  let at = url
  try {
    for (let hop = 0; ; hop++) {
      const exchange = await t.call('GET', new URL(at, `${t.environment.base}/`).href, {
        key: null,
        ...(headers && { headers }),
      })
      const { location } = exchange.headers
      if (exchange.status < 300 || exchange.status >= 400 || location === undefined || hop === mostHops) return exchange
      at = new URL(location, new URL(at, `${t.environment.base}/`)).href
    }
  } catch (error) {
    if (!(error instanceof NoAnswer) && !(error instanceof TypeError)) throw error
    const found = error instanceof TypeError ? `${JSON.stringify(at)}, which is not a URL` : error.message
    const exchange = 'sent' in error ? unansweredOf(error.sent as Sent) : undefined
    t.expect('DL-3', false, `a file at ${what}`, found, { pointer: what, ...(exchange && { exchange }) })
    return undefined
  }
}

/** DL-3: the file is whole, of the format, plays for some time, and can be read in parts. */
async function expectPlayable(
  t: Probe,
  url: string,
  what: string,
  format: OutputFormat,
): Promise<ObservedExchange | undefined> {
  const exchange = await fileAt(t, url, what)
  if (exchange === undefined || !t.expectStatus('DL-3', exchange, [200], `a GET on ${what}`)) return undefined
  const file = inspect(exchange.bytes)
  const length = exchange.headers['content-length']
  const place = { exchange, pointer: what }
  if (length !== undefined) {
    t.expect(
      'DL-3',
      Number(length) === exchange.bytes.length,
      `${length} bytes, as Content-Length says`,
      `${exchange.bytes.length} bytes`,
      place,
    )
  }
  t.expect('DL-3', file.format === format, `a file that is ${format}`, file.format ?? file.problem ?? 'another', place)
  t.expect('DL-3', file.problem === undefined, 'a whole file', file.problem ?? 'it is whole', place)
  if (file.seconds !== undefined)
    t.expect('DL-3', file.seconds > 0, 'a film of some length', `${file.seconds} s`, place)
  await expectRange(t, url, what, exchange.bytes)
  return file.format === format && file.problem === undefined ? exchange : undefined
}

/** RFC 9110, 14: a part of the file, and where it belongs. */
async function expectRange(t: Probe, url: string, what: string, whole: Uint8Array): Promise<void> {
  if (whole.length < 200) return
  const [from, to] = [100, 199]
  const exchange = await fileAt(t, url, what, { Range: `bytes=${from}-${to}` })
  if (exchange === undefined || !t.expectStatus('DL-3', exchange, [206], `a range of ${what}`)) return
  const place = { exchange, pointer: what }
  const expected = `bytes ${from}-${to}/${whole.length}`
  const found = exchange.headers['content-range'] ?? 'none'
  t.expect('DL-3', found === expected || found === `bytes ${from}-${to}/*`, `Content-Range: ${expected}`, found, place)
  const isSame = exchange.bytes.length === to - from + 1 && exchange.bytes.every((byte, i) => byte === whole[from + i])
  t.expect(
    'DL-3',
    isSame,
    'the bytes that were asked for',
    isSame ? 'the same bytes' : `${exchange.bytes.length} other bytes`,
    place,
  )
}

/** DL-1 and DL-3 of a completed job: by both of its URLs. */
export async function expectOutput(
  t: Probe,
  { id, job, polled, clip, fields }: Journey,
  format: OutputFormat,
): Promise<void> {
  t.must(job.status === 'completed', `the job of a good clip ended as ${job.status}: ${job.error}`)
  const exchange = await t.download(id)
  t.expectStatus('DL-1', exchange, [200], 'the download of a completed job')
  const shown = field(exchange, 'output_format')
  t.expect('DL-1', shown === format || shown === null, format, shown, { exchange, pointer: '/output_format' })
  const url = field(exchange, 'download_url')
  const file = typeof url === 'string' ? await expectPlayable(t, url, 'download_url', format) : undefined
  if (file !== undefined && clip !== undefined) {
    const shown = { exchange: file, pointer: 'download_url', format, clip, fields }
    const { seconds } = inspect(file.bytes)
    if (seconds !== undefined && seconds > 0) expectLength(t, shown, seconds)
    await expectPictures(t, shown)
  }
  if (job.output_url) await expectPlayable(t, job.output_url, 'output_url', format)
  else
    t.expect('DL-3', false, 'an output_url', job.output_url, {
      exchange: polled.answers.at(-1) as ObservedExchange,
      pointer: '/output_url',
    })
}

export const downloadChecks: readonly Check[] = [
  {
    id: 'download.early',
    title: 'before completion it is 400, and of an unknown job 404',
    clauses: ['DL-2', 'ERR-4'],
    needs: ['key'],
    async run(t: Probe) {
      const id = await t.draft()
      t.expectStatus(['DL-2', 'ERR-4'], await t.download(id), [400], 'the download of a job that is not completed')
      t.expectStatus('DL-2', await t.download('job_that_nobody_has_made'), [404], 'the download of an unknown job')
    },
  },
  {
    id: 'download.output',
    title: "a completed job's URLs give a playable file, in parts too",
    clauses: ['DL-1', 'DL-3'],
    costs: { credits: 2 },
    needs: ['key'],
    async run(t: Probe) {
      await expectOutput(t, await sharedJourney(t), 'webm')
    },
  },
  {
    id: 'download.pictures',
    title: "a completed job's output shows its own input: its size and rate, with alpha, moving, the right way up",
    clauses: ['DL-3'],
    costs: { credits: 2 },
    needs: ['key'],
    async run(t: Probe) {
      const examine = await t.environment.examiner?.()
      if (typeof examine !== 'function')
        t.must(false, `${examine ?? 'there is nothing to decode a film with'}: no picture was looked at`)
      const { job, clip, fields } = await sharedJourney(t)
      t.must(job.status === 'completed', `the job of a good clip ended as ${job.status}: ${job.error}`)
      if (clip === undefined || job.output_url === null) t.must(false, 'there is no output_url')
      const exchange = await fileAt(t, job.output_url, 'output_url')
      if (exchange?.status !== 200) t.must(false, 'there is no output')
      const { format, problem } = inspect(exchange.bytes)
      t.must(format === 'webm' && problem === undefined, problem ?? `the output is ${format}`)
      await expectPictures(t, { exchange, pointer: 'output_url', format: 'webm', clip, fields })
    },
  },
  ...outputFormats
    .filter(format => format !== 'webm')
    .map(
      (format): Check => ({
        id: `download.${format.replace('_', '-')}`,
        title: `an output in ${format} is one`,
        clauses: ['DL-1', 'DL-3'],
        costs: { credits: 1.5 },
        needs: ['key'],
        async run(t: Probe) {
          const fields = { output_format: format, model: 'light', ...(format === 'mp4' && { bg_type: 'green' }) }
          await expectOutput(t, await walk(t, t.environment.clips.short, fields), format)
        },
      }),
    ),
]
