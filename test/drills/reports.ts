/** Drill reports as drills make them, from a small simulation with a seed: for the tests of what reads them. */
import { countVerdicts } from '../../contracts/verdict.ts'
import type {
  DrillName,
  DrillPoint,
  DrillReport,
  Mark,
  Percentiles,
  StatusClass,
  Statuses,
} from '../../drills/report.ts'
import { reportVersion } from '../../reports/document.ts'

/** 0 ≤ x < 1, the same for the same seed (mulberry32). */
export function chance(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** Around `median`, with the long tail that answers have. */
export const logNormal = (random: () => number, median: number, sigma = 0.4): number =>
  median * Math.exp(sigma * Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random()))

export interface Answer {
  call: string
  ms: number
  status: StatusClass
}

export interface Simulation {
  drill?: DrillName
  seconds?: number
  everyMs?: number
  /** Requests a second, at a moment. */
  rate?: (atMs: number) => number
  answer?: (atMs: number, random: () => number) => Answer
  seed?: number
}

const usual = (_atMs: number, random: () => number): Answer => {
  const call = random() < 0.25 ? 'create' : 'poll'
  return { call, ms: logNormal(random, call === 'create' ? 40 : 12), status: '2xx' }
}

/** A report of what was simulated; `more` is what the drill itself would add. */
export function drillReport(simulation: Simulation = {}, more: Partial<DrillReport> = {}): DrillReport {
  const { drill = 'sustain', seconds = 60, everyMs = 1000, rate = () => 50, answer = usual, seed = 1 } = simulation
  const random = chance(seed)
  const intervals = Array.from({ length: Math.round((seconds * 1000) / everyMs) }, (_, i) => {
    const due = Math.round((rate(i * everyMs) * everyMs) / 1000)
    return Array.from({ length: due }, () => answer(i * everyMs, random))
  })
  const answers = intervals.flat()
  const completed = intervals.map(() => 0)
  intervals.forEach((list, i) => {
    for (const { ms } of list) {
      const at = Math.min(intervals.length - 1, i + Math.floor((random() * everyMs + ms) / everyMs))
      completed[at] = (completed[at] ?? 0) + 1
    }
  })
  let inFlight = 0
  const points = intervals.map((list, i): DrillPoint => {
    const latency = percentilesOf(list)
    inFlight += list.length - (completed[i] ?? 0)
    return {
      at_ms: i * everyMs,
      due: list.length,
      sent: list.length,
      completed: completed[i] ?? 0,
      in_flight: Math.max(0, inFlight),
      p50: latency?.p50 ?? null,
      p90: latency?.p90 ?? null,
      p99: latency?.p99 ?? null,
      max: latency?.max ?? null,
      statuses: statusesOf(list),
    }
  })
  const calls = [...new Set(answers.map(({ call }) => call))].sort().map(call => {
    const of = answers.filter(one => one.call === call)
    return { call, statuses: statusesOf(of), latency: percentilesOf(of) }
  })
  const sorted = sortedMs(answers)
  const latency = percentilesOf(answers)
  return {
    schema_version: reportVersion,
    understudy: '0.1.0',
    drill,
    target: 'http://127.0.0.1:4010',
    seed: '7f3a',
    started_at: '2026-11-24T12:00:03.123Z',
    ms: seconds * 1000 + 834.2,
    complete: true,
    ok: true,
    verdict: 'passed',
    why: `${drill} passed: all of its thresholds did`,
    summary: countVerdicts(more.thresholds ?? []),
    settings: { '--rate': String(rate(0)), '--duration': `${seconds}s` },
    load: {
      model: 'open',
      ms: seconds * 1000,
      due: answers.length,
      sent: answers.length,
      completed: answers.length,
      late: 0,
      waited: 0,
      unfinished: 0,
      per_second: seconds === 0 ? 0 : answers.length / seconds,
      bytes_sent: answers.length * 412,
      bytes_received: answers.length * 655,
    },
    latency,
    service: latency && { ...latency, p99: latency.p99 * 0.97 },
    curve: curveShape
      .filter(() => sorted.length > 0)
      .map((percentile): [number, number] => [percentile, quantile(sorted, percentile / 100)]),
    calls,
    statuses: statusesOf(answers),
    failures: [],
    series: { every_ms: everyMs, points, gauges: [] },
    marks: [],
    facts: [],
    thresholds: [],
    contract: { judged: answers.length, of: answers.length, breaches: [] },
    generator: {
      late: 0,
      late_share: 0,
      loop_p99_ms: 2.31,
      loop_max_ms: 11.4,
      utilization: 0.214,
      bottleneck: false,
      text: 'the generator kept up: its loop was busy for 21 % of the time',
    },
    notes: [],
    ...more,
    jobs: more.jobs ?? noJobs,
  }
}

const noJobs: DrillReport['jobs'] = {
  intended: 0,
  accepted: 0,
  refused: 0,
  unanswered: 0,
  lost: [],
  doubled: [],
  checked: false,
  text: 'no jobs were created',
}

