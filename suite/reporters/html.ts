/** One page that needs nothing else: complete without its script, and allowed to run and to load nothing besides. */

import { formatCount, formatDuration, oneLine, plural } from '../../base/text.ts'
import type { Verdict } from '../../contracts/verdict.ts'
import { marks, reasonOf, when, wordsOf } from '../../reports/evidence.ts'
import { code, evidenceBlock, filter, headBlock, nothing, type Part, pageText } from '../../reports/html.ts'
import { type Markup, markup, raw } from '../../reports/markup.ts'
import type { CheckResult, ClauseResult, Report } from '../report.ts'
import * as shared from './shared.ts'

/** What is broken is what the reader came for. */
const order = ['broken', 'not_tried', 'holds'] as const satisfies Verdict[]
const headings: Record<Verdict, string> = { broken: 'Broken', not_tried: 'Not tried', holds: 'Holds' }

export const suiteHtml = (report: Report): string =>
  pageText(report, {
    title: oneLine(report.target),
    things: 'clauses',
    head: head(report),
    main: markup`<section><h2 id="clauses">Clauses</h2>
${filter('clauses', partsOf(report, order))}
${order.map(verdict => group(report, verdict))}</section>
${choices(report)}
${extensions(report)}
${checks(report)}`,
    made: when(report.started_at),
  })

export function head(report: Report): Markup {
  const { target, profile, seed, started_at, complete, required, changes, explored } = report
  const facts: [string, string | Markup][] = [
    ['Profile', profile],
    ['When', when(started_at)],
    ['Seed', code(seed)],
    ['Spent', shared.spentText(report)],
    ...(explored ? [['Explored', shared.exploredText(explored)] as [string, string]] : []),
    ...(required.clauses.length > 0 ? [['Required', required.clauses.join(', ')] as [string, string]] : []),
    ...(changes ? [['Baseline', changes.text] as [string, string]] : []),
  ]
  return headBlock(report, {
    target,
    warning: complete ? '' : 'It was stopped before its end.',
    parts: partsOf(report, ['holds', 'broken', 'not_tried']),
    facts,
  })
}

const partsOf = ({ summary }: Report, verdicts: readonly Verdict[]): Part[] =>
  verdicts.map(verdict => ({
    verdict,
    look: verdict,
    heading: headings[verdict],
    words: verdict === 'holds' && summary.holds !== 1 ? 'hold' : wordsOf(verdict),
    count: summary[verdict],
  }))

function group(report: Report, verdict: Verdict): Markup {
  const clauses = shared.clausesWith(report, verdict)
  if (clauses.length === 0) return nothing
  return markup`<section class="group"><h3 class="${verdict}">${headings[verdict]}</h3>
${clauses.map(clause => clauseBlock(report, clause))}</section>\n`
}

function clauseBlock(report: Report, clause: ClauseResult): Markup {
  const { id, text, level, verdict, needs = [], notes, evidence } = clause
  const from = shared.brokeSince(report, id)
  const lack = report.required.missing.includes(id) && verdict !== 'broken'
  const speaking = report.checks.filter(check => clause.checks.includes(check.id))
  return markup`<details class="clause" id="${id}" data-verdict="${verdict}"${raw(verdict === 'broken' ? ' open' : '')}>
<summary><span class="mark ${verdict}" aria-label="${wordsOf(verdict)}" role="img">${marks[verdict]}</span><b>${id}</b><span class="level">${level}</span><span class="sentence">${oneLine(text)}</span>${verdict === 'not_tried' ? markup`<span class="reason">${oneLine(reasonOf(clause))}</span>` : nothing}</summary>
<div class="content">
${from === undefined ? nothing : markup`<p class="badge">New since the baseline, where its verdict was: ${wordsOf(from)}.</p>`}
${lack ? markup`<p class="badge">It is required, and does not hold.</p>` : nothing}
${needs.length === 0 ? nothing : markup`<p><b>Needs:</b> ${needs.join('; ')}</p>`}
${notes.map(note => markup`<p>Seen: ${note}</p>`)}
${evidence.map(one => evidenceBlock(report, one))}
${speaking.length === 0 ? nothing : markup`<div><h4>Checks</h4><ul>${speaking.map(checkLine)}</ul></div>`}
</div></details>\n`
}

const checkLine = ({ id, title, verdict, ms, reason }: CheckResult): Markup =>
  markup`<li><span class="${verdict}">${marks[verdict]} ${wordsOf(verdict)}</span> ${code(id)} ${title} <span class="soft">${reason ?? formatDuration(ms)}</span></li>`

function choices({ clauses }: Report): Markup {
  const lines = clauses.flatMap(({ id, notes }) => notes.map(note => markup`<dt>${link(id)}</dt><dd>${note}</dd>`))
  return lines.length === 0 ? nothing : markup`<h2>Where the documentation leaves a choice</h2><dl>${lines}</dl>`
}

function extensions(report: Report): Markup {
  const codes = shared.extensionsOf(report).map(one => markup`<li>${code(one)}</li>`)
  if (codes.length === 0) return nothing
  return markup`<h2>Error codes beyond the documented ones</h2><p class="soft">No violation: the documentation does not say that its list is whole.</p><ul>${codes}</ul>`
}

function checks({ checks }: Report): Markup {
  const rows = checks.map(
    ({ id, title, clauses, verdict, ms, requests, reason }) =>
      markup`<tr><td class="verdict ${verdict}">${marks[verdict]} ${wordsOf(verdict)}</td><td>${code(id)}<br>${title}${reason ? markup` <span class="soft">(${reason})</span>` : nothing}</td><td>${clauses.map(clause => markup`${link(clause)} `)}</td><td class="number">${formatCount(requests)}</td><td class="number">${formatDuration(ms)}</td></tr>\n`,
  )
  return markup`<h2>Checks</h2>
<details><summary>${plural(checks.length, 'check')}, with their times</summary>
<div class="scroll"><table><thead><tr><th>Verdict</th><th>Check</th><th>Clauses</th><th class="number">Requests</th><th class="number">Time</th></tr></thead><tbody>
${rows}</tbody></table></div></details>`
}

const link = (id: string): Markup => markup`<a href="#${encodeURIComponent(oneLine(id))}">${id}</a>`
