/** DL-1 to DL-3: a download before and after completion, and the file that its URL leads to. */

import { describeResponse, field } from '../../contracts/answers.ts'
import type { Observed, RecordedCall } from '../../recordings/traffic.ts'
import { own } from './ledger.ts'
import { isAfter, isTold, type Look, type Observer } from './observer.ts'

/** Outputs are not said to be kept for ever, nor a signed URL to be good for long. */
const keptMs = 3_600_000
const urlGoodMs = 60_000
const maxUrls = 50_000
const maxWaiting = 20

const types: Readonly<Record<string, RegExp>> = {
  webm: /^video\/webm\b/i,
  mov: /^video\/(quicktime|mov)\b/i,
  mp4: /^video\/(mp4|x-m4v)\b/i,
  gif: /^image\/gif\b/i,
  webp: /^image\/webp\b/i,
  png_sequence: /zip/i,
}
/** What is surely no file of any format: a page, or an error in JSON. */
const isText = (type: string): boolean => /^(text\/|application\/(json|xml))/i.test(type)

interface Given {
  format: string | undefined
  endedAt: number
}

export const downloads: Observer = {
  id: 'traffic.downloads',
  title: 'a download is there when its job is completed and not before, and leads to a file of its format',
  clauses: ['DL-1', 'DL-2', 'DL-3'],
  looksElsewhere: true,
  watch(look, ledger) {
    /** Downloads that were answered, by their job: a later poll may tell that it was not completed then. */
    const waiting = new Map<string, Observed[]>()
    const urls = new Map<string, Given>()
    const give = (url: unknown, format: unknown, call: RecordedCall): void => {
      if (typeof url !== 'string' || url === '') return
      urls.delete(url)
      if (urls.size >= maxUrls) urls.delete(urls.keys().next().value as string)
      urls.set(own(url), { format: typeof format === 'string' ? own(format) : undefined, endedAt: call.endedAt })
    }
    return {
      call(exchange) {
        const { call, isGood, hasBody, isWhole } = exchange
        const { jobId } = call
        const given = call.sent.method === 'GET' ? urls.get(call.sent.url) : undefined
        if (given && isWhole) expectFile(exchange, given, look)
        if (jobId === undefined || !isWhole || !hasBody) return
        if (call.operation === 'getJob' && isGood) {
          const isDone = field(call, 'status') === 'completed'
          if (isDone) give(field(call, 'output_url'), field(call, 'output_format'), call)
          const earlier = waiting.get(jobId)
          if (earlier === undefined) return
          if (typeof field(call, 'status') === 'string' && !isDone) {
            for (const one of earlier) if (isAfter(call, one.call)) expectRefusal(one, look)
          }
          waiting.delete(jobId)
        }
        if (call.operation !== 'getDownload') return
        const job = ledger.jobs.get(jobId)
        if (isGood) give(field(call, 'download_url'), field(call, 'output_format'), call)
        const done = job?.completed
        if (done && isTold(call.key) && done.key === call.key && isAfter(call, done)) {
          const isSoon = call.at - done.endedAt < keptMs
          if (isSoon && (call.status === 400 || call.status === 404))
            look(exchange.index, 'DL-1', false, '200, as the job was seen completed', describeResponse(call))
        } else if (call.status === 400 && job?.status !== undefined && job.status !== 'completed') {
          look(exchange.index, 'DL-2', true, '400 before completion', describeResponse(call))
        } else if (call.status === 404 && job === undefined) {
          look(exchange.index, 'DL-2', true, '404 for an unknown job', describeResponse(call))
        } else if (isGood && done === undefined) {
          const some = waiting.get(jobId) ?? []
          if (some.length < maxWaiting) waiting.set(own(jobId), [...some, light(exchange)])
        }
      },
    }
  },
}

/** Without its bodies: it may wait for long. */
const light = (exchange: Observed): Observed => ({
  ...exchange,
  call: { ...exchange.call, text: '', json: undefined, sent: { ...exchange.call.sent, headers: {} }, headers: {} },
})

const expectRefusal = ({ call, index }: Observed, look: Look): void =>
  look(index, 'DL-2', false, '400, as the job was not completed yet', describeResponse(call))

function expectFile({ call, index, isGood }: Observed, { format, endedAt }: Given, look: Look): void {
  if (!isAfter(call, { endedAt })) return
  const type = call.headers['content-type'] ?? ''
  if (isGood) {
    const isKnown = isText(type) || Object.values(types).some(one => one.test(type))
    if (!isKnown || call.status > 206) return
    const fits = !isText(type) && (format === undefined || (types[format]?.test(type) ?? true))
    look(
      index,
      'DL-3',
      fits,
      `a file${format === undefined ? '' : ` of the format ${format}`}`,
      `${call.status} ${type}`,
      {
        pointer: 'header Content-Type',
      },
    )
  } else if (call.status === 404 && call.at - endedAt < urlGoodMs) {
    look(index, 'DL-3', false, 'the file, as the URL was given just before', describeResponse(call))
  }
}