const curveShape = [
  ...Array.from({ length: 19 }, (_, i) => i * 5),
  ...Array.from({ length: 9 }, (_, i) => 90 + i),
  ...[99, 99.25, 99.5, 99.7, 99.8, 99.9, 99.95, 99.97, 99.99, 100],
]

const sortedMs = (answers: readonly Answer[]): Float64Array => Float64Array.from(answers, ({ ms }) => ms).sort()

const quantile = (sorted: Float64Array, share: number): number =>
  sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)] ?? 0

function percentilesOf(answers: readonly Answer[]): Percentiles | null {
  if (answers.length === 0) return null
  const sorted = sortedMs(answers)
  const at = (share: number) => quantile(sorted, share)
  return {
    count: sorted.length,
    min: at(0),
    mean: sorted.reduce((sum, ms) => sum + ms, 0) / sorted.length,
    p50: at(0.5),
    p90: at(0.9),
    p95: at(0.95),
    p99: at(0.99),
    p999: at(0.999),
    max: at(1),
  }
}

function statusesOf(answers: readonly Answer[]): Statuses {
  const counts: Statuses = { '2xx': 0, '3xx': 0, '4xx': 0, '429': 0, '5xx': 0, none: 0 }
  for (const { status } of answers) counts[status]++
  return counts
}

/** An outage of 15 s: the server answers 503 or not at all, then has a queue to work off. */
export function outageReport(): DrillReport {
  const report = drillReport({
    drill: 'outage',
    seconds: 60,
    rate: () => 120,
    seed: 4,
    answer: (atMs, random) => {
      const answer = usual(atMs, random)
      if (atMs >= 20_000 && atMs < 35_000)
        return random() < 0.75
          ? { ...answer, ms: logNormal(random, 4), status: '5xx' }
          : { ...answer, ms: 5000 + random() * 20, status: 'none' }
      if (atMs >= 35_000 && atMs < 41_000) {
        const load = 1 - (atMs - 35_000) / 6000
        const limited = random() < load * 0.4
        return { ...answer, ms: answer.ms + load * 1800 * random(), status: limited ? '429' : '2xx' }
      }
      return answer
    },
  })
  const marks: Mark[] = [
    { label: 'outage', from_ms: 20_000, to_ms: 35_000, kind: 'outage' },
    { label: 'well again', from_ms: 41_200, kind: 'well' },
  ]
  return {
    ...report,
    ok: false,
    verdict: 'failed',
    why: 'broken: p99 < 500ms is 5,016 ms, 2 jobs are lost, and ERR-1 and RL-2 were broken under load',
    marks,
    failures: [
      { call: 'poll', what: '503 server_busy', count: 1012, at_ms: 20_004 },
      { call: 'create', what: '503 server_busy', count: 341, at_ms: 20_011 },
      { call: 'poll', what: 'no answer: ECONNRESET', count: 338, at_ms: 20_120 },
      { call: 'create', what: '429 rate_limited', count: 61, at_ms: 35_002 },
    ],
    facts: [
      { id: 'recovery', label: 'Well again after', text: '6.2 s', value: 6200, unit: 'ms' },
      { id: 'outage', label: 'Outage', text: '15.0 s of 503 and resets', value: 15_000, unit: 'ms' },
      { id: 'retry_after', label: 'Retry-After', text: 'kept by all 61 answers that had one' },
    ],
    thresholds: [
      {
        text: 'p99 < 500ms',
        metric: 'p99',
        op: '<',
        limit: 500,
        unit: 'ms',
        found: report.latency?.p99 ?? null,
        verdict: 'failed',
        at_ms: 20_000,
        said: 'p99 is 5,016 ms, 4,516 ms over the limit, first in the interval at 20.0 s',
      },
      {
        text: 'create.p99 < 2s',
        metric: 'p99',
        call: 'create',
        op: '<',
        limit: 2000,
        unit: 'ms',
        found: report.calls[0]?.latency?.p99 ?? null,
        verdict: 'failed',
        at_ms: 20_000,
        said: 'p99 of create is over the limit, first in the interval at 20.0 s',
      },
      {
        text: 'recovery < 10s',
        metric: 'recovery',
        op: '<',
        limit: 10_000,
        unit: 'ms',
        found: 6200,
        verdict: 'passed',
        said: 'well again after 6.2 s, 3.8 s under the limit',
      },
      {
        text: 'lost = 0',
        metric: 'lost',
        op: '=',
        limit: 0,
        unit: '',
        found: 2,
        verdict: 'failed',
        said: '2 jobs that were answered 201 are not in the list of jobs',
      },
    ],
    contract: {
      judged: 3000,
      of: 7200,
      breaches: [
        {
          clauses: ['ERR-1', 'RL-2'],
          count: 17,
          at_ms: 20_310,
          evidence: {
            check: 'drill',
            passed: false,
            expected: 'JSON with exactly the envelope {"error": {"code", "message", "request_id"}}',
            found: 'a body that is not JSON',
            pointer: '',
            request: {
              method: 'GET',
              url: 'http://127.0.0.1:4010/v1/jobs/job_7',
              headers: { 'x-api-key': '[redacted]' },
            },
            response: {
              status: 503,
              headers: { 'content-type': 'text/html', 'retry-after': '2' },
              body: '<html><body>Service Unavailable</body></html>',
              ms: 3.2,
            },
            curl: 'curl -sS "$BASE/v1/jobs/job_7" -H "X-Api-Key: $KEY"',
          },
        },
      ],
    },
    jobs: {
      intended: 1811,
      accepted: 1402,
      refused: 323,
      unanswered: 86,
      lost: ['job_31', 'job_77'],
      doubled: [],
      checked: true,
      text: '1,811 creates: 1,402 accepted, 323 refused, 86 without an answer; 2 jobs are lost, none is there twice',
    },
    notes: ['The server gives no /metrics, so that its memory could not be watched.'],
  }
}

