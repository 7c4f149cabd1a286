/** Every reporter of a drill: the same numbers everywhere, nothing that acts, and a page that is whole without its script. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { Ajv } from 'ajv'
import t from 'tap'
import { type Breach, DrillReport, type Percentiles, type Statuses, statusClasses } from '../../drills/report.ts'
import { drillReporters } from '../../drills/reporters/index.ts'
import { type DrillReporterName, drillReporterHelp } from '../../drills/reporters/names.ts'
import * as numbers from '../../drills/reporters/numbers.ts'
import { numberScript } from '../../drills/reporters/page.ts'
import type { PlotData } from '../../drills/reporters/plots.ts'
import { spark } from '../../drills/reporters/spark.ts'
import { clock } from '../../drills/reporters/svg.ts'
import {
  chance,
  drillReport,
  emptyReport,
  inconclusiveReport,
  outageReport,
  rampReport,
  soakReport,
  someReports,
} from './reports.ts'

const names = Object.keys(drillReporters) as DrillReporterName[]

/** Terminal escapes, NUL, a lone surrogate, bidi, and what ends a block in each of the formats. */
const hostile = [
  '\u001b]0;owned\u0007\u001b[2J\u0000\ud800\u202e\ufeff\u2028\ufffe\r',
  "]]></script><script>alert(1)</script><img src=x onerror=alert(1)>\" onload='alert(1)' -->",
  '```\n````\n| a | b |\n</details>',
  '9'.repeat(3000),
].join('\n')

/** A report in which every text is as bad as it can be. */
function hostileReport(): DrillReport {
  const report = { ...outageReport(), series: soakReport().series }
  const [breach] = report.contract.breaches as [Breach]
  return {
    ...report,
    target: hostile,
    why: hostile,
    seed: hostile,
    settings: { [hostile]: hostile },
    calls: report.calls.map(one => ({ ...one, call: `${one.call}${hostile}` })),
    failures: report.failures.map(one => ({ ...one, call: hostile, what: hostile })),
    facts: [{ id: hostile, label: hostile, text: hostile }],
    marks: [{ label: hostile, from_ms: 1000, to_ms: 2000, kind: 'outage' }],
    notes: [hostile],
    thresholds: report.thresholds.map(one => ({ ...one, text: hostile, said: hostile, call: hostile })),
    series: { ...report.series, gauges: report.series.gauges.map(one => ({ ...one, name: hostile, unit: hostile })) },
    jobs: { ...report.jobs, lost: [hostile], text: hostile },
    generator: { ...report.generator, text: hostile },
    contract: {
      ...report.contract,
      breaches: [
        {
          ...breach,
          clauses: [hostile],
          evidence: {
            ...breach.evidence,
            found: hostile,
            pointer: hostile,
            response: { status: 503, headers: { 'retry-after': hostile }, body: hostile },
          },
        },
      ],
    },
  }
}

t.test('no reporter lets a sign through that acts instead of showing', async t => {
  for (const name of names)
    for (const report of [hostileReport(), ...someReports()]) {
      const text = drillReporters[name](report)
      t.same(text.match(/[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu), null, name)
      t.ok(text.endsWith('\n') && !text.endsWith('\n\n'), `${name} ends with one line break`)
      t.equal(drillReporters[name](report), text, `${name} says the same of the same`)
    }
  for (const name of names) {
    t.match(drillReporters[name](hostileReport()), /(\\x1b|\\\\x1b|\\u001b)\]0;owned/, `${name} shows it escaped`)
    t.ok(drillReporterHelp[name].length > 10 && !drillReporterHelp[name].includes('\n'))
  }
})

