/** One page that needs nothing else, in the frame of the other reports: blind spots are open and first. */
import { formatDuration, oneLine, shorten, visible } from '../base/text.ts'
import { code, filter, headBlock, pageText } from '../reports/html.ts'
import { type Markup, markup, nothing } from '../reports/markup.ts'
import { marks } from '../reports/verdicts.ts'
import type { MutationMessage, MutationReport, MutationResult, MutationRun } from './report.ts'
import { blindSpots, freedomText, headText, notReached, refused, unclear } from './shared.ts'

/** The name of a mutant is longer than a clause's. */
const style = `
@media (min-width: 40.01rem) { .mutant > summary { grid-template-columns: 1.1rem 17rem 4.5rem 1fr 1rem } }
.mutant > summary .sentence { white-space: normal }
.mutant .exchange > div:first-child:nth-last-child(3) { grid-column: 1 / -1 }
.diff .minus { color: var(--passed) } .diff .plus { color: var(--failed) }
.advice { padding: .75rem 1.15rem; background: var(--well); border-radius: 6px }
.matrix td { font-variant-numeric: tabular-nums } .matrix td:first-child { font-family: ui-monospace, monospace; font-size: .85rem }
@media print { .mutant > summary { grid-template-columns: 1.1rem 14rem 4rem 1fr } .evidence, .advice { break-inside: avoid } }
`

export function mutationHtml(report: MutationReport): string {
  const { command, results, healthy } = report
  return pageText(report, {
    title: `mutate, ${oneLine(shorten(command, 200))}`,
    things: 'mutants',
    head: headBlock(report, {
      target: oneLine(shorten(command, 300)),
      warning: report.complete ? '' : 'It was stopped before its end.',
      summary: report.summary,
      facts: [
        [
          'Score',
          report.score === null ? 'no mutant was reached' : `${report.score} % of the mutants reached were noticed`,
        ],
        ['Run', headText(report)],
        ['Without a mutant', healthy.runs.map(({ ms }) => formatDuration(ms)).join(', ')],
        ['Called', healthy.operations.map(({ route }) => route).join(', ')],
        ['Never called', healthy.never_called.join(', ') || 'nothing'],
      ],
    }),
    main: markup`${scores(report)}
<section><h2 id="mutants">Mutants</h2>
${filter('mutants', report.summary)}
${group('Blind spots', blindSpots(report), true)}
${group('Correct servers that were refused', refused(report), true)}
${group('Unclear', unclear(report), true)}
${notReached(report).map(({ why, results }) => group(why, results, false))}
${group(
  'Noticed',
  results.filter(({ outcome }) => outcome === 'noticed'),
  false,
)}
${group(
  'Accepted',
  results.filter(({ outcome }) => outcome === 'accepted'),
  false,
)}</section>
${matrix(report)}`,
    style,
  })
}

function scores({ clauses }: MutationReport): Markup {
  const rows = clauses.filter(({ reached }) => reached > 0)
  if (rows.length === 0) return nothing
  return markup`<section><h2>Score by clause</h2><div class="scroll"><table>
<thead><tr><th>Clause</th><th class="number">Noticed</th><th class="number">Reached</th></tr></thead><tbody>
${rows.map(({ id, noticed, reached }) => markup`<tr><td>${id}</td><td class="number ${noticed === reached ? 'passed' : 'failed'}">${noticed}</td><td class="number">${reached}</td></tr>\n`)}</tbody></table></div></section>`
}

const group = (title: string, results: readonly MutationResult[], isOpen: boolean): Markup =>
  results.length === 0
    ? nothing
    : markup`<section class="group"><h3>${title.charAt(0).toUpperCase() + title.slice(1)} <span class="soft">${results.length}</span></h3>
${results.map(result => mutantBlock(result, isOpen && result.severity === 'must'))}</section>\n`

