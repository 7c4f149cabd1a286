/** One page that needs nothing else: complete without its script, and allowed to run and to load nothing besides. */

import { formatCount, formatDuration, oneLine, plural } from '../../base/text.ts'
import { reasonOf, when } from '../../reports/evidence.ts'
import { code, evidenceBlock, filter, headBlock, pageText, resultBlock, resultGroup } from '../../reports/html.ts'
import { type Markup, markup, nothing } from '../../reports/markup.ts'
import { marks, worstFirst } from '../../reports/verdicts.ts'
import type { CheckResult, ClauseResult, Report } from '../report.ts'
import * as shared from './shared.ts'

export const suiteHtml = (report: Report): string =>
  pageText(report, {
    title: oneLine(report.target),
    things: 'clauses',
    head: head(report),
    main: markup`<section><h2 id="clauses">Clauses</h2>
${filter('clauses', report.summary)}
${worstFirst.map(verdict => resultGroup(report.clauses, verdict, clause => clauseBlock(report, clause)))}</section>
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
    summary: report.summary,
    facts,
  })
}

function clauseBlock(report: Report, clause: ClauseResult): Markup {
  const { id, text, level, verdict, needs = [], notes, evidence } = clause
  const from = shared.failedSince(report, id)
  const lack = report.required.missing.includes(id) && verdict !== 'failed'
  const speaking = report.checks.filter(check => clause.checks.includes(check.id))
  const reason = verdict === 'skipped' ? oneLine(reasonOf(clause)) : ''
  return resultBlock(
    { id, verdict, level, sentence: oneLine(text), reason },
    markup`${from === undefined ? nothing : markup`<p class="badge">New since the baseline, where its verdict was: ${from}.</p>`}
${lack ? markup`<p class="badge">It is required, and has not passed.</p>` : nothing}
${needs.length === 0 ? nothing : markup`<p><b>Needs:</b> ${needs.join('; ')}</p>`}
${notes.map(note => markup`<p>Seen: ${note}</p>`)}
${evidence.map(one => evidenceBlock(report, one))}
${speaking.length === 0 ? nothing : markup`<div><h4>Checks</h4><ul>${speaking.map(checkLine)}</ul></div>`}`,
  )
}

const checkLine = ({ id, title, verdict, ms, reason }: CheckResult): Markup =>
  markup`<li><span class="${verdict}">${marks[verdict]} ${verdict}</span> ${code(id)} ${title} <span class="soft">${reason ?? formatDuration(ms)}</span></li>`

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
      markup`<tr><td class="verdict ${verdict}">${marks[verdict]} ${verdict}</td><td>${code(id)}<br>${title}${reason ? markup` <span class="soft">(${reason})</span>` : nothing}</td><td>${clauses.map(clause => markup`${link(clause)} `)}</td><td class="number">${formatCount(requests)}</td><td class="number">${formatDuration(ms)}</td></tr>\n`,
  )
  return markup`<h2>Checks</h2>
<details><summary>${plural(checks.length, 'check')}, with their times</summary>
<div class="scroll"><table><thead><tr><th>Verdict</th><th>Check</th><th>Clauses</th><th class="number">Requests</th><th class="number">Time</th></tr></thead><tbody>
${rows}</tbody></table></div></details>`
}

const link = (id: string): Markup => markup`<a href="#${encodeURIComponent(oneLine(id))}">${id}</a>`
