/** How a drill goes on, while it does: in place on a terminal, a line from time to time elsewhere. */
import { stripVTControlCharacters } from 'node:util'
import { laterReal } from '../base/clock.ts'
import type { OutputStream } from '../base/commandIo.ts'
import { formatCount, shorten, visible } from '../base/text.ts'
import { paintWith } from '../reports/ansi.ts'
import { percentile, type Records } from './load/records.ts'
import { type StatusClass, type Statuses, statusClasses } from './report.ts'
import { millis, moment, rate, share } from './reporters/numbers.ts'
import { spark } from './reporters/spark.ts'

/** What the view needs of a session. */
export interface Watched {
  phase: string
  /** ms; 0 where nobody knows how long it will take. */
  plannedMs: number
  due: number
  loadEndAt: number
  /** ms since the load began. */
  now(): number
  records: Pick<Records, 'recent' | 'size' | 'late' | 'ownLate' | 'tally'>
  setup: { base: string; wire: { inFlight: number }; sampler: { judged: number; broken: number } }
}

export interface LiveOptions {
  /** The drill's name. */
  title: string
  color?: boolean
  /** ms between two looks; 250 on a terminal, 5,000 elsewhere. */
  everyMs?: number
}

const barWidth = 24
const mostColumns = 110
const mostSparks = 60

/** Shows it until `stop` is called, which leaves the terminal as it was. */
export function liveOn(stream: OutputStream, session: Watched, options: LiveOptions): { stop(): void } {
  const isTty = stream.isTTY === true
  const { everyMs = isTty ? 250 : 5_000 } = options
  const p99s: (number | null)[] = []
  /** How long each line of the last look is. */
  let drawn: number[] = []
  let looks = 0
  let cancel = () => {}
  /** A terminal that was made narrower since has broken the lines that no longer fit. */
  const erased = (): string => {
    const rows = drawn.reduce((sum, length) => sum + Math.max(1, Math.ceil(length / columnsOf(stream))), 0)
    drawn = []
    return rows > 0 ? `\x1b[${rows}A\x1b[0J` : ''
  }
  const restore = () => stream.write(`${erased()}${showCursor}`)
  const look = () => {
    if (isTty) {
      const second = lastSecond(session)
      if (looks++ % Math.max(1, Math.round(1000 / everyMs)) === 0) p99s.push(second.p99)
      if (p99s.length > mostSparks) p99s.shift()
      const text = block(session, options, second, p99s, columnsOf(stream))
      // At once, so that it doesn't flicker.
      stream.write(erased() + text)
      drawn = text.split('\n').slice(0, -1).map(lengthOf)
    } else if (session.loadEndAt === 0 && session.due > 0) stream.write(`${line(session, options.title)}\n`)
    cancel = laterReal(everyMs, look)
  }
  if (isTty) {
    stream.write(hideCursor)
    // Whoever ends the process at once is left with a cursor all the same.
    process.once('exit', restore)
  }
  cancel = laterReal(isTty ? 0 : everyMs, look)
  return {
    stop() {
      cancel()
      if (!isTty) return
      process.off('exit', restore)
      restore()
    },
  }
}

const hideCursor = '\x1b[?25l'
const showCursor = '\x1b[?25h'
/** 0 where nobody knows: some terminals don't say. */
const columnsOf = ({ columns }: OutputStream): number => columns || 80
const lengthOf = (line: string): number => stripVTControlCharacters(line).length

interface Second {
  perSecond: number
  p50: number | null
  p99: number | null
  max: number | null
  statuses: Statuses
}

function lastSecond(session: Watched): Second {
  const to = session.now()
  const spanMs = Math.min(1000, Math.max(1, to))
  const { completed, latencies, statuses } = session.records.recent(to - spanMs, to)
  const at = (p: number) => (latencies.length === 0 ? null : percentile(latencies, p))
  return { perSecond: (completed * 1000) / spanMs, p50: at(50), p99: at(99), max: at(100), statuses }
}

