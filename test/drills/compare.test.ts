/** Two drills side by side: what is called a change, and what is not. */

import { Ajv } from 'ajv'
import t from 'tap'
import { ConfigError } from '../../base/options.ts'
import { type Compared, type Comparison, compareDrills, readDrillReport } from '../../drills/compare.ts'
import { DrillReport } from '../../drills/report.ts'
import { comparisonJson, comparisonText } from '../../drills/reporters/comparison.ts'
import { drillReporters } from '../../drills/reporters/index.ts'
import { effectiveShare, holm, proportions, signedRank, twoSided } from '../../drills/statistics.ts'

import { isProving } from '../support.ts'
import {
  chance,
  drillReport,
  emptyReport,
  inconclusiveReport,
  logNormal,
  outageReport,
  rampReport,
  soakReport,
  someReports,
} from './reports.ts'

const find = ({ metrics }: Comparison, metric: string): Compared => {
  const found = metrics.find(one => one.metric === metric)
  if (found === undefined) throw new Error(`no ${metric} among ${metrics.map(one => one.metric).join(', ')}`)
  return found
}

/** Two calls, `factor` times as slow as usual. */
const slower = (factor: number) => (_at: number, random: () => number) => {
  const call = random() < 0.25 ? 'create' : 'poll'
  return { call, ms: factor * logNormal(random, call === 'create' ? 40 : 12), status: '2xx' as const }
}

t.test('two runs of the same are unchanged: fewer than 2 in 100 pairs have one alarm', async t => {
  let metrics = 0
  let alarms = 0
  let pairs = 0
  const runs = isProving ? 200 : 40
  for (let seed = 0; seed < runs; seed++) {
    const compared = compareDrills(drillReport({ seed: 1000 + seed }), drillReport({ seed: 5000 + seed }))
    const changed = compared.metrics.filter(({ outcome }) => outcome === 'changed')
    metrics += compared.metrics.filter(({ p }) => p !== undefined).length
    alarms += changed.length
    if (changed.length > 0) pairs++
  }
  t.ok(metrics > 3.5 * runs, `${metrics} were judged`)
  t.ok(alarms / metrics < 0.01, `${alarms} false alarms`)
  t.ok(pairs / runs < 0.02, `in ${pairs} pairs`)
})

t.test('runs whose times drift are no difference either, as neighbours that are alike count for fewer', async t => {
  let alarms = 0
  const runs = isProving ? 100 : 40
  for (let seed = 0; seed < runs; seed++) {
    const [a, b] = [1, 2].map(run => {
      const random = chance(seed * 10 + run)
      let drift = 0
      const drifts = Array.from({ length: 60 }, () => {
        drift = 0.75 * drift + 0.3 * (logNormal(random, 1, 1) > 1 ? 1 : -1) * random()
        return Math.exp(drift)
      })
      const answer = (at: number, of: () => number) => slower(drifts[at / 1000] ?? 1)(at, of)
      return drillReport({ seed: seed * 10 + run, answer })
    }) as [DrillReport, DrillReport]
    if (['p50', 'p90', 'p99'].some(metric => find(compareDrills(a, b), metric).outcome === 'changed')) alarms++
  }
  t.ok(alarms < runs / 20, `${alarms} of ${runs}`)
})

t.test('a shift of 20 % is a change, whichever of the two is slower', async t => {
  let tails = 0
  for (let seed = 0; seed < 20; seed++) {
    const fast = drillReport({ seed: 100 + seed, answer: slower(1) })
    const slow = drillReport({ seed: 300 + seed, answer: slower(1.2) })
    t.match(find(compareDrills(fast, slow), 'p50'), { outcome: 'changed' }, `seed ${seed}`)
    t.match(find(compareDrills(fast, slow), 'poll.p50'), { outcome: 'inconclusive', why: 'one call has no intervals' })
    t.match(find(compareDrills(slow, fast), 'p50'), { outcome: 'changed' })
    if (find(compareDrills(fast, slow), 'p90').outcome === 'changed') tails++
    t.match(find(compareDrills(fast, slow), 'throughput'), { outcome: 'unchanged' })
  }
  t.ok(tails >= 17, `and mostly so where few answers are: ${tails} of 20`)
  const [one, other] = [1, 1.03].map((factor, i) =>
    drillReport({ seconds: 300, rate: () => 200, answer: slower(factor), seed: 40 + i }),
  ) as [DrillReport, DrillReport]
  const little = find(compareDrills(one, other), 'p50')
  t.ok((little.p ?? 1) < 0.001, '3 % are seen where there are enough answers')
  t.equal(little.outcome, 'unchanged', 'but are no more than two runs of the same may differ by')
  const short = (factor: number, seed: number) =>
    drillReport({ drill: 'burst', seconds: 10, rate: () => 400, answer: slower(factor), seed })
  t.match(
    find(compareDrills(short(1, 1), short(1.2, 2)), 'p50'),
    { outcome: 'inconclusive', why: 'too few intervals' },
    'of ten intervals nobody can tell',
  )
})