t.test('the made-up reports are what the schema takes, and json loses nothing', async t => {
  const validate = new Ajv({ strict: false }).compile(DrillReport as object)
  for (const report of [hostileReport(), ...someReports()]) {
    const parsed = JSON.parse(drillReporters.json(report))
    t.ok(validate(parsed), JSON.stringify(validate.errors))
    t.match(parsed.$schema, /^understudy-mock\//)
    t.same({ ...parsed, $schema: undefined }, { ...report, $schema: undefined })
  }
})

/** Every number that has to be seen, from the JSON alone, each written by the one who writes numbers. */
function expectedNumbers(report: DrillReport): { cells: string[][]; gauges: string[][]; texts: string[] } {
  const total = (statuses: Statuses) => statusClasses.reduce((sum, name) => sum + statuses[name], 0)
  const whole = { call: 'all', statuses: report.statuses, latency: report.latency }
  const calls = report.calls.length === 1 ? report.calls : [...report.calls, whole]
  const shown = statusClasses.filter(name => name !== '3xx' || report.statuses['3xx'] > 0)
  const cells = calls.map(({ call, statuses, latency }) => [
    call,
    numbers.bare(total(statuses)),
    ...(['p50', 'p95', 'p99', 'max'] as const).map(name => numbers.cell(latency?.[name])),
    ...shown.map(name => numbers.bare(statuses[name])),
  ])
  const gauges = report.series.gauges.map(({ name, unit, points }) => {
    const values = points.map(([, value = 0]) => value)
    const four = [values[0], Math.min(...values), Math.max(...values), values.at(-1)]
    return [name, ...four.map(value => numbers.gauge(value, unit))]
  })
  const { load, generator, contract } = report
  const counts = [
    load.due,
    load.sent,
    load.completed,
    load.late,
    load.unfinished,
    generator.late,
    contract.judged,
    contract.of,
  ]
  const texts = [
    ...counts.map(numbers.bare),
    numbers.rate(load.per_second),
    numbers.percent(100 * generator.utilization),
    numbers.millis(generator.loop_p99_ms),
    numbers.millis(generator.loop_max_ms),
    ...report.facts.map(({ text }) => text),
    ...report.thresholds.map(({ said }) => said),
    ...report.failures.flatMap(({ count, at_ms }) => [numbers.bare(count), numbers.moment(at_ms)]),
    ...report.marks.map(({ from_ms }) => numbers.moment(from_ms)),
  ]
  return { cells, gauges, texts }
}

const htmlText = (html: string): string =>
  html.replace(/<[^>]*>/g, ' ').replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
const rowsOf = (html: string): string[][] =>
  [...html.matchAll(/<tr>(.*?)<\/tr>/gs)].map(([, row = '']) =>
    [...row.matchAll(/<t[dh][^>]*>(.*?)<\/t[dh]>/gs)].map(([, cell = '']) => htmlText(cell).trim()),
  )
const markdownText = (text: string): string =>
  text
    .replace(/\\(.)/g, '$1')
    .replace(/&(lt|gt|amp);/g, (_, name: string) => ({ lt: '<', gt: '>', amp: '&' })[name] ?? '')

t.test('console, summary and page show the numbers of the json, written by one hand', async t => {
  for (const report of someReports()) {
    const json = JSON.parse(drillReporters.json(report)) as DrillReport
    const { cells, gauges, texts } = expectedNumbers(json)
    const pretty = drillReporters.pretty(report, { width: 110 })
    const lines = pretty.split('\n').map(line => line.trim().split(/ {2,}/))
    const summary = markdownText(drillReporters.markdown(report))
    const rows = summary.split('\n').map(line =>
      line
        .split('|')
        .slice(1, -1)
        .map(cell => cell.trim()),
    )
    const page = drillReporters.html(report)
    const pageRows = rowsOf(page)
    const has = (all: string[][], row: string[]) => all.some(one => JSON.stringify(one) === JSON.stringify(row))
    for (const row of [...cells, ...gauges]) {
      t.ok(has(lines, row), `console, ${report.drill}: ${row.join(' ')}`)
      t.ok(has(rows, row), `summary, ${report.drill}: ${row.join(' ')}`)
    }
    for (const row of gauges) t.ok(has(pageRows, row), `page, ${report.drill}: ${row.join(' ')}`)
    const unwrapped = pretty.replace(/\s+/g, ' ')
    const body = htmlText(page.slice(page.indexOf('<body>'), page.indexOf('<script'))).replace(/\s+/g, ' ')
    for (const text of texts) {
      t.ok(unwrapped.includes(text), `console, ${report.drill}: ${text}`)
      t.ok(summary.includes(text), `summary, ${report.drill}: ${text}`)
      t.ok(body.includes(text), `page, ${report.drill}: ${text}`)
    }
    for (const { text, found, limit, unit, verdict } of json.thresholds) {
      const said = numbers.found({ found, limit, unit })
      t.ok(
        rows.some(row => row[1] === text && row[2] === said),
        `summary: ${text} ${said}`,
      )
      t.ok(
        pageRows.some(row => row[0]?.endsWith(verdict) && row[1] === text && row[2] === said),
        `page: ${text} ${said}`,
      )
    }
    const times = ['min', 'mean', 'p50', 'p90', 'p95', 'p99', 'p999', 'max'] as const satisfies (keyof Percentiles)[]
    for (const { call, latency, statuses } of [
      ...json.calls,
      { call: 'all, from when it was sent', latency: json.service, statuses: null },
    ]) {
      if (latency === null) continue
      const row = [call, numbers.bare(latency.count), ...times.map(name => numbers.cell(latency[name]))]
      t.ok(has(pageRows, row), `page, ${report.drill}: ${row.join(' ')}`)
      if (statuses === null) continue
      t.ok(pageRows.some(row => row[0] === call && row.includes(numbers.bare(statuses['2xx']))))
    }
  }
})

const dataOf = (page: string): PlotData | undefined => {
  const [, text] = /<script id="data" type="application\/json">(.*?)<\/script>/s.exec(page) ?? []
  return text === undefined ? undefined : JSON.parse(text)
}

t.test('what the page plots is the series of the json', async t => {
  for (const report of [...someReports(), hostileReport()]) {
    const { series, curve, latency, marks } = JSON.parse(drillReporters.json(report)) as DrillReport
    const data = dataOf(drillReporters.html(report))
    if (series.points.length === 0) {
      t.equal(data, undefined, 'nothing to plot, no script')
      continue
    }
    const points = data?.columns.at_ms?.map((_, i) => {
      const of = (name: string) => data.columns[name]?.[i]
      const fields = ['at_ms', 'due', 'sent', 'completed', 'in_flight', 'p50', 'p90', 'p99', 'max']
      const statuses = Object.fromEntries(statusClasses.map(name => [name, of(name)]))
      return { ...Object.fromEntries(fields.map(name => [name, of(name)])), statuses }
    })
    t.same(points, series.points)
    t.equal(data?.every_ms, series.every_ms)
    t.same(
      data?.gauges.map(({ points }) => points),
      series.gauges.map(({ points }) => points),
    )
    t.same(
      data?.marks.map(({ from_ms, to_ms }) => [from_ms, to_ms]),
      marks.map(({ from_ms, to_ms }) => [from_ms, to_ms]),
    )
    const farthest = latency?.count ?? 1
    for (const [rarity, ms] of data?.curve ?? []) {
      const there = curve
        .filter(([, value]) => value === ms)
        .map(([percentile = 0]) => Math.min(farthest, 1 / (1 - percentile / 100)))
      t.ok(
        there.some(one => Math.abs(one - rarity) < 1e-6 * rarity),
        `${ms} ms at 1 in ${rarity}`,
      )
    }
    t.ok((data?.curve.length ?? 0) >= 20)
    for (const { id } of data?.plots ?? []) t.match(drillReporters.html(report), `<figure id="${id}">`)
  }
})

t.test('html runs two scripts only, loads nothing, and holds what the server said as text', async t => {
  for (const report of [hostileReport(), outageReport(), soakReport()]) {
    const page = drillReporters.html(report)
    const scripts = [...page.matchAll(/<script\b([^>]*)>(.*?)<\/script>/gs)]
    t.same(
      scripts.map(([, attributes]) => attributes),
      [' id="data" type="application/json"', '', ''],
    )
    const hashes = scripts
      .slice(1)
      .map(([, , text = '']) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`)
    t.match(
      page,
      `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src ${hashes.join(' ')}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">`,
    )
    const uplot = readFileSync(
      createRequire(import.meta.url)
        .resolve('uplot')
        .replace('cjs.js', 'iife.min.js'),
      'utf8',
    )
    t.equal(scripts[1]?.[2], uplot, 'the first is uPlot as it is published')
    for (const [, , text = ''] of scripts.slice(1)) t.doesNotThrow(() => new Function(text), 'each of them is a script')
    t.notMatch(scripts[0]?.[2], /[<\u2028\u2029]/, 'nothing ends the data early')
    const own = page.replace(/<script\b[^>]*>.*?<\/script>/gs, '').replace(/<style>.*?<\/style>/s, '')
    t.notMatch(own, /\bsrc\s*=\s*["']|<(link|iframe|img|object|embed|base)\b/i)
    t.notMatch(page.match(/<style>.*?<\/style>/s)?.[0], /@import|url\(/)
    t.same(own.match(/href="(?!#)[^"]*"/g), null, 'it links to itself only')
    t.notMatch(own, /<[^>]*\son\w+\s*=/i, 'no attribute that is a script')
    const stack: string[] = []
    for (const [, end, name = '', self] of own.matchAll(/<(\/?)([a-z]\w*)[^>]*?(\/?)>/g))
      if (end) t.equal(stack.pop(), name)
      else if (!self && name !== 'meta') stack.push(name)
    t.same(stack, [], 'every element is closed')
  }
  t.match(drillReporters.html(hostileReport()), '&#60;script&#62;alert(1)&#60;/script&#62;')
  const bare = drillReporters.html(emptyReport())
  t.notMatch(bare, '<script')
  t.match(bare, "script-src 'none'")
})

t.test('html has each plot as a still picture with its words, for print and without a script', async t => {
  const page = drillReporters.html(outageReport())
  const figures = [
    ...page.matchAll(
      /<figure id="([^"]+)"><figcaption><h3>(.*?)<\/h3><p>(.*?)<\/p><\/figcaption>\s*<div class="plot"><svg class="still"[^>]*aria-label="[^"]+">(.*?)<\/svg>/gs,
    ),
  ]
  t.same(
    figures.map(([, id]) => id),
    ['latency', 'statuses', 'rate', 'curve'],
  )
  const [latency, statuses] = figures
  t.match(latency?.[3], /p50 went from .* to .*, worst in the interval at/)
  t.match(latency?.[4], '<text class="limit"')
  t.match(latency?.[4], 'p99 &#60; 500 ms')
  t.match(latency?.[4], /<rect class="band outage"/)
  t.match(latency?.[4], />outage<.*>well again</s)
  t.match(statuses?.[3], /2xx 5,258, 429 142, 5xx 1,334, no answer 466; the first error in the interval at 20\.0 s/)
  for (const [, , , , picture] of figures) t.notMatch(picture, /NaN|Infinity|undefined/)
  for (const report of [rampReport(), soakReport(), inconclusiveReport(), drillReport({ seconds: 2 })])
    t.notMatch(drillReporters.html(report).replace(/<script.*?<\/script>/gs, ''), /NaN|Infinity|undefined/)
  const soak = drillReporters.html(soakReport())
  t.match(soak, /<figure id="gauge-1"><figcaption><h3>memory<\/h3><p>88\.\d MB at first/)
  t.match(soak, /prefers-color-scheme: dark/)
  t.match(soak, /@media print/)
  const long = drillReport({ drill: 'soak', seconds: 4 * 3600, everyMs: 4000, rate: () => 1 })
  t.ok(drillReporters.html(long).length < 600_000, 'a drill of hours is no page of megabytes')
})

t.test('each verdict has a sign and a word; a run that was stopped is inconclusive', async t => {
  const told: [DrillReport, string, string, RegExp][] = [
    [drillReport(), '✓', 'passed', /^## ✅ /],
    [outageReport(), '✗', 'failed', /^## ❌ /],
    [inconclusiveReport(), '\\?', 'inconclusive', /^## ❔ /],
    [emptyReport(), '\\?', 'inconclusive', /^## ❔ /],
  ]
  for (const [report, sign, word, icon] of told) {
    const page = drillReporters.html(report)
    t.match(
      page,
      new RegExp(
        `<h1><span class="${word}" role="img" aria-label="${word}">${sign}</span> .*${word}</span></span></h1>`,
      ),
    )
    const lines = drillReporters.pretty(report).trimEnd().split('\n')
    t.match(lines.at(-1), new RegExp(`^${sign} `))
    t.ok(lines.at(-1)?.endsWith(report.why))
    t.match(drillReporters.markdown(report), icon)
  }
})

t.test('pretty says what failed with its evidence first, the numbers then, and the verdict last', async t => {
  const text = drillReporters.pretty(outageReport(), { width: 80 })
  const lines = text.trimEnd().split('\n')
  const order = [
    'outage: http://127.0.0.1:4010',
    '✗ p99 < 500ms',
    '  p99 is 5,016 ms, 4,516 ms over the limit, first in the interval at 20.0 s',
    '✗ ERR-1, RL-2: 17 answers, first at 20.3 s',
    '  found      a body that is not JSON',
    '  curl -sS "$BASE/v1/jobs/job_7" -H "X-Api-Key: $KEY"',
    '✓ recovery < 10s  well again after 6.2 s, 3.8 s under the limit',
    'Calls, in ms from when each was due',
    '           20.0 s to 35.0 s: outage',
    'What failed',
    'Well again after  6.2 s',
    'Lost     2: job_31, job_77',
    '- The server gives no /metrics, so that its memory could not be watched.',
  ]
  const at = order.map(line => lines.indexOf(line))
  for (const [i, line] of order.entries()) t.ok((at[i] ?? -1) >= 0, line)
  t.same(
    at,
    at.toSorted((a, b) => a - b),
    'in this order',
  )
  for (const width of [40, 60, 80, 110])
    for (const report of [outageReport(), soakReport(), ...(width > 40 ? [hostileReport()] : [])]) {
      const all = drillReporters.pretty(report, { width }).trimEnd().split('\n')
      const own = all.slice(2, -1).filter(line => !line.includes('curl') && !line.startsWith('✗ '))
      t.same(
        own.filter(line => line.length > width),
        [],
        `nothing is wider than ${width}`,
      )
    }
  const colours = drillReporters.pretty(outageReport(), { color: true })
  t.match(colours, '\u001b[31m')
  const plain = colours.split('\u001b[').map((part, i) => (i === 0 ? part : part.replace(/^\d+m/, '')))
  t.equal(plain.join(''), drillReporters.pretty(outageReport()), 'colours change no text')
})

t.test('junit has a testcase per threshold, one of the contract and one of the load generator', async t => {
  const casesOf = (report: DrillReport) => {
    const text = drillReporters.junit(report)
    const cases = [
      ...text.matchAll(/<testcase classname="understudy\.(\w+)" name="([^"]*)"[^>]*?(?:\/>|>(.*?)<\/testcase>)/gs),
    ]
    const kinds = cases.map(([, , name, content = '']) => [
      name,
      /<(failure|error|skipped)/.exec(content)?.[1] ?? 'passed',
    ])
    const [, tests, failures, errors, skipped] =
      /tests="(\d+)" failures="(\d+)" errors="(\d+)" time="[^"]*" skipped="(\d+)"/.exec(text) ?? []
    const of = (kind: string) => String(kinds.filter(([, one]) => one === kind).length)
    t.same([tests, failures, errors, skipped], [String(kinds.length), of('failure'), of('error'), of('skipped')])
    return kinds
  }
  t.same(casesOf(outageReport()), [
    ['p99', 'failure'],
    ['create.p99', 'failure'],
    ['recovery', 'passed'],
    ['lost', 'failure'],
    ['contract', 'failure'],
    ['generator', 'passed'],
  ])
  t.same(casesOf(inconclusiveReport()), [
    ['p99', 'error'],
    ['contract', 'passed'],
    ['generator', 'error'],
  ])
  t.same(casesOf(emptyReport()), [
    ['contract', 'skipped'],
    ['generator', 'passed'],
    ['complete', 'error'],
  ])
  t.same(casesOf(drillReport({}, { ok: false, why: 'the server was gone' })).at(-1), ['run: it is green', 'failure'])
  const [one] = outageReport().thresholds
  const twice =
    one && drillReport({}, { ok: false, thresholds: [one, { ...one, op: '>', text: 'p99 > 1ms', verdict: 'passed' }] })
  t.same(
    twice && casesOf(twice).slice(0, 2),
    [
      ['p99', 'failure'],
      ['p99 &#62;', 'passed'],
    ],
    'names differ',
  )
  t.match(drillReporters.junit(outageReport()), '<property name="--rate" value="120"/>')
  t.match(drillReporters.junit(outageReport()), /message="p99 &#60; 500ms: p99 is 5,016 ms, 4,516 ms over/)
})

t.test('markdown keeps what the server said within fences and cells', async t => {
  for (const report of [hostileReport(), outageReport()]) {
    let fence = ''
    const outside: string[] = []
    for (const line of drillReporters.markdown(report).split('\n')) {
      const ticks = /^ {0,3}(`{3,})/.exec(line)?.[1] ?? ''
      if (fence === '' && ticks === '') outside.push(line)
      else if (fence === '') fence = ticks
      else if (ticks.length >= fence.length && /^ *`+ *$/.test(line)) fence = ''
    }
    t.equal(fence, '', 'every fence is closed')
    t.same(outside.join('\n').match(/<\/?\w+/g), ['<details', '<summary', '<b', '</b', '</summary', '</details'])
    let columns = 0
    for (const line of outside) {
      if (!line.startsWith('|')) columns = 0
      else if (columns === 0) columns = line.split('|').length
      else t.equal(line.split('|').length, columns, line.slice(0, 100))
    }
  }
})

t.test('a number is written with about three digits, and never as what it is not', async t => {
  t.same([0, 0.004, 0.42, 4.2, 9.996, 42.14, 99.96, 421.4, 4210.4, 1_234_567].map(numbers.number), [
    '0.00',
    '0.00',
    '0.42',
    '4.20',
    '10.0',
    '42.1',
    '100',
    '421',
    '4,210',
    '1,234,567',
  ])
  t.same([null, undefined, 9.5, 9999.4, 9999.6, 61_000].map(numbers.millis), [
    '–',
    '–',
    '9.50 ms',
    '9,999 ms',
    '10.0 s',
    '1 min 1 s',
  ])
  t.same([0, 0.004, 0.5, 12.34, 99.5, 99.996, 100].map(numbers.percent), [
    '0 %',
    '<0.01 %',
    '0.50 %',
    '12.3 %',
    '99.50 %',
    '>99.99 %',
    '100 %',
  ])
  t.equal(numbers.share(0, 0), '–')
  t.same([0.5, 20, 1200.4].map(numbers.rate), ['0.50/s', '20/s', '1,200/s'])
  t.same([null, 1, 1.234, 0.012].map(numbers.ratio), ['–', '1.00×', '1.23×', '0.012×'])
  t.equal(
    numbers.found({ found: 500.4, limit: 500, unit: 'ms' }),
    '500.4 ms',
    'a limit that is passed by little is not met',
  )
  t.equal(numbers.found({ found: 500, limit: 500, unit: 'ms' }), '500 ms')
  t.same(
    [numbers.gauge(2_500_000, 'bytes'), numbers.gauge(3, 'open'), numbers.gauge(null, '')],
    ['2.5 MB', '3 open', '–'],
  )
  t.same([0, 30_000, 3_723_000].map(clock), ['0:00', '0:30', '1:02:03'])
  t.equal(spark([0, 1, 4, null, 8], 10), '·▁▄ █'.replace('▁', '▂').replace('▄', '▅'))
  t.equal(spark([1, 8, null, 2], 2), '█▃', 'the highest of what is put together')
  t.equal(spark([], 10), '')
})

t.test("the page's script writes numbers as everybody else does", async t => {
  const page = new Function(`${numberScript}; return { say, moment }`)() as {
    say(value: number | null, unit: string): string
    moment(ms: number): string
  }
  const random = chance(5)
  const values = [
    0, 1, 0.001, 0.999, 9.994, 9.995, 9.996, 99.94, 99.95, 99.99, 100, 999.5, 9999.4, 9999.5, 59_999, 60_000, 1e6,
  ]
  for (let i = 0; i < 500; i++) values.push(10 ** (random() * 9 - 3))
  for (const value of values) {
    for (const unit of ['ms', '%', '/s', '', 'bytes', 'open']) {
      const wanted = unit === '/s' ? numbers.rate(value) : numbers.gauge(value, unit)
      t.equal(page.say(value, unit), wanted, `${value} ${unit}`)
    }
    t.equal(page.moment(value), numbers.moment(value))
  }
  t.equal(page.say(null, 'ms'), numbers.noNumber)
})
