/** Numbers: the last 15 minutes, as the mock counted them; each point leads to its calls (GO-4). */
import { signal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { MockNumbers, NumbersPoint } from '../client/desk.ts'
import { ask, errorText } from './api.ts'
import type { ChartHandle, ChartLine } from './chart.ts'
import { count, duration, Facts, Notice, shortTime } from './parts.tsx'
import { go, journalLink, linkTo, place } from './state.ts'

const numbers = signal<MockNumbers | undefined>(undefined)
const problem = signal<string | undefined>(undefined)
/** What only the moment shows: taken while the page is open. */
const samples: { at: number; numbers: MockNumbers }[] = []
const windowMs = 15 * 60_000

async function sample(): Promise<void> {
  try {
    const found = await ask<MockNumbers>('numbers')
    numbers.value = found
    problem.value = undefined
    const at = Date.parse(found.now)
    samples.push({ at, numbers: found })
    while (samples.length > 0 && (samples[0] as { at: number }).at < at - windowMs) samples.shift()
  } catch (error) {
    problem.value = errorText(error)
  }
}

let isSampling = false
/** From now on, also while another view is open. */
export function startSampling(): void {
  if (isSampling) return
  isSampling = true
  const round = async (): Promise<void> => {
    if (document.visibilityState === 'visible') await sample()
    setTimeout(round, place.value.view === 'numbers' ? 1000 : 5000)
  }
  void round()
}

interface Chart {
  title: string
  unit: string
  lines: readonly ChartLine[]
  /** Times in seconds, and for each line a value or null. */
  data: (numbers: MockNumbers) => [number[], ...(number | null)[][]]
  isCounted: boolean
}

/** Every step of the window, also those in which nothing was answered. */
function stepsOf({ now, step_ms: stepMs, points }: MockNumbers): {
  times: number[]
  points: (NumbersPoint | undefined)[]
} {
  const byTime = new Map(points.map(point => [Date.parse(point.at), point]))
  const last = Math.floor(Date.parse(now) / stepMs) * stepMs
  const first = Math.max(points[0] === undefined ? last : Date.parse(points[0].at) - stepMs, last - windowMs)
  const times: number[] = []
  for (let at = first; at <= last; at += stepMs) times.push(at)
  return { times: times.map(at => at / 1000), points: times.map(at => byTime.get(at)) }
}

const counted = (
  title: string,
  unit: string,
  lines: readonly (ChartLine & { of: (point: NumbersPoint | undefined, stepS: number) => number | null })[],
): Chart => ({
  title,
  unit,
  lines,
  isCounted: true,
  data: found => {
    const { times, points } = stepsOf(found)
    return [times, ...lines.map(({ of }) => points.map(point => of(point, found.step_ms / 1000)))]
  },
})

const sampled = (
  title: string,
  unit: string,
  lines: readonly (ChartLine & { of: (found: MockNumbers) => number })[],
): Chart => ({
  title,
  unit,
  lines,
  isCounted: false,
  data: () => [samples.map(({ at }) => at / 1000), ...lines.map(({ of }) => samples.map(one => of(one.numbers)))],
})

const ofClass = (from: number, to: number) => (point: NumbersPoint | undefined, stepS: number) =>
  Object.entries(point?.statuses ?? {}).reduce(
    (sum, [status, n]) => (Number(status) >= from && Number(status) < to ? sum + n : sum),
    0,
  ) / stepS

const charts: readonly Chart[] = [
  counted('Requests', 'a second', [
    { label: 'all', colour: 'accent', of: (point, stepS) => (point?.count ?? 0) / stepS },
    { label: '2xx', colour: 'good', of: ofClass(200, 300) },
    { label: '4xx', colour: 'client', of: ofClass(400, 500) },
    { label: '429', colour: 'rule', of: ofClass(429, 430) },
    { label: '5xx', colour: 'bad', of: ofClass(500, 600) },
    { label: 'no answer', colour: 'quiet', of: ofClass(0, 1) },
  ]),
  counted('Time to answer', 'ms', [
    { label: 'p50', colour: 'good', of: point => point?.p50 ?? null },
    { label: 'p95', colour: 'client', of: point => point?.p95 ?? null },
    { label: 'p99', colour: 'bad', of: point => point?.p99 ?? null },
  ]),
  sampled('Jobs', 'by state', [
    { label: 'created', colour: 'quiet', of: ({ jobs }) => jobs.created },
    { label: 'pending', colour: 'rule', of: ({ jobs }) => jobs.pending },
    { label: 'processing', colour: 'accent', of: ({ jobs }) => jobs.processing },
    { label: 'completed', colour: 'good', of: ({ jobs }) => jobs.completed },
    { label: 'failed', colour: 'bad', of: ({ jobs }) => jobs.failed },
  ]),
  sampled('Credits and limits', '', [
    { label: 'reserved', colour: 'rule', of: ({ credits }) => credits.reserved },
    { label: 'charged', colour: 'accent', of: ({ credits }) => credits.charged },
    { label: 'answered 429', colour: 'bad', of: ({ rate_limited: limited }) => limited },
    { label: 'webhooks failed', colour: 'client', of: ({ webhooks }) => webhooks.failed },
  ]),
]

const pointLink = ({ from_seq: from, to_seq: to }: NumbersPoint): string => journalLink(`seq:${from}-${to}`)

export function NumbersView() {
  useEffect(() => {
    startSampling()
    void sample()
  }, [])
  const found = numbers.value
  if (problem.value !== undefined && found === undefined) return <Notice isBad>{problem.value}</Notice>
  if (found === undefined) return <Notice>Counting…</Notice>
  const last = found.points.at(-1)
  const total = found.points.reduce((sum, point) => sum + point.count, 0)
  return (
    <div class="page numbers">
      <Facts
        rows={[
          ['Last 15 minutes', `${count(total)} answers`],
          [
            'Now',
            last && Date.parse(found.now) - Date.parse(last.at) < 2 * found.step_ms
              ? `p50 ${duration(last.p50)}, p99 ${duration(last.p99)}`
              : 'quiet',
          ],
          [
            'Credits',
            `${count(Math.round(found.credits.available))} left, ${count(Math.round(found.credits.charged))} charged`,
          ],
          ['Limits', `${count(found.rate_limited)} answered 429`],
          ['Webhooks', `${count(found.webhooks.sent)} sent, ${count(found.webhooks.failed)} failed`],
        ]}
      />
      <p class="quiet">
        A click on a point shows its calls, with their request_id and job_id. Times are real ones, whatever the mock's
        clock says; jobs and credits are drawn from when this page was opened.
      </p>
      <div class="charts">
        {charts.map(chart => (
          <Drawn key={chart.title} chart={chart} />
        ))}
      </div>
      <details class="card">
        <summary>The same as a table</summary>
        <table>
          <thead>
            <tr>
              {['From (UTC)', 'Answers', 'By status', 'p50', 'p95', 'p99', 'Slowest', 'Job'].map(name => (
                <th key={name}>{name}</th>
              ))}
            </tr>
          </thead>
          <tbody>
            {found.points
              .slice(-60)
              .reverse()
              .map(point => (
                <tr key={point.at}>
                  <td>{shortTime(point.at)}</td>
                  <td>
                    <a href={pointLink(point)}>{count(point.count)}</a>
                  </td>
                  <td>
                    {Object.entries(point.statuses)
                      .map(([status, n]) => `${status}: ${n}`)
                      .join(', ')}
                  </td>
                  <td>{duration(point.p50)}</td>
                  <td>{duration(point.p95)}</td>
                  <td>{duration(point.p99)}</td>
                  <td>
                    <a href={linkTo('calls', point.slowest.request_id)}>{point.slowest.request_id}</a>{' '}
                    {duration(point.slowest.ms)}
                  </td>
                  <td>
                    {point.slowest.job_id && <a href={linkTo('jobs', point.slowest.job_id)}>{point.slowest.job_id}</a>}
                  </td>
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </div>
  )
}

function Drawn({ chart }: { chart: Chart }) {
  const box = useRef<HTMLDivElement>(null)
  const handle = useRef<ChartHandle | undefined>(undefined)
  const found = numbers.value as MockNumbers
  useEffect(() => {
    let isOver = false
    import('./chart.ts')
      .then(({ draw }) => {
        if (isOver || !box.current) return
        const onPoint = (at: number): void => {
          const now = numbers.value as MockNumbers
          const point = now.points.find(one => Math.abs(Date.parse(one.at) - at * 1000) <= now.step_ms / 2)
          if (point) go(pointLink(point))
        }
        handle.current = draw(
          box.current,
          chart.lines,
          chart.data(numbers.value as MockNumbers),
          chart.isCounted ? onPoint : undefined,
        )
      })
      .catch(error => {
        problem.value = errorText(error)
      })
    return () => {
      isOver = true
      handle.current?.close()
    }
  }, [])
  useEffect(() => {
    handle.current?.show(chart.data(found))
  }, [found])
  return (
    <figure class="card chart">
      <figcaption>
        <b>{chart.title}</b> <span class="quiet">{chart.unit}</span>
      </figcaption>
      <div
        ref={box}
        role="img"
        aria-label={`${chart.title} ${chart.unit}, as lines: ${chart.lines.map(({ label }) => label).join(', ')}; the table below has the numbers`}
      />
    </figure>
  )
}
