/** For the summary of a CI job: $GITHUB_STEP_SUMMARY, or a comment. */

import { formatDuration, oneLine, plural, shorten } from '../../base/text.ts'
import { type EvidenceRow, evidenceText, when } from '../../reports/evidence.ts'
import { fence, folded, inline, tableText } from '../../reports/markdown.ts'
import { icons } from '../../reports/verdicts.ts'

import type { Breach, DrillReport } from '../report.ts'
import * as numbers from './numbers.ts'
import * as shared from './shared.ts'

export function drillMarkdown(report: DrillReport): string {
  const { drill, target, seed, started_at, ms, why, complete, contract, notes } = report
  const { more, ...failures } = shared.failuresTable(report)
  const gauges = shared.gaugesTable(report)
  const blocks = [
    `## ${icons[shared.outcomeOf(report)]} ${inline(why)}`,
    inline(`${drill}, ${target}, seed ${seed}, ${when(started_at)}, ${formatDuration(ms)}`),
    ...(complete ? [] : ['It was stopped before its end.']),
    ...thresholds(report),
    ...rowsTable('Found', shared.factRows(report)),
    ...(contract.breaches.length > 0 ? ['### The contract under load', ...contract.breaches.flatMap(details)] : []),
    `${inline(shared.contractText(report))}.`,
    '### Calls',
    'Times in ms, from when each request was due.',
    table(shared.callsTable(report)),
    ...(failures.rows.length > 0 ? ['### What failed', table(failures)] : []),
    ...(more > 0 ? [`And ${plural(more, 'more kind')}: the json report has them all.`] : []),
    ...rowsTable('Load', shared.loadRows(report)),
    ...rowsTable('When', shared.markRows(report)),
    ...rowsTable('Jobs', shared.jobRows(report)),
    ...(gauges.rows.length > 0 ? ["### The server's own numbers", table(gauges)] : []),
    ...rowsTable('The load generator', shared.generatorRows(report)),
    ...rowsTable('Settings', shared.settingRows(report)),
    ...(notes.length > 0 ? ['### To be known', notes.map(note => `- ${inline(note)}`).join('\n')] : []),
  ]
  return `${blocks.join('\n\n')}\n`
}

function thresholds(report: DrillReport): string[] {
  const rows = shared
    .thresholdsOf(report)
    .map(one => [icons[one.verdict], one.text, numbers.found(one), shorten(oneLine(one.said), 300)])
  if (rows.length === 0) return []
  return ['### Thresholds', table({ head: ['', 'threshold', 'found', ''], text: [1, 3], rows })]
}

const details = (breach: Breach): string[] =>
  folded(shared.breachTitle(breach), '', [fence(evidenceText(shared.noChecks, breach.evidence))])

const rowsTable = (title: string, rows: EvidenceRow[]): string[] =>
  rows.length === 0 ? [] : [`### ${title}`, table({ head: ['', ''], text: [1], rows: rows.map(row => [...row]) })]

const table = ({ head, rows, text = [] }: shared.Table): string =>
  tableText(head, rows, i => i > 0 && !text.includes(i))
