/** One page that needs nothing else: its plots are alive with its script, and there without it. */

import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { formatCount, formatDuration, formatJson, oneLine, plural } from '../../base/text.ts'
import { type EvidenceRow, when } from '../../reports/evidence.ts'
import { evidenceBlock, pageText } from '../../reports/html.ts'
import { type Markup, markup, nothing, raw } from '../../reports/markup.ts'
import { marks } from '../../reports/verdicts.ts'

import type { Breach, DrillReport, ThresholdResult } from '../report.ts'
import * as numbers from './numbers.ts'
import { drillScript, drillStyle } from './page.ts'
import { type Plot, type PlotData, plotData } from './plots.ts'
import * as shared from './shared.ts'
import { legend, svg } from './svg.ts'

export function drillHtml(report: DrillReport): string {
  const data = plotData(report)
  const hasPlots = data.plots.length > 0
  const plotter = hasPlots ? uplot() : { script: '', style: '' }
  const { drill, target, started_at } = report
  return pageText(report, {
    title: `${oneLine(drill)} ${oneLine(target)}`,
    verdict: shared.outcomeOf(report),
    things: 'numbers',
    head: head(report),
    main: main(report, data),
    made: oneLine(when(started_at)),
    style: plotter.style + drillStyle,
    data: hasPlots ? markup`<script id="data" type="application/json">${raw(embedded(data))}</script>` : nothing,
    scripts: hasPlots ? [plotter.script, drillScript] : [],
  })
}

const main = (report: DrillReport, data: PlotData): Markup => markup`${thresholds(report)}
${contract(report)}
${plots(data)}
<h2 id="numbers">Latency</h2>
<p class="soft">In ms, from the moment that a request was due to the end of its answer.</p>
${table(shared.latencyTable(report))}
${data.plots.filter(({ kind }) => kind === 'curve').map(plot => figure(data, plot))}
<h2>Answers</h2>
${table(shared.answersTable(report))}
${failures(report)}
${gauges(report)}
<div class="columns">
${list('Load', shared.loadRows(report))}
${list('The load generator', shared.generatorRows(report))}
${list('Jobs', shared.jobRows(report))}
${list('When', shared.markRows(report))}
${list('Settings', shared.settingRows(report))}
</div>
${notes(report)}`

const code = (text: string): Markup => markup`<code>${oneLine(text)}</code>`

/** JSON in which nothing can end the element that it stands in. */
const embedded = (data: PlotData): string => formatJson(data, 0).trimEnd().replaceAll('<', '\\u003c')

/** uPlot as its package has it, read when a page is made. Its script has no end tag in it; were there one, it would be escaped. */
function uplot(): { script: string; style: string } {
  const folder = dirname(createRequire(import.meta.url).resolve('uplot'))
  const read = (name: string) => readFileSync(join(folder, name), 'utf8')
  return { script: read('uPlot.iife.min.js').replaceAll('</script', '<\\/script'), style: read('uPlot.min.css') }
}

function head(report: DrillReport): Markup {
  const { drill, target, seed, started_at, ms, complete, why } = report
  const outcome = shared.outcomeOf(report)
  const [start = '', rest = ''] = oneLine(why).split(/: (.*)/s)
  const title = rest === '' ? start : rest
  const rows: EvidenceRow[] = [
    ...shared.factRows(report),
    ['When', `${when(started_at)}, for ${formatDuration(ms)}`],
    ['Seed', seed],
  ]
  return markup`<header>
<div class="target">${oneLine(target)}</div>
<h1><span class="${outcome}" role="img" aria-label="${outcome}">${marks[outcome]}</span> <span>${oneLine(drill)}: <span class="${outcome}">${outcome}</span></span></h1>
<p class="lede">${upper(title)}</p>
${complete ? nothing : markup`<p class="badge">It was stopped before its end.</p>`}
${tiles(report)}
<dl class="facts">${rows.map(([name, text]) => markup`<dt>${oneLine(name)}</dt><dd>${oneLine(text)}</dd>`)}</dl>
</header>`
}

/** A sentence begins large, but a metric keeps its name. */
const upper = (text: string): string => (/^[a-z]+ /.test(text) ? text.charAt(0).toUpperCase() + text.slice(1) : text)