t.test(
  'a ramp is held against the other interval by interval, as its own ups are larger than any difference',
  async t => {
    const ramp = (factor: number, seed: number) =>
      drillReport({
        drill: 'ramp',
        seconds: 80,
        rate: at => 40 + 40 * Math.floor(at / 10_000),
        answer: (at, random) => ({ call: 'poll', ms: factor * logNormal(random, 5 + at / 1000), status: '2xx' }),
        seed,
      })
    t.match(find(compareDrills(ramp(1, 1), ramp(1.2, 2)), 'p50'), { outcome: 'changed' })
    t.match(find(compareDrills(ramp(1, 3), ramp(1, 4)), 'p50'), { outcome: 'unchanged' })
  },
)

t.test('3 failures of 1,000 against none prove nothing, 30 do', async t => {
  const failing = (share: number, seed: number): DrillReport => {
    let sent = 0
    const answer = (_at: number, random: () => number) => {
      const status: '5xx' | '2xx' = sent++ % 1000 < share ? '5xx' : '2xx'
      return { call: 'poll', ms: logNormal(random, 12), status }
    }
    return drillReport({ seconds: 20, seed, answer })
  }
  const [none, few, many] = [failing(0, 1), failing(3, 2), failing(30, 3)]
  t.equal(few.statuses['5xx'], 3)
  t.match(find(compareDrills(none, few), '5xx'), {
    outcome: 'unchanged',
    a: 0,
    ratio: null,
    why: '0 of 1,000 against 3 of 1,000',
  })
  t.match(find(compareDrills(none, many), '5xx'), { outcome: 'changed', b: 3 })
  t.match(find(compareDrills(many, none), '5xx'), { outcome: 'changed', a: 3, b: 0 })
  t.notOk(
    compareDrills(none, many).metrics.some(({ metric }) => metric === '429'),
    'what neither has is not told',
  )
})

t.test('swapped inputs give the same verdicts with reciprocal ratios', async t => {
  const reports = someReports()
  for (const a of reports)
    for (const b of reports) {
      const there = compareDrills(a, b)
      const back = compareDrills(b, a)
      for (const one of there.metrics) {
        const other = find(back, one.metric)
        t.match(other, { a: one.b, b: one.a, outcome: one.outcome })
        if (one.ratio === null) t.equal(other.ratio, null)
        else t.ok(Math.abs(one.ratio * (other.ratio ?? 0) - 1) < 1e-9, one.metric)
        t.ok(Math.abs((one.p ?? 0) - (other.p ?? 0)) < 1e-9, one.metric)
      }
      t.equal(there.warnings.length, back.warnings.length)
    }
})

t.test('a slowest answer, a p99.9, a fact and a gauge are shown and inconclusive; empty runs harm nothing', async t => {
  const compared = compareDrills(soakReport(), soakReport())
  for (const metric of ['max', 'p99.9', 'memory_growth', 'memory, last', 'memory, highest'])
    t.match(find(compared, metric), { outcome: 'inconclusive', ratio: 1 }, metric)
  t.match(find(compared, 'p50'), { outcome: 'unchanged', p: 1 })
  const empty = compareDrills(emptyReport(), emptyReport())
  t.match(find(empty, 'p50'), { a: null, b: null, ratio: null, outcome: 'inconclusive' })
  t.match(find(compareDrills(emptyReport(), outageReport()), 'p50'), { a: null, outcome: 'inconclusive' })
  t.same(
    empty.metrics.filter(({ outcome }) => outcome !== 'inconclusive'),
    [],
  )
  const few = (seed: number) => drillReport({ seconds: 2, rate: () => 3, seed })
  t.match(find(compareDrills(few(1), few(2)), 'p50'), { outcome: 'inconclusive', why: 'too few intervals' })
})

t.test('what makes two runs not comparable stands on top', async t => {
  t.same(compareDrills(drillReport({ seed: 1 }), drillReport({ seed: 2 })).warnings, [])
  const { warnings } = compareDrills(rampReport(), {
    ...inconclusiveReport(),
    target: 'https://other.example',
    complete: false,
  })
  for (const wanted of [
    'the drill differs: ramp and burst',
    'the target differs: http://127.0.0.1:4010 and https://other.example',
    '--rate differs: 40 and 400',
    'the rate that was due differs: 180/s and 400/s',
    'how long the load was on differs: 1 min 20 s and 10.0 s',
    'the share of create in the mix differs: 0 % and 25.4 %',
    "B is inconclusive: its machine could not drive the load, so its times are not the server's",
    'B was stopped before its end',
  ])
    t.ok(warnings.includes(wanted), wanted)
  const text = comparisonText(compareDrills(rampReport(), inconclusiveReport()))
  t.match(text, /^! the drill differs: ramp and burst\n/)
})

