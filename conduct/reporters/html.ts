/** One page that needs nothing else, in the frame of the suite's: what failed is open and first. */

import { formatCount, oneLine, shorten } from '../../base/text.ts'
import { code, filter, headBlock, pageText, resultBlock, resultGroup, verdictHeading } from '../../reports/html.ts'
import { type Markup, markup, nothing } from '../../reports/markup.ts'
import { failedWord } from '../../reports/verdicts.ts'

import type { ConductChain, ConductEvidence, ConductReport, RuleResult } from '../report.ts'
import * as shared from './shared.ts'

export const conductHtml = (report: ConductReport): string =>
  pageText(report, {
    title: `${shared.whoText(report)}, ${oneLine(shorten(report.source, 200))}`,
    things: 'rules',
    head: head(report),
    main: markup`<section><h2 id="rules">Rules</h2>
${filter('rules', report.summary)}
${resultGroup(report.rules, 'failed', rule => ruleBlock(report, rule))}
${resultGroup(report.rules, 'inconclusive', rule => ruleBlock(report, rule))}
${skipped(report)}
${resultGroup(report.rules, 'passed', rule => ruleBlock(report, rule))}</section>
${tries(report)}`,
    style,
  })

const style = `
.rule .evidence > p { margin: 0 }
.rule .entries code { white-space: pre-wrap }
.rule .entries { list-style: none; margin: .6rem 0 0; padding: .6rem .9rem; background: var(--well);
  border: 1px solid var(--line); border-radius: 6px }
.rule .entries li + li { margin-top: .25rem }
.tries { margin: .4rem 0 1.1rem } .tries svg { display: block; width: 100%; height: auto }
.tries line, .tries rect { stroke: currentColor; fill: currentColor; stroke-width: 1 } .tries rect { fill-opacity: .35 }
.tries text { fill: currentColor; font-size: 11px }
.group h4 { margin: 1.1rem 0 .1rem; font-size: .9rem }
`

function head(report: ConductReport): Markup {
  const { key, required } = report
  const keys = shared.keysText(report)
  return headBlock(report, {
    target: `${shared.whoText(report)}, ${shorten(report.source, 300)}`,
    warning: shared.incompleteText(report) ?? '',
    summary: report.summary,
    facts: [
      ['Key', key === 'all' ? 'all that were found' : code(oneLine(shorten(key, 100)))],
      ...(keys === undefined ? [] : [['Found', keys] as const]),
      ['Source', oneLine(shorten(report.source, 300))],
      ['Seen', shared.seenText(report)],
      ['Graded by', shared.gradingText(report)],
      ...(required.rules.length > 0 ? [['Required', oneLine(required.rules.join(', '))] as const] : []),
    ],
  })
}

/** By what would provoke them: the list is to be worked through. */
function skipped(report: ConductReport): Markup {
  const groups = shared.skippedGroupsOf(report)
  if (groups.length === 0) return nothing
  const parts = groups.map(
    ({ title, rules }) => markup`<section class="group"><h4>${title.charAt(0).toUpperCase() + title.slice(1)}</h4>
${rules.map(rule => ruleBlock(report, rule))}</section>\n`,
  )
  return markup`<section class="group">${verdictHeading('skipped')}
${parts}</section>\n`
}

function ruleBlock(report: ConductReport, rule: RuleResult): Markup {
  const { verdict, title, seen, evidence } = rule
  const id = oneLine(shorten(rule.id, 100))
  const isRequired = shared.conductShortfalls(report).rules.has(rule.id)
  const word = rule.verdict === 'failed' && (rule.expected || rule.level === 'should') ? [failedWord(rule)] : []
  const reason = [...word, ...(isRequired ? ['required, and skipped'] : []), shared.ownReason(rule) ?? []]
    .flat()
    .join(': ')
  const provoke = verdict === 'skipped' ? shared.provokeText(rule) : undefined
  return resultBlock(
    {
      id,
      verdict,
      level: oneLine(shorten(rule.clause, 30)),
      sentence: oneLine(shorten(title, 500)),
      reason,
      isLong: true,
    },
    markup`${isRequired ? markup`<p class="badge">It is required, and was skipped.</p>` : nothing}
${evidence.map(one => evidenceBlock(report, one))}
<p class="advice"><b>Advice:</b> ${shared.adviceText(rule)}</p>
<p class="soft">Of ${rule.clauses.map(one => oneLine(shorten(one, 30))).join(', ')}; seen ${seen === 1 ? 'once' : `${formatCount(seen)} times`}${provoke === undefined ? '' : `; ${provoke}`}; ${rule.level}${rule.tolerance === undefined ? '' : `, tolerance ${oneLine(rule.tolerance)}`}.</p>`,
  )
}

/** Each call that was tried again, to the scale of its time. */
function tries(report: ConductReport): Markup {
  const { chains } = report
  if (chains.length === 0) return nothing
  return markup`<section><h2 id="tries">Tries</h2>
${chains.slice(0, shared.chainsShown).map(chain => triesBlock(report, chain))}</section>\n`
}

const drawnWidth = 1000
const leastGap = 30

function triesBlock(report: ConductReport, chain: ConductChain): Markup {
  const said = shared.chainText(chain)
  const begun = Date.parse(chain.tries[0]?.time ?? '')
  const last = chain.tries.at(-1)
  const length = Math.max(1, last === undefined ? 1 : Date.parse(last.time) - begun + last.ms)
  const place = (ms: number): number => Math.round(((ms || 0) / (length || 1)) * (drawnWidth - 2 * leastGap)) + leastGap
  const marksOf = chain.tries.map(one => {
    const from = place(Date.parse(one.time) - begun)
    const width = Math.max(3, place(Date.parse(one.time) - begun + one.ms) - from)
    return markup`<rect x="${from}" y="14" width="${width}" height="12"/><text x="${from}" y="10">${oneLine(shorten(one.outcome.split(' ', 1)[0] ?? '', 12))}</text>`
  })
  return markup`<figure class="tries"><figcaption>${shared.chainName(report, chain)}: ${code(said)}</figcaption>
<svg viewBox="0 0 ${drawnWidth} 36" role="img" aria-label="${said}"><line x1="${leastGap}" y1="20" x2="${drawnWidth - leastGap}" y2="20"/>${marksOf}</svg></figure>\n`
}

const evidenceBlock = (report: ConductReport, evidence: ConductEvidence): Markup =>
  markup`<article class="evidence${evidence.passed ? '' : ' breach'}">
<p><b>${shared.saidText(report, evidence)}</b></p>
<ul class="entries">${shared.entryLines(evidence).map(line => markup`<li>${code(line)}</li>`)}</ul>
</article>\n`