/** The handful of numbers that everybody asks for first. */
function tiles({ latency, load, statuses, contract }: DrillReport): Markup {
  const total = shared.totalOf(statuses)
  const errors = shared.errorTotal(statuses)
  const breaches = contract.breaches.reduce((sum, { count: many }) => sum + many, 0)
  const all: [string, string, string][] = [
    ['p50', numbers.millis(latency?.p50), 'half are faster'],
    ['p99', numbers.millis(latency?.p99), 'one in a hundred is slower'],
    ['max', numbers.millis(latency?.max), 'the slowest'],
    ['Throughput', numbers.rate(load.per_second), `${plural(load.completed, 'request')} completed`],
    ['Errors', numbers.share(errors, total), `${formatCount(errors)} neither 2xx nor 429`],
    ['Limited', numbers.share(statuses['429'], total), `${formatCount(statuses['429'])} with 429`],
    ['Breaches', formatCount(breaches), `of the contract, in ${plural(contract.judged, 'answer')}`],
  ]
  return markup`<dl class="tiles">${all.map(([name, value, note]) => markup`<div><dt>${name}</dt><dd>${value}<small>${note}</small></dd></div>`)}</dl>`
}

function thresholds(report: DrillReport): Markup {
  if (report.thresholds.length === 0) return nothing
  return markup`<section><h2>Thresholds</h2>
<div class="scroll"><table class="thresholds"><thead><tr><th>Verdict</th><th>Threshold</th><th class="number">Found</th><th>What was seen</th></tr></thead><tbody>
${shared.thresholdsOf(report).map(thresholdRow)}</tbody></table></div></section>`
}

const thresholdRow = (one: ThresholdResult): Markup =>
  markup`<tr><td class="${one.verdict}">${marks[one.verdict]} ${one.verdict}</td><td>${code(one.text)}</td><td class="number">${numbers.found(one)}</td><td>${oneLine(one.said)}</td></tr>\n`

function contract(report: DrillReport): Markup {
  const { breaches } = report.contract
  return markup`<section><h2>The contract under load</h2>
<p>${oneLine(shared.contractText(report))}.</p>
${breaches.map(breachBlock)}</section>`
}

const breachBlock = (breach: Breach): Markup =>
  markup`<h3 class="breach failed">${marks.failed} ${oneLine(shared.breachTitle(breach))}</h3>\n${evidenceBlock(shared.noChecks, breach.evidence)}`

function plots(data: PlotData): Markup {
  const overTime = data.plots.filter(({ kind }) => kind !== 'curve')
  if (overTime.length === 0) return nothing
  const gauges = overTime.filter(({ kind }) => kind === 'gauge')
  return markup`<section><h2>Over time</h2>
<p class="hint" hidden>Drag to zoom in, double-click to see all again; a click on a name in the legend hides its line.</p>
${overTime.filter(plot => !gauges.includes(plot)).map(plot => figure(data, plot))}
<div class="gauges">${gauges.map(plot => figure(data, plot))}</div></section>`
}

const figure = (data: PlotData, plot: Plot): Markup =>
  markup`<figure id="${plot.id}"><figcaption><h3>${plot.title}</h3><p>${plot.about}</p></figcaption>
<div class="plot">${svg(data, plot)}${legend(plot)}</div></figure>\n`

function failures(report: DrillReport): Markup {
  const { more, ...rows } = shared.failuresTable(report)
  if (rows.rows.length === 0) return nothing
  return markup`<h2>What failed</h2>${table(rows)}${more === 0 ? nothing : markup`<p class="soft">And ${plural(more, 'more kind')}: the json report has them all.</p>`}`
}

function gauges(report: DrillReport): Markup {
  const rows = shared.gaugesTable(report)
  return rows.rows.length === 0 ? nothing : markup`<h2>The server's own numbers</h2>${table(rows)}`
}

function table({ head, rows, text = [] }: shared.Table): Markup {
  const isNumber = (i: number) => i > 0 && !text.includes(i)
  const cells = (row: readonly string[], name: 'td' | 'th') =>
    row.map(
      (value, i) => markup`<${raw(name)}${raw(isNumber(i) ? ' class="number"' : '')}>${oneLine(value)}</${raw(name)}>`,
    )
  return markup`<div class="scroll"><table class="numbers"><thead><tr>${cells(head, 'th')}</tr></thead><tbody>
${rows.map(row => markup`<tr>${cells(row, 'td')}</tr>\n`)}</tbody></table></div>`
}

const list = (title: string, rows: EvidenceRow[]): Markup =>
  rows.length === 0
    ? nothing
    : markup`<section><h2>${title}</h2><dl class="rows">${rows.map(([name, value]) => markup`<dt>${oneLine(name)}</dt><dd>${oneLine(value)}</dd>`)}</dl></section>`

const notes = ({ notes }: DrillReport): Markup =>
  notes.length === 0
    ? nothing
    : markup`<section><h2>To be known</h2><ul>${notes.map(note => markup`<li>${oneLine(note)}</li>`)}</ul></section>`
