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
    made: shared.when(report.started_at),
  })

interface PageParts {
  title: string
  /** What the page lists, by the id of that section: "clauses". */
  things: string
  head: Markup
  main: Markup
  made?: string
  /** Beside the style of them all. */
  style?: string
}

/** The whole file: the frame in which every report stands, and the script that filters its `.clause`s. */
export const pageText = (
  { ok, understudy }: { ok: boolean; understudy: string },
  { title, things, head, main, made, style: more = '' }: PageParts,
): string =>
  markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${raw(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${markOf(ok)} ${title} · Understudy</title>
<style>${raw(style)}${raw(more)}</style>
</head>
<body>
<a class="skip" href="#${things}">To the ${things}</a>
${head}
<main>
${main}
</main>
<footer>Made by understudy ${oneLine(understudy)}${made === undefined ? '' : `, ${made}`}.</footer>
<script>${raw(script)}</script>
</body>
</html>
`.markup

export const nothing = raw('')
const markOf = (ok: boolean): string => (ok ? shared.marks.holds : shared.marks.broken)
export const code = (text: string): Markup => markup`<code>${text}</code>`

function head(report: Report): Markup {
  const { target, profile, seed, started_at, complete, required, changes, explored } = report
  const facts: [string, string | Markup][] = [
    ['Profile', profile],
    ['When', shared.when(started_at)],
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

interface HeadParts {
  target: string
  warning: string
  parts: readonly Part[]
  facts: readonly (readonly [name: string, value: string | Markup])[]
}

/** The verdict in large, and what was judged. */
export function headBlock({ ok, why }: { ok: boolean; why: string }, parts: HeadParts): Markup {
  const [start, rest = ''] = oneLine(why).split(/[:;.] (.*)/s)
  const { target, warning, facts } = parts
  return markup`<header>
<div class="target">${oneLine(target)}</div>
<h1><span class="${ok ? 'holds' : 'broken'}">${markOf(ok)}</span> ${start ?? ''}</h1>
${rest === '' ? nothing : markup`<p class="lede">${rest.charAt(0).toUpperCase() + rest.slice(1)}</p>`}
${warning === '' ? nothing : markup`<p class="badge">${warning}</p>`}
${strip(parts.parts)}
<dl class="facts">${facts.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
</header>`
}

/** Those of one verdict: how many, and how they are called. */
export interface Part {
  verdict: string
  /** The verdict of the suite that looks like it. */
  look: Verdict
  heading: string
  words: string
  count: number
}

const partsOf = ({ summary }: Report, verdicts: readonly Verdict[]): Part[] =>
  verdicts.map(verdict => ({
    verdict,
    look: verdict,
    heading: headings[verdict],
    words: verdict === 'holds' && summary.holds !== 1 ? 'hold' : shared.wordsOf(verdict),
    count: summary[verdict],
  }))

/** A bar whose parts are as long as their numbers; the legend says the same in words. */
function strip(parts: readonly Part[]): Markup {
  const sum = (some: readonly Part[]) => some.reduce((all, { count }) => all + count, 0)
  const bars = parts.map(
    ({ look, count }, i) => markup`<rect class="${look}" x="${sum(parts.slice(0, i))}" width="${count}" height="1"/>`,
  )
  const legend = parts.map(
    part =>
      markup`<li><span class="${part.look}">${shared.marks[part.look]} <b>${count(part.count)}</b></span> ${part.words}</li>`,
  )
  return markup`<svg class="strip" viewBox="0 0 ${Math.max(1, sum(parts))} 1" preserveAspectRatio="none" aria-hidden="true">${bars}</svg>
<ul class="legend">${legend}</ul>`
}

export const filter = (
  things: string,
  parts: readonly Part[],
): Markup => markup`<form class="filter" hidden role="search">
<input type="search" name="text" placeholder="Filter by text" aria-label="Filter the ${things} by text">
${parts.map(part => markup`<label><input type="checkbox" name="verdict" value="${part.verdict}" checked>${part.heading} <span class="soft">${count(part.count)}</span></label>\n`)}
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