t.test('the text has every metric with its verdict, how it was judged, and the sentence last', async t => {
  const compared = compareDrills(
    drillReport({ seed: 3, answer: slower(1) }),
    drillReport({ seed: 4, answer: slower(1.2) }),
  )
  for (const width of [60, 80, 110]) {
    const lines = comparisonText(compared, { width }).trimEnd().split('\n')
    t.equal(lines.at(-1), compared.text)
    t.same(
      lines.slice(0, -1).filter(line => line.length > width && !/^[AB] {2}/.test(line)),
      [],
      `no line over ${width}`,
    )
    for (const { metric, outcome } of compared.metrics)
      t.ok(
        lines.some(line => line.startsWith(metric)),
        `${metric} is ${outcome}`,
      )
  }
  const text = comparisonText(compared)
  t.match(text, /^p50 +14\.2 ms +17\.0 ms +1\.20× {2}≠ changed +p <0\.0001, 60 intervals$/m)
  t.match(text, 'signed-rank')
  t.match(compared.text, /^B differs from A in p50 \(1\.20×\), /)
  const colours = comparisonText(compared, { color: true })
  t.match(colours, '\u001b[')
  const plain = colours.split('\u001b[').map((part, i) => (i === 0 ? part : part.replace(/^\d+m/, '')))
  t.equal(plain.join(''), text, 'colours change no text')
  t.same(JSON.parse(comparisonJson(compared)), JSON.parse(JSON.stringify(compared)))
  const hostile = compareDrills(
    { ...outageReport(), why: '\u001b[2J\u202e' },
    { ...soakReport(), target: '\u0007\u2028' },
  )
  for (const said of [comparisonText(hostile), comparisonJson(hostile)])
    t.notMatch(said, /[^\P{C}\n]|[\p{Zl}\p{Zp}]/u, 'and nothing acts')
})

t.test('a report is read back as it was written; what is none is told by its file and place', async t => {
  const validate = new Ajv({ strict: false }).compile(DrillReport as object)
  for (const report of someReports()) {
    t.ok(validate(report), JSON.stringify(validate.errors))
    const { $schema, ...read } = readDrillReport(drillReporters.json(report), 'a.json')
    t.type($schema, 'string')
    t.same(read, report)
  }
  const refused = (text: string) => {
    try {
      readDrillReport(text, 'runs/a.json')
    } catch (error) {
      t.type(error, ConfigError)
      return String((error as Error).message)
    }
    return 'nothing was thrown'
  }
  t.match(refused('{\n  "drill": oops }'), /^runs\/a\.json is not JSON.*; expected the JSON that understudy drill/)
  t.match(refused('{\n  "drill": "ramp",\n  }'), 'at line 3, column 3')
  t.match(refused('{\n  "drill": '), 'at line 2, column 12')
  t.match(refused(''), 'runs/a.json is empty')
  t.match(refused('<!doctype html>'), 'runs/a.json is not JSON')
  t.match(
    refused('{"profile": "full", "clauses": [], "checks": []}'),
    'runs/a.json is a report of understudy check; expected one of understudy drill',
  )
  t.match(refused('[]'), 'runs/a.json is not a report of understudy drill: the whole is []')
  t.match(
    refused(JSON.stringify({ ...drillReport(), drill: 'stroll' })),
    '/drill is "stroll"; expected one of burst, sustain, ramp, journey, outage, recover, soak',
  )
  const { schema_version, ...old } = drillReport()
  t.match(refused(JSON.stringify(old)), /^runs\/a\.json has no schema_version.*; expected 2: make a new report/)
  t.match(refused(JSON.stringify({ ...old, schema_version: 1 })), /^runs\/a\.json has schema_version 1; expected 2/)
  const { load, ...rest } = drillReport()
  t.match(refused(JSON.stringify(rest)), '/load is missing; expected an object')
  t.match(
    refused(JSON.stringify({ ...rest, load: { ...load, due: -1 } })),
    '/load/due is -1; expected a whole number of 0 or more',
  )
})

t.test('the statistics are those of the tables', async t => {
  const near = (found: number, wanted: number, by = 1e-4) =>
    t.ok(Math.abs(found - wanted) <= by, `${found} is ${wanted}`)
  near(twoSided(1.95996), 0.05)
  near(twoSided(-2.57583), 0.01)
  near(twoSided(0), 1, 1e-6)
  // Wilcoxon's own example: W+ is 96, n 15; the expectation is 60 and the variance 310.
  const own = [49, -67, 8, 16, 6, 23, 28, 41, 14, 29, 56, 24, 75, 60, -48]
  near(signedRank(own), (96 - 60 - 0.5) / Math.sqrt(310), 0.01)
  near(signedRank(own.map(value => -value)), -signedRank(own), 1e-9)
  t.equal(signedRank([]), 0)
  t.equal(signedRank([0, 0, 0]), 0)
  near(proportions(0, 1000, 3, 1000), 1.1556, 0.001)
  t.equal(proportions(0, 10, 0, 10), 0)
  t.same(
    holm([0.01, 0.04, 0.03]).map(p => Math.round(p * 1e6) / 1e6),
    [0.03, 0.06, 0.06],
  )
  t.same(holm([]), [])
  near(effectiveShare([1, 1, 1, 1]), 1)
  near(effectiveShare([1, -1, 1, -1, 1, -1]), 1)
  t.ok(effectiveShare(Array.from({ length: 50 }, (_, i) => i)) < 0.1)
})