function mutantBlock(result: MutationResult, isOpen: boolean): Markup {
  const { id, clause, verdict, severity, loses, what, kind, why, exchange, runs } = result
  const open = isOpen ? markup` open` : nothing
  return markup`<details class="clause mutant" id="${id}" data-verdict="${verdict}"${open}>
<summary><span class="mark ${verdict}">${marks[verdict]}</span><span>${id}</span><span class="level">${severity ?? 'variant'}</span><span class="sentence">${what}</span></summary>
<div class="content"><dl><dt>Clause</dt><dd>${clause}</dd>
${loses === undefined ? nothing : markup`<dt>Loses</dt><dd>${loses}</dd>`}
<dt>Shows at</dt><dd>${result.operations.join(', ') || 'any route'}</dd>
<dt>Noticeable by</dt><dd>${result.noticeable_by.join(', ')}</dd>
${why === undefined ? nothing : markup`<dt>Why</dt><dd>${why}</dd>`}
${runs.length === 0 ? nothing : markup`<dt>Runs</dt><dd>${runs.map(runText).join('; ')}</dd>`}</dl>
${kind === 'variant' ? markup`<p>${freedomText(result)}</p>` : nothing}
${exchange === undefined ? nothing : exchangeBlock(exchange, kind)}
${runs.flatMap(({ output }) => (output === undefined ? [] : [markup`<div><h4>It printed</h4><pre tabindex="0">${output}</pre></div>`]))}</div></details>\n`
}

const runText = ({ green, exit_code, signal, timed_out, ms }: MutationRun): string =>
  `${green ? 'green' : timed_out ? 'timed out' : (signal ?? (exit_code === null ? 'failed' : `exit ${exit_code}`))} in ${formatDuration(ms)}`

function exchangeBlock(exchange: NonNullable<MutationResult['exchange']>, kind: MutationResult['kind']): Markup {
  const { method, url, request, healthy, healthy_from = '', mutated, diff, asserts } = exchange
  const lines = diff.map(
    line => markup`<span class="${line.startsWith('-') ? 'minus' : 'plus'}">${visible(line)}</span>\n`,
  )
  return markup`<article class="evidence breach">
<dl><dt>At</dt><dd>${code(`${method} ${url}`)}</dd></dl>
<div class="diff"><h4>What differs</h4><pre tabindex="0">${lines}</pre></div>
<div class="exchange">${request === undefined ? nothing : messageBlock('Request', request)}
${healthy === undefined ? nothing : messageBlock(`Healthy (${healthy_from})`, healthy)}
${mutated === undefined ? nothing : messageBlock('Mutated', mutated)}</div>
${kind === 'mutant' ? markup`<p class="advice"><b>A test that notices it asserts</b> ${asserts}.</p>` : nothing}
</article>`
}

function messageBlock(title: string, { status, method, headers, body }: MutationMessage): Markup {
  const lines = [
    ...(status === undefined ? [] : [String(status)]),
    ...(method === undefined ? [] : [method]),
    ...Object.entries(headers).map(([name, value]) => `${name}: ${shorten(value, 300)}`),
    ...(body === '' ? [] : ['', body]),
  ]
  return markup`<div><h4>${title}</h4><pre tabindex="0">${visible(lines.join('\n'))}</pre></div>`
}

/** Mutant by run. */
function matrix({ results }: MutationReport): Markup {
  const run = results.filter(({ runs }) => runs.length > 0)
  if (run.length === 0) return nothing
  const cell = (one: MutationRun | undefined): Markup =>
    one === undefined
      ? markup`<td></td>`
      : markup`<td class="${one.green ? 'skipped' : 'passed'}">${one.green ? 'green' : one.timed_out ? 'timed out' : 'red'}</td>`
  return markup`<section><h2>Kill matrix</h2><div class="scroll"><table class="matrix">
<thead><tr><th>Mutant or variant</th><th>First run</th><th>Again</th><th>Outcome</th></tr></thead><tbody>
${run.map(({ id, outcome, verdict, runs }) => markup`<tr><td><a href="#${id}">${id}</a></td>${cell(runs[0])}${cell(runs[1])}<td class="${verdict}">${marks[verdict]} ${outcome}</td></tr>\n`)}</tbody></table></div></section>`
}