function block(
  session: Watched,
  { title, color = false }: LiveOptions,
  { perSecond, p50, p99, max, statuses }: Second,
  p99s: readonly (number | null)[],
  columns: number,
): string {
  const paint = paintWith(color)
  const { records, setup, due, phase } = session
  // One less: a terminal may wrap a line that fills it.
  const width = Math.max(1, Math.min(mostColumns, columns) - 1)
  const fitted = (text: string) => shorten(visible(text).replaceAll('\n', ' '), width)
  const total = records.size
  const colors = {
    '2xx': paint.green,
    '3xx': paint.yellow,
    '4xx': paint.yellow,
    '429': paint.yellow,
    '5xx': paint.red,
    none: paint.red,
  }
  // 3xx is rare, and a line that is always empty is in the way.
  const shown = statusClasses.filter(name => name !== '3xx' || records.tally['3xx'] > 0)
  const all = Math.max(
    1,
    Object.values(statuses).reduce((sum, n) => sum + n, 0),
  )
  const bars = shown.map((name: StatusClass) => {
    const bar = '█'.repeat(statuses[name] === 0 ? 0 : Math.max(1, Math.round((statuses[name] / all) * barWidth)))
    const text = `${name.padEnd(5)}${bar.padEnd(barWidth)} ${formatCount(records.tally[name])} in all, ${formatCount(statuses[name])} in the last second`
    const plain = fitted(text)
    return plain.slice(0, 5) + colors[name](plain.slice(5, 5 + barWidth)) + plain.slice(5 + barWidth)
  })
  const breaches =
    setup.sampler.broken > 0
      ? `${formatCount(setup.sampler.broken)} of ${formatCount(setup.sampler.judged)} answers break the contract`
      : `${formatCount(setup.sampler.judged)} answers keep the contract`
  const late =
    records.late > 0 ? `, ${share(records.late, total)} late (${formatCount(records.ownLate)} by this machine)` : ''
  return [
    paint.bold(fitted(`${title} ${setup.base}`)),
    fitted(`${progress(session, Math.min(30, width - 40))}${phase}`),
    fitted(
      `now ${rate(Math.round(perSecond))}, ${formatCount(setup.wire.inFlight)} underway; p50 ${millis(p50)}, p99 ${millis(p99)}, max ${millis(max)}`,
    ),
    fitted(`p99 ${spark(p99s, Math.max(1, width - 4))}`),
    ...bars,
    fitted(`${formatCount(due)} due, ${formatCount(total)} done${late}; ${breaches}`),
    '',
  ].join('\n')
}

/** "12.3 s of 30.0 s [#####-----] ", or only how long it goes on where nobody knows the end. */
function progress(session: Watched, width: number): string {
  const atMs = session.now()
  if (session.plannedMs === 0) return `${moment(atMs)}  `
  const done = Math.min(1, atMs / session.plannedMs)
  const bar = width < 5 ? '' : `[${'#'.repeat(Math.floor(done * width)).padEnd(width, '-')}] `
  return `${moment(Math.min(atMs, session.plannedMs))} of ${moment(session.plannedMs)} ${bar}`
}

/** The same in a line, for a log. */
function line(session: Watched, title: string): string {
  const { records, due, phase, plannedMs } = session
  const { perSecond, p50, p99 } = lastSecond(session)
  const { '429': limited, '5xx': failed, '4xx': refused, none } = records.tally
  const of = plannedMs === 0 ? '' : ` of ${moment(plannedMs)}`
  return visible(
    `${title} ${moment(session.now())}${of}  ${phase}: ${formatCount(records.size)} of ${formatCount(due)} done, ${rate(Math.round(perSecond))}, p50 ${millis(p50)}, p99 ${millis(p99)}, ${limited} 429, ${refused} 4xx, ${failed} 5xx, ${none} without an answer`,
  )
}
