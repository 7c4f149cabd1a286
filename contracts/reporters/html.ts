/** One page that needs nothing else: complete without its script, and allowed to run and to load nothing besides. */
import type { CheckResult, ClauseResult, Evidence, Report, Verdict } from '../suite/report.ts'
import { type Markup, markup, raw } from './markup.ts'
import { script, scriptHash, style } from './page.ts'
import * as shared from './shared.ts'
import { count, cut, duration, oneLine, plural } from './text.ts'

const policy = `default-src 'none'; script-src '${scriptHash}'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'`

/** What is broken is what the reader came for. */
const order = ['broken', 'not_tried', 'holds'] as const satisfies Verdict[]
const headings: Record<Verdict, string> = { broken: 'Broken', not_tried: 'Not tried', holds: 'Holds' }

export const html = (report: Report): string =>
  markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${raw(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${markOf(report)} ${oneLine(report.target)} · Understudy</title>
<style>${raw(style)}</style>
</head>
<body>
<a class="skip" href="#clauses">To the clauses</a>
${head(report)}
<main>
<section><h2 id="clauses">Clauses</h2>
${filter(report)}
${order.map(verdict => group(report, verdict))}</section>
${choices(report)}
${extensions(report)}
${checks(report)}
</main>
<footer>Made by understudy ${oneLine(report.understudy)}, ${shared.when(report.started_at)}.</footer>
<script>${raw(script)}</script>
</body>
</html>
`.markup

const nothing = raw('')
const markOf = ({ ok }: Report): string => (ok ? shared.marks.holds : shared.marks.broken)
const code = (text: string): Markup => markup`<code>${text}</code>`

function head(report: Report): Markup {
  const { target, profile, seed, started_at, complete, ok, why, required, changes, explored } = report
  const [start, rest = ''] = oneLine(why).split(/[:;.] (.*)/s)
  const facts: [string, string | Markup][] = [
    ['Profile', profile],
    ['When', shared.when(started_at)],
    ['Seed', code(seed)],
    ['Spent', shared.spentText(report)],
    ...(explored ? [['Explored', shared.exploredText(explored)] as [string, string]] : []),
    ...(required.clauses.length > 0 ? [['Required', required.clauses.join(', ')] as [string, string]] : []),
    ...(changes ? [['Baseline', changes.text] as [string, string]] : []),
  ]
  return markup`<header>
<div class="target">${oneLine(target)}</div>
<h1><span class="${ok ? 'holds' : 'broken'}">${markOf(report)}</span> ${start ?? ''}</h1>
${rest === '' ? nothing : markup`<p class="lede">${rest.charAt(0).toUpperCase() + rest.slice(1)}</p>`}
${complete ? nothing : markup`<p class="badge">It was stopped before its end.</p>`}
${strip(report)}
<dl class="facts">${facts.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
</header>`
}

/** A bar whose parts are as long as their numbers; the legend says the same in words. */
function strip({ summary }: Report): Markup {
  const parts = (['holds', 'broken', 'not_tried'] as const).map((verdict, i, all) => {
    const before = all.slice(0, i).reduce((sum, one) => sum + summary[one], 0)
    return markup`<rect class="${verdict}" x="${before}" width="${summary[verdict]}" height="1"/>`
  })
  const total = Math.max(1, summary.holds + summary.broken + summary.not_tried)
  const legend = (['holds', 'broken', 'not_tried'] as const).map(
    verdict =>
      markup`<li><span class="${verdict}">${shared.marks[verdict]} <b>${count(summary[verdict])}</b></span> ${verdict === 'holds' && summary.holds !== 1 ? 'hold' : shared.wordsOf(verdict)}</li>`,
  )
  return markup`<svg class="strip" viewBox="0 0 ${total} 1" preserveAspectRatio="none" aria-hidden="true">${parts}</svg>
<ul class="legend">${legend}</ul>`
}

const filter = ({ summary }: Report): Markup => markup`<form class="filter" hidden role="search">
<input type="search" name="text" placeholder="Filter by text" aria-label="Filter the clauses by text">
${order.map(verdict => markup`<label><input type="checkbox" name="verdict" value="${verdict}" checked>${headings[verdict]} <span class="soft">${count(summary[verdict])}</span></label>\n`)}
<output aria-live="polite"></output>
<button type="button" name="all">Open all</button>
</form>`

function group(report: Report, verdict: Verdict): Markup {
  const clauses = shared.having(report, verdict)
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
<summary><span class="mark ${verdict}" aria-label="${shared.wordsOf(verdict)}" role="img">${shared.marks[verdict]}</span><b>${id}</b><span class="level">${level}</span><span class="sentence">${oneLine(text)}</span>${verdict === 'not_tried' ? markup`<span class="reason">${oneLine(shared.reasonOf(clause))}</span>` : nothing}</summary>
<div class="content">
${from === undefined ? nothing : markup`<p class="badge">New since the baseline, where its verdict was: ${shared.wordsOf(from)}.</p>`}
${lack ? markup`<p class="badge">It is required, and does not hold.</p>` : nothing}
${needs.length === 0 ? nothing : markup`<p><b>Needs:</b> ${needs.join('; ')}</p>`}
${notes.map(note => markup`<p>Seen: ${note}</p>`)}
${evidence.map(one => evidenceBlock(report, one))}
${speaking.length === 0 ? nothing : markup`<div><h4>Checks</h4><ul>${speaking.map(checkLine)}</ul></div>`}
</div></details>\n`
}

const checkLine = ({ id, title, verdict, ms, reason }: CheckResult): Markup =>
  markup`<li><span class="${verdict}">${shared.marks[verdict]} ${shared.wordsOf(verdict)}</span> ${code(id)} ${title} <span class="soft">${reason ?? duration(ms)}</span></li>`

export function evidenceBlock(report: shared.Titles, evidence: Evidence): Markup {
  const { holds, pointer, request, response, curl } = evidence
  const [check] = shared.evidenceRows(report, evidence)
  return markup`<article class="evidence${holds ? '' : ' breach'}">
<dl><dt>Check</dt><dd>${check?.[1] ?? ''}</dd>
<dt>Expected</dt><dd>${cut(evidence.expected, 2000)}</dd>
<dt>Found</dt><dd class="found">${cut(evidence.found, 2000)}</dd>
${pointer ? markup`<dt>At</dt><dd>${code(cut(pointer, 500))}</dd>` : nothing}</dl>
<div class="exchange">
${request ? exchange('Request', `${request.method} ${request.url}`, request.headers, request.body) : nothing}
${response ? exchange('Response', shared.answerText(response), response.headers, response.body) : nothing}
</div>
${curl ? markup`<div><h4>To see it again</h4><div class="command"><pre>${curl}</pre></div></div>` : nothing}
</article>\n`
}

function exchange(title: string, first: string, headers: Record<string, unknown>, body = ''): Markup {
  const lines = Object.entries(headers).map(([name, value]) => `${cut(name, 200)}: ${cut(String(value), 1000)}`)
  const text = [cut(first, 2000), ...lines, ...(body === '' ? [] : ['', cut(body, 4000)])].join('\n')
  return markup`<div><h4>${title}</h4><pre tabindex="0">${text}</pre></div>`
}

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
      markup`<tr><td class="verdict ${verdict}">${shared.marks[verdict]} ${shared.wordsOf(verdict)}</td><td>${code(id)}<br>${title}${reason ? markup` <span class="soft">(${reason})</span>` : nothing}</td><td>${clauses.map(clause => markup`${link(clause)} `)}</td><td class="number">${count(requests)}</td><td class="number">${duration(ms)}</td></tr>\n`,
  )
  return markup`<h2>Checks</h2>
<details><summary>${plural(checks.length, 'check')}, with their times</summary>
<div class="scroll"><table><thead><tr><th>Verdict</th><th>Check</th><th>Clauses</th><th class="number">Requests</th><th class="number">Time</th></tr></thead><tbody>
${rows}</tbody></table></div></details>`
}

const link = (id: string): Markup => markup`<a href="#${encodeURIComponent(oneLine(id))}">${id}</a>`
