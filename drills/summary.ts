/** The report of a session that is over. */

import { packageVersion } from '../base/paths.ts'
import type { Redact } from '../contracts/observedExchange.ts'
import { countVerdicts } from '../contracts/verdict.ts'
import { reportVersion } from '../reports/document.ts'
import { mixText } from './calls.ts'
import { curveOf, percentilesOf } from './load/records.ts'
import { timeText } from './options.ts'
import type { DrillName, DrillReport, Jobs, ThresholdResult } from './report.ts'
import type { DrillSession } from './session.ts'
import { metricOf, type Threshold, thresholdText } from './thresholds.ts'
import {
  excuse,
  generatorOf,
  type Inconclusive,
  isExcused,
  judgeDrill,
  judgeThreshold,
  type Measured,
  skippedFor,
} from './verdict.ts'

export interface DrillRunFacts {
  drill: DrillName
  startedAt: string
  ms: number
  complete: boolean
  /** Why nothing can be said, where the drill knows one. */
  inconclusive?: string | undefined
  jobs: Jobs
}

const mostPoints = 600

export function drillReportOf(
  session: DrillSession,
  { drill, startedAt, ms, complete, inconclusive, jobs }: DrillRunFacts,
): DrillReport {
  const { records, journeys, setup, due } = session
  const { sampler, wire, thresholds, base } = setup
  const loadMs = session.loadEndAt - session.loadAt
  const everyMs = intervalOf(loadMs)
  const dueCounts: number[] = []
  for (const at of session.dueTimes) {
    const i = Math.max(0, Math.floor(at / everyMs))
    dueCounts[i] = (dueCounts[i] ?? 0) + 1
  }
  // What ends behind the load belongs into the picture: that is where a slow server shows.
  const points = records.series(everyMs, Math.max(loadMs, records.lastEnd), dueCounts)
  if (sampler.judged > 0) session.found.set('broken', sampler.broken)
  if (jobs.checked) session.found.set('lost', jobs.lost.length).set('doubled', jobs.doubled.length)
  const own = { due, late: records.ownLate, veryLate: records.ownVeryLate }
  // What we cut ourselves says nothing of the server.
  const measured: Measured = {
    records,
    journeys,
    due: complete ? due : records.size,
    own,
    loadMs,
    found: session.found,
  }
  const measuredResults = thresholds.map(threshold =>
    session.judged.has(threshold) ? byDrill(session, threshold) : judgeThreshold(threshold, measured, points, everyMs),
  )
  const judged = measuredResults.map((result, i) =>
    result.verdict === 'failed' && isExcused(thresholds[i] as Threshold, measured, session.generator)
      ? excuse(result)
      : result,
  )
  const given = new Set(judged.filter((_, i) => thresholds[i]?.isGiven === true))
  const names = judged.filter(({ verdict }) => verdict === 'inconclusive').map(({ text }) => text)
  const generator = generatorOf(session.generator, own, names)
  const uncounted: Inconclusive | undefined =
    !jobs.checked && jobs.accepted > 0
      ? { why: `the jobs could not be counted: ${jobs.text}`, fault: 'target' }
      : undefined
  const verdict = judgeDrill({
    thresholds: judged,
    given,
    generator,
    complete,
    inconclusive: inconclusive === undefined ? uncounted : { why: inconclusive, fault: 'harness' },
  })
  const sorted = records.latencies()
  const statuses = records.statuses()
  const calls = [
    ...records.calls.map(call => ({
      call,
      statuses: records.statuses({ call }),
      latency: percentilesOf(records.latencies({ call })),
    })),
    ...journeys.calls.map(call => ({
      call,
      statuses: journeys.statuses({ call }),
      latency: percentilesOf(journeys.latencies({ call })),
    })),
  ].filter(({ latency }) => latency !== null)
  const report: DrillReport = {
    schema_version: reportVersion,
    understudy: packageVersion,
    drill,
    target: base,
    seed: session.settings.seed,
    started_at: startedAt,
    ms: Math.round(ms),
    complete,
    ...verdict,
    summary: countVerdicts(judged),
    settings: settingsOf(session),
    load: {
      model: session.model,
      ms: Math.round(loadMs),
      due,
      sent: session.sent,
      completed: records.size,
      late: records.late,
      waited: records.waited,
      unfinished: Math.max(0, due - records.size),
      per_second: loadMs === 0 ? 0 : Math.round((records.endedBy(loadMs) / loadMs) * 1e6) / 1000,
      bytes_sent: wire.bytesSent,
      bytes_received: wire.bytesReceived,
    },
    latency: percentilesOf(sorted),
    service: percentilesOf(records.latencies({ since: 'sent' })),
    curve: curveOf(sorted),
    calls,
    statuses,
    failures: [...session.failures.values()].sort((a, b) => b.count - a.count),
    series: { every_ms: everyMs, points, gauges: session.gauges },
    marks: session.marks,
    facts: session.facts,
    thresholds: judged,
    contract: { judged: sampler.judged, of: session.answers, breaches: sampler.breaches() },
    jobs,
    generator,
    notes: session.notes,
  }
  return redacted(report, setup.redact)
}

/** A server may send back what it was sent, wherever it likes. */
function redacted<T>(value: T, redact: Redact): T {
  if (typeof value === 'string') return redact(value) as T
  if (Array.isArray(value)) return value.map(one => redacted(one, redact)) as T
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, redacted(one, redact)])) as T
}

/** Short runs are shown in finer steps; long ones in no more than a picture can show. */
function intervalOf(loadMs: number): number {
  if (loadMs <= 12_000) return 250
  return Math.max(1, Math.ceil(loadMs / mostPoints / 1000)) * 1000
}

function byDrill(session: DrillSession, threshold: Threshold): ThresholdResult {
  const { found, said, holds } = session.judged.get(threshold) as NonNullable<ReturnType<DrillSession['judged']['get']>>
  const { metric, call, op, limit } = threshold
  return {
    text: thresholdText(threshold),
    metric,
    ...(call !== undefined && { call }),
    op,
    limit,
    unit: metricOf(metric).unit,
    found: found === null ? null : Math.round(found * 1000) / 1000,
    ...(holds === null ? skippedFor(said) : { verdict: holds ? 'passed' : 'failed', said }),
  }
}

/** Nothing secret, and nothing that only says how the target is reached. */
const unshown = new Set([
  'metricsUrl',
  'outageStart',
  'outageStop',
  'key',
  'secondKey',
  'adminToken',
  'header',
  'threshold',
  'seed',
  'ca',
  'clientCert',
  'clientKey',
  'insecure',
  'allowRemote',
  'control',
])
const times = new Set(['duration', 'stepTime', 'outageAt', 'outageFor', 'timeout', 'jobTimeout', 'maxWait', 'maxTime'])

function settingsOf({ settings }: DrillSession): Record<string, string> {
  const shown: Record<string, string> = {}
  for (const [name, value] of Object.entries(settings)) {
    if (unshown.has(name) || value === undefined) continue
    if (name === 'mix') shown[name] = mixText(value as NonNullable<typeof settings.mix>)
    else shown[name] = times.has(name) ? timeText(value as number) : String(value)
  }
  return shown
}
