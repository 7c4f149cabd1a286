import { createHash } from 'node:crypto'
import { formatCount, oneLine, shortenText } from '../base/text.ts'
import type { Evidence } from '../contracts/evidence.ts'
import type { Verdict, VerdictSummary } from '../contracts/verdict.ts'

import { answerText, evidenceRows, type Titles } from './evidence.ts'
import { type Markup, markup, nothing, raw } from './markup.ts'
import { pageScript, pageStyle } from './page.ts'
import { marks, okVerdict, shownVerdicts, verdictHeadings, withVerdict, worstFirst } from './verdicts.ts'

interface PageParts {
  title: string
  /** By default passed or failed, as the run is ok or not. */
  verdict?: Verdict
  /** What the page lists, by the id of that section: "clauses". */
  things: string
  head: Markup
  main: Markup
  made?: string
  /** Beside the style of them all. */
  style?: string
  /** What the scripts read: elements after the footer. */
  data?: Markup
  /** By default the one that filters the page's `.clause`s. Nothing else runs. */
  scripts?: readonly string[]
}

/** The whole file: the frame in which every report stands. It loads nothing, and runs only its own scripts. */
export function pageText(
  { ok, understudy }: { ok: boolean; understudy: string },
  {
    title,
    verdict = okVerdict(ok),
    things,
    head,
    main,
    made,
    style = '',
    data = nothing,
    scripts = [pageScript],
  }: PageParts,
): string {
  const allowed = scripts.map(hashOf).join(' ') || "'none'"
  const policy = `default-src 'none'; script-src ${allowed}; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'`
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${raw(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${marks[verdict]} ${title} · Understudy</title>
<style>${raw(pageStyle)}${raw(style)}</style>
</head>
<body>
<a class="skip" href="#${things}">To the ${things}</a>
${head}
<main>
${main}
</main>
<footer>Made by understudy ${oneLine(understudy)}${made === undefined ? '' : `, ${made}`}.</footer>
${data}${scripts.map(text => markup`<script>${raw(text)}</script>\n`)}</body>
</html>
`.markup
}

const hashOf = (script: string): string => `'sha256-${createHash('sha256').update(script).digest('base64')}'`

export const code = (text: string): Markup => markup`<code>${text}</code>`

interface HeadParts {
  target: string
  warning: string
  summary: VerdictSummary
  facts: readonly (readonly [name: string, value: string | Markup])[]
}

/** The verdict in large, and what was judged. */
export function headBlock({ ok, why }: { ok: boolean; why: string }, parts: HeadParts): Markup {
  const [start, rest = ''] = oneLine(why).split(/[:;.] (.*)/s)
  const { target, warning, facts } = parts
  return markup`<header>
<div class="target">${oneLine(target)}</div>
<h1><span class="${okVerdict(ok)}">${marks[okVerdict(ok)]}</span> ${start ?? ''}</h1>
${rest === '' ? nothing : markup`<p class="lede">${rest.charAt(0).toUpperCase() + rest.slice(1)}</p>`}
${warning === '' ? nothing : markup`<p class="badge">${warning}</p>`}
${strip(parts.summary)}
<dl class="facts">${facts.map(([name, value]) => markup`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
</header>`
}

/** A bar whose parts are as long as their numbers; the legend says the same in words. */
function strip(summary: VerdictSummary): Markup {
  const shown = shownVerdicts(summary)
  const sum = (some: readonly Verdict[]) => some.reduce((all, verdict) => all + summary[verdict], 0)
  const bars = shown.map(
    (verdict, i) =>
      markup`<rect class="${verdict}" x="${sum(shown.slice(0, i))}" width="${summary[verdict]}" height="1"/>`,
  )
  const legend = shown.map(
    verdict =>
      markup`<li><span class="${verdict}">${marks[verdict]} <b>${formatCount(summary[verdict])}</b></span> ${verdict}</li>`,
  )
  return markup`<svg class="strip" viewBox="0 0 ${Math.max(1, sum(shown))} 1" preserveAspectRatio="none" aria-hidden="true">${bars}</svg>
<ul class="legend">${legend}</ul>`
}

export const filter = (
  things: string,
  summary: VerdictSummary,
): Markup => markup`<form class="filter" hidden role="search">
<input type="search" name="text" placeholder="Filter by text" aria-label="Filter the ${things} by text">
${worstFirst.filter(verdict => shownVerdicts(summary).includes(verdict)).map(verdict => markup`<label><input type="checkbox" name="verdict" value="${verdict}" checked>${verdictHeadings[verdict]} <span class="soft">${formatCount(summary[verdict])}</span></label>\n`)}
<output aria-live="polite"></output>
<button type="button" name="all">Open all</button>
</form>`

interface ResultParts {
  id: string
  verdict: Verdict
  /** A few letters beside the id: its clause, or how much it counts. */
  level: string
  sentence: string
  /** On a line of its own below the sentence; empty: there is none. */
  reason: string
  /** Its id is longer than a clause's, as a rule's is. */
  isLong?: boolean
}

/** One result of a list: a line, and what is behind it. What failed is open. The filter knows it by its class. */
export const resultBlock = (
  { id, verdict, level, sentence, reason, isLong = false }: ResultParts,
  content: Markup,
): Markup => markup`<details class="clause${raw(isLong ? ' rule' : '')}" id="${id}" data-verdict="${verdict}"${raw(verdict === 'failed' ? ' open' : '')}>
<summary><span class="mark ${verdict}" aria-label="${verdict}" role="img">${marks[verdict]}</span><b>${id}</b><span class="level">${level}</span><span class="sentence">${sentence}</span>${reason === '' ? nothing : markup`<span class="reason">${reason}</span>`}</summary>
<div class="content">
${content}
</div></details>\n`

/** Results of one verdict under its heading; nothing where there are none. */
export const resultGroup = <Result extends { verdict: Verdict }>(
  results: readonly Result[],
  verdict: Verdict,
  block: (result: Result) => Markup,
): Markup => {
  const some = withVerdict(results, verdict)
  return some.length === 0
    ? nothing
    : markup`<section class="group">${verdictHeading(verdict)}
${some.map(block)}</section>\n`
}

export const verdictHeading = (verdict: Verdict): Markup =>
  markup`<h3 class="${verdict}">${verdictHeadings[verdict]}</h3>`

export function evidenceBlock(report: Titles, evidence: Evidence): Markup {
  const { passed, pointer, request, response, curl } = evidence
  const [check] = evidenceRows(report, evidence)
  return markup`<article class="evidence${passed ? '' : ' breach'}">
<dl><dt>Check</dt><dd>${check?.[1] ?? ''}</dd>
<dt>Expected</dt><dd>${shortenText(evidence.expected, 2000)}</dd>
<dt>Found</dt><dd class="found">${shortenText(evidence.found, 2000)}</dd>
${pointer ? markup`<dt>At</dt><dd>${code(shortenText(pointer, 500))}</dd>` : nothing}</dl>
<div class="exchange">
${request ? exchange('Request', `${request.method} ${request.url}`, request.headers, request.body) : nothing}
${response ? exchange('Response', answerText(response), response.headers, response.body) : nothing}
</div>
${curl ? markup`<div><h4>To see it again</h4><div class="command"><pre>${curl}</pre></div></div>` : nothing}
</article>\n`
}

function exchange(title: string, first: string, headers: Record<string, unknown>, body = ''): Markup {
  const lines = Object.entries(headers).map(
    ([name, value]) => `${shortenText(name, 200)}: ${shortenText(String(value), 1000)}`,
  )
  const text = [shortenText(first, 2000), ...lines, ...(body === '' ? [] : ['', shortenText(body, 4000)])].join('\n')
  return markup`<div><h4>${title}</h4><pre tabindex="0">${text}</pre></div>`
}
