/** Steps upward until a threshold breaks: the knee is the last rate that kept them all. */
import { usualMix } from '../calls.ts'
import { dueWithin } from '../load/arrivals.ts'
import { drain, openLoad, warmUp } from '../load/openLoad.ts'
import { inUnit } from '../reporters/numbers.ts'
import type { DrillSession } from '../session.ts'
import { holds, metricOf, type Threshold, thresholdText } from '../thresholds.ts'
import { generatorOf, isExcused, measure, type OwnLate } from '../verdict.ts'
import { mixPlan, withWorkload } from './common.ts'
import { type Drill, mixOptions } from './drill.ts'

/** Each step's rate, in requests a second: a ratio apart, as what a server bears is not known to a power of ten. */
export function stepRates(from: number, to: number, steps: number): number[] {
  return Array.from({ length: steps }, (_, i) => {
    const rate = from * (to / from) ** (i / (steps - 1))
    return rate < 10 ? Math.round(rate * 10) / 10 : Math.round(rate)
  })
}

export const ramp: Drill = {
  title: 'raise the rate step by step until a threshold fails: which rate can the endpoint sustain?',
  clauses: ['GO-5', 'ERR-1'],
  takes: ['from', 'to', 'steps', 'stepTime', ...mixOptions],
  defaults: { from: 50, to: 5_000, steps: 14, stepTime: 5_000, mix: usualMix },
  thresholds: ['p99 < 500ms', 'errors < 1%', '429 < 1%', 'lost = 0', 'doubled = 0', 'broken = 0'],
  plan({ from = 1, to = 1, steps = 2, stepTime = 0, mix = usualMix }) {
    const rates = stepRates(from, to, steps)
    const requests = rates.reduce((sum, rate) => sum + dueWithin(rate, stepTime), 0)
    return mixPlan({ rate: Math.max(from, to), requests, ms: steps * stepTime }, mix)
  },
  refuse({ from = 1, to = 1 }) {
    return to > from ? undefined : `--to is ${to}; expected more than --from, which is ${from}: a ramp goes upward`
  },
  run: session =>
    withWorkload(session, async (workload, { mix }) => {
      const { from: first = 1, to: last = 1, steps = 2, stepTime = 0 } = session.settings
      const rates = stepRates(first, last, steps)
      const perStep = session.setup.thresholds.filter(({ metric }) => isPerStep(metric))
      await warmUp(session, workload, { rate: first, mix })
      session.beginLoad('', steps * stepTime)
      let knee: number | undefined
      let broken: Broken | undefined
      let spent: string | undefined
      for (const rate of rates) {
        if (session.stopped) break
        session.phase = `${rate}/s`
        const { ownLate: late, ownVeryLate: veryLate } = session.records
        const before = { due: session.due, late, veryLate }
        const from = session.now()
        await openLoad(session, workload, { rate, durationMs: stepTime, mix })
        const span = { from, to: session.now() }
        session.marks.push({
          label: `${rate}/s`,
          from_ms: Math.round(span.from),
          to_ms: Math.round(span.to),
          kind: 'step',
        })
        await drain(session)
        if (session.stopped) break
        broken = firstBroken(session, perStep, span)
        const own = ownFault(session, broken, span, before)
        if (own !== undefined) {
          broken = undefined
          spent = `at ${rate}/s ${own}`
          session.fact(`step.${rate}`, `${rate}/s`, spent)
          break
        }
        session.fact(
          `step.${rate}`,
          `${rate}/s`,
          broken ? `broken: ${thresholdText(broken.threshold)}: ${broken.said}` : stepText(session, perStep, span),
        )
        if (broken) break
        knee = rate
        for (const threshold of perStep) session.judged.set(threshold, judged(session, threshold, span, rate))
      }
      session.endLoad()
      if (knee !== undefined) {
        session.found.set('knee', knee)
        const bound = broken ? '' : ' or more: nothing broke'
        session.fact('knee', 'knee', `${inUnit(knee, '/s')}${bound}`, knee, '/s')
      } else if (broken) {
        const { threshold, found, said } = broken
        session.judged.set(threshold, { found, holds: false, said: `${said}, at the first step already` })
      }
      return knee === undefined || session.setup.thresholds.some(({ metric, isGiven }) => metric === 'knee' && isGiven)
        ? undefined
        : spent
    }),
}

/** What has to do with the whole run is judged over the whole run. */
const isPerStep = (metric: Threshold['metric']): boolean =>
  metricOf(metric).unit !== '' && !['knee', 'throughput', 'completed'].includes(metric)

interface Broken {
  threshold: Threshold
  found: number
  said: string
}

const noneLate = { due: 0, late: 0, veryLate: 0 }

type Span = { from: number; to: number }

const valueIn = (session: DrillSession, threshold: Threshold, span: Span): number | null =>
  measure(threshold, { ...session, own: noneLate, loadMs: 0 }, span)

function firstBroken(session: DrillSession, thresholds: readonly Threshold[], span: Span): Broken | undefined {
  for (const threshold of thresholds) {
    const found = valueIn(session, threshold, span)
    if (found !== null && !holds(threshold, found))
      return { threshold, found, said: inUnit(found, metricOf(threshold.metric).unit) }
  }
  return undefined
}

/** Why a step says nothing of the server: this process could not make it. */
function ownFault(session: DrillSession, broken: Broken | undefined, span: Span, before: OwnLate): string | undefined {
  const { due, records } = session
  const own = {
    due: due - before.due,
    late: records.ownLate - before.late,
    veryLate: records.ownVeryLate - before.veryLate,
  }
  const loop = { p99Ms: 0, maxMs: 0, utilization: 0 }
  const isExcuse = broken !== undefined && isExcused(broken.threshold, { ...session, own, loadMs: 0 }, loop, span)
  const { bottleneck, text } = generatorOf(loop, own, isExcuse ? [thresholdText(broken.threshold)] : [])
  return bottleneck ? text : undefined
}

function judged(session: DrillSession, threshold: Threshold, span: Span, rate: number) {
  const found = valueIn(session, threshold, span)
  if (found === null) return { found, holds: null, said: 'no such call was made' }
  return { found, holds: true, said: `${inUnit(found, metricOf(threshold.metric).unit)} at ${rate}/s` }
}

const stepText = (session: DrillSession, thresholds: readonly Threshold[], span: Span): string =>
  thresholds
    .map(threshold => {
      const found = valueIn(session, threshold, span)
      return `${thresholdText(threshold).split(' ')[0]} ${found === null ? 'unknown' : inUnit(found, metricOf(threshold.metric).unit)}`
    })
    .join(', ')
