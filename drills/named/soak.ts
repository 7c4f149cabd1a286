/** Long and gentle: what grows that should not? */
import { usualMix } from '../calls.ts'
import { dueWithin } from '../load/arrivals.ts'
import { drain, openLoad, warmUp } from '../load/openLoad.ts'
import { percentile } from '../load/records.ts'
import { inUnit } from '../reporters/numbers.ts'
import type { DrillSession } from '../session.ts'
import { mixPlan, withWorkload } from './common.ts'
import { type Drill, mixOptions } from './drill.ts'

export const soak: Drill = {
  title: "a low rate for a long time: do the server's memory, handles and latency stay constant?",
  clauses: ['GO-5', 'GO-4'],
  takes: ['rate', 'duration', 'metricsUrl', ...mixOptions],
  defaults: { rate: 10, duration: 600_000, mix: usualMix },
  thresholds: [
    'p99 < 500ms',
    'errors < 0.1%',
    'completed >= 99.9%',
    'memory < 20%',
    'handles < 20%',
    'lost = 0',
    'doubled = 0',
    'broken = 0',
  ],
  plan: ({ rate = 0, duration = 0, mix = usualMix }) =>
    mixPlan({ rate, requests: dueWithin(rate, duration), ms: duration }, mix),
  run: session =>
    withWorkload(session, async (workload, { rate, duration, mix }) => {
      await warmUp(session, workload, { rate, mix })
      session.beginLoad(`${rate}/s`, duration)
      const over = new AbortController()
      const watching = watch(session, duration, over.signal)
      await openLoad(session, workload, { rate, durationMs: duration, mix })
      session.endLoad()
      over.abort()
      await Promise.all([drain(session), watching])
      report(session)
      return undefined
    }),
}

const looks = 120

/** The server's own numbers, from time to time. */
async function watch(session: DrillSession, durationMs: number, over: AbortSignal): Promise<void> {
  const url = session.settings.metricsUrl ?? `${session.setup.base}/metrics`
  const everyMs = Math.max(250, durationMs / looks)
  const found = new Map<string, [number, number][]>()
  while (!session.stopped && !over.aborted) {
    const text = (await session.setup.fetch(url)).body.toString('utf8')
    for (const { name, metrics } of watched) {
      const value = gaugeIn(text, metrics)
      if (value !== undefined) found.set(name, [...(found.get(name) ?? []), [Math.round(session.now()), value]])
    }
    await Promise.race([
      session.sleep(everyMs),
      new Promise(resolve => over.addEventListener('abort', resolve, { once: true })),
    ])
  }
  for (const { name, unit } of watched) {
    const points = found.get(name)
    if (points) session.gauges.push({ name, unit, points })
  }
}

/** Names as Node's and most other clients of Prometheus write them; the first that is there. */
const watched = [
  { name: 'memory', unit: 'bytes', metrics: ['process_resident_memory_bytes'] },
  { name: 'heap', unit: 'bytes', metrics: ['nodejs_heap_size_used_bytes', 'go_memstats_heap_inuse_bytes'] },
  {
    name: 'handles',
    unit: '',
    metrics: [
      'nodejs_active_resources_total',
      'nodejs_active_resources',
      'nodejs_active_handles_total',
      'process_open_fds',
    ],
  },
]

/** A gauge's value, or the sum over its labels; undefined where there is none of these names. */
export function gaugeIn(text: string, metrics: readonly string[]): number | undefined {
  for (const metric of metrics) {
    const lines = [...text.matchAll(new RegExp(`^${metric}(?:\\{[^}\\n]*\\})? ([0-9.eE+-]+)`, 'gm'))]
    const sum = lines.reduce((total, line) => total + Number(line[1]), 0)
    if (lines.length > 0 && Number.isFinite(sum)) return sum
  }
  return undefined
}

/** Growth from the second fifth of the run to the last: the first is for warming up. */
function report(session: DrillSession): void {
  for (const name of ['memory', 'handles'] as const) {
    const points = session.gauges.find(gauge => gauge.name === name)?.points.map(point => point[1] as number) ?? []
    if (points.length < 5) {
      session.note(`${name}: the server's metrics told nothing (--metrics-url)`)
      continue
    }
    const growth = growthOf(fifth(points, 1), fifth(points, 4))
    if (growth === undefined) continue
    session.found.set(name, growth)
    session.fact(
      name,
      `growth of ${name}`,
      `${inUnit(growth, '%')} from the second fifth of the run to the last`,
      growth,
      '%',
    )
  }
  const { records, loadAt, loadEndAt } = session
  const part = (loadEndAt - loadAt) / 5
  const p50 = (i: number) => records.latencies({ from: i * part, to: (i + 1) * part })
  const [early, late] = [p50(1), p50(4)]
  if (early.length === 0 || late.length === 0) return
  const drift = growthOf([percentile(early, 50)], [percentile(late, 50)])
  if (drift === undefined) return
  session.found.set('drift', drift)
  session.fact(
    'drift',
    'drift of the p50',
    `${inUnit(drift, '%')} from the second fifth of the run to the last`,
    drift,
    '%',
  )
}

const fifth = (values: number[], i: number): number[] =>
  values.slice(
    Math.floor((values.length * i) / 5),
    Math.max(Math.floor((values.length * i) / 5) + 1, Math.floor((values.length * (i + 1)) / 5)),
  )

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length

/** In %; undefined where there was nothing to grow from. */
function growthOf(early: readonly number[], late: readonly number[]): number | undefined {
  const growth = Math.round((mean(late) / mean(early) - 1) * 1e5) / 1e3
  return Number.isFinite(growth) ? growth : undefined
}
