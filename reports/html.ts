import { formatCount, oneLine, shortenText } from '../base/text.ts'
import type { Evidence } from '../contracts/evidence.ts'
import type { Verdict } from '../contracts/verdict.ts'

import { answerText, evidenceRows, marks, type Titles } from './evidence.ts'
import { type Markup, markup, raw } from './markup.ts'
import { pageScript, pageStyle, scriptHash } from './page.ts'

const policy = `default-src 'none'; script-src '${scriptHash}'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'`

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
<style>${raw(pageStyle)}${raw(more)}</style>
</head>
<body>
<a class="skip" href="#${things}">To the ${things}</a>
${head}
<main>
${main}
</main>
<footer>Made by understudy ${oneLine(understudy)}${made === undefined ? '' : `, ${made}`}.</footer>
<script>${raw(pageScript)}</script>
</body>
</html>
`.markup

export const nothing = raw('')

const markOf = (ok: boolean): string => (ok ? marks.holds : marks.broken)

export const code = (text: string): Markup => markup`<code>${text}</code>`

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

/** A bar whose parts are as long as their numbers; the legend says the same in words. */
function strip(parts: readonly Part[]): Markup {
  const sum = (some: readonly Part[]) => some.reduce((all, { count }) => all + count, 0)
  const bars = parts.map(
    ({ look, count }, i) => markup`<rect class="${look}" x="${sum(parts.slice(0, i))}" width="${count}" height="1"/>`,
  )
  const legend = parts.map(
    part =>
      markup`<li><span class="${part.look}">${marks[part.look]} <b>${formatCount(part.count)}</b></span> ${part.words}</li>`,
  )
  return markup`<svg class="strip" viewBox="0 0 ${Math.max(1, sum(parts))} 1" preserveAspectRatio="none" aria-hidden="true">${bars}</svg>
<ul class="legend">${legend}</ul>`
}

export const filter = (
  things: string,
  parts: readonly Part[],
): Markup => markup`<form class="filter" hidden role="search">
<input type="search" name="text" placeholder="Filter by text" aria-label="Filter the ${things} by text">
${parts.map(part => markup`<label><input type="checkbox" name="verdict" value="${part.verdict}" checked>${part.heading} <span class="soft">${formatCount(part.count)}</span></label>\n`)}
<output aria-live="polite"></output>
<button type="button" name="all">Open all</button>
</form>`

export function evidenceBlock(report: Titles, evidence: Evidence): Markup {
  const { holds, pointer, request, response, curl } = evidence
  const [check] = evidenceRows(report, evidence)
  return markup`<article class="evidence${holds ? '' : ' breach'}">
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