/** Steps of more and more load, of which the last ones are over the knee. */
export function rampReport(): DrillReport {
  const rate = (atMs: number) => 40 + 40 * Math.floor(atMs / 10_000)
  const report = drillReport({
    drill: 'ramp',
    seconds: 80,
    rate,
    seed: 9,
    answer: (atMs, random) => {
      const over = Math.max(0, rate(atMs) - 240)
      return {
        call: 'poll',
        ms: logNormal(random, 9 + over * over * 0.12, 0.5),
        status: random() < over / 900 ? '429' : '2xx',
      }
    },
  })
  return {
    ...report,
    why: 'held: the knee is at 240/s, 40/s over what was asked for',
    marks: Array.from({ length: 8 }, (_, i) => ({
      label: `${40 + 40 * i}/s`,
      from_ms: i * 10_000,
      to_ms: (i + 1) * 10_000,
      kind: 'step' as const,
    })),
    facts: [{ id: 'knee', label: 'The knee', text: '240/s', value: 240, unit: '/s' }],
    thresholds: [
      {
        text: 'knee >= 200/s',
        metric: 'knee',
        op: '>=',
        limit: 200,
        unit: '/s',
        found: 240,
        verdict: 'passed',
        said: 'the knee is at 240/s, 40/s over the limit',
      },
      {
        text: 'errors < 5%',
        metric: 'errors',
        op: '<',
        limit: 5,
        unit: '%',
        found: 0,
        verdict: 'passed',
        said: 'no request failed',
      },
    ],
  }
}

/** Ten minutes with the server's memory and handles. */
export function soakReport(): DrillReport {
  const random = chance(77)
  const report = drillReport({ drill: 'soak', seconds: 600, everyMs: 5000, rate: () => 12, seed: 21 })
  const each = <T>(value: (i: number) => T) => Array.from({ length: 120 }, (_, i) => value(i))
  return {
    ...report,
    why: 'held: nothing grows',
    series: {
      ...report.series,
      gauges: [
        {
          name: 'memory',
          unit: 'bytes',
          points: each(i => [i * 5000, Math.round(88e6 + 21e6 * ((i % 14) / 14) + 1e6 * random())] as [number, number]),
        },
        { name: 'handles', unit: '', points: each(i => [i * 5000, 14 + Math.floor(random() * 6)] as [number, number]) },
        { name: 'loop lag', unit: 'ms', points: each(i => [i * 5000, 1 + random() * 3] as [number, number]) },
      ],
    },
    facts: [{ id: 'memory_growth', label: 'Memory', text: '+0.4 % an hour', value: 0.4, unit: '%' }],
  }
}

/** This machine could not drive what was asked for. */
export const inconclusiveReport = (): DrillReport =>
  drillReport(
    { drill: 'burst', seconds: 10, rate: () => 400, seed: 5 },
    {
      ok: false,
      verdict: 'inconclusive',
      fault: 'harness',
      why: 'inconclusive: 812 of 4,000 requests were begun too late by this machine, so the server is not to blame',
      generator: {
        late: 812,
        late_share: 0.203,
        loop_p99_ms: 142.3,
        loop_max_ms: 381.02,
        utilization: 0.993,
        bottleneck: true,
        text: '812 of 4,000 requests were begun too late: the event loop was busy for 99 % of the time',
      },
      thresholds: [
        {
          text: 'p99 < 500ms',
          metric: 'p99',
          op: '<',
          limit: 500,
          unit: 'ms',
          found: null,
          verdict: 'inconclusive',
          fault: 'harness',
          said: 'this machine could not drive the load',
        },
      ],
    },
  )

/** Stopped before a single request was due. */
export const emptyReport = (): DrillReport =>
  drillReport(
    { drill: 'journey', seconds: 0 },
    {
      ok: false,
      complete: false,
      why: 'it was stopped before its end, after 0 requests',
      notes: ['Nothing was sent.'],
    },
  )

export const someReports = (): DrillReport[] => [
  drillReport(),
  outageReport(),
  rampReport(),
  soakReport(),
  inconclusiveReport(),
  emptyReport(),
]
