/** For the summary of a CI job: $GITHUB_STEP_SUMMARY, or a comment. */
import { evidenceText, when } from '../../reports/evidence.ts'
import { evidenceBlocks, folded, inline, tableText } from '../../reports/markdown.ts'
import { icons, okVerdict, withVerdict } from '../../reports/verdicts.ts'
import type { ReceiverReport } from '../report.ts'
import { reasonText } from './reasonText.ts'

export function receiverMarkdown(report: ReceiverReport): string {
  const { checks, ok, why, target, started_at } = report
  const rows = checks.map(check => {
    const { verdict, id, level, title } = check
    return [icons[verdict], id, level, title, reasonText(check)]
  })
  const blocks = [
    `## ${icons[okVerdict(ok)]} ${inline(why)}`,
    inline(`${target}, ${when(started_at)}`),
    tableText(['', 'check', 'level', 'what a receiver does', 'why not'], rows),
    ...withVerdict(checks, 'failed').flatMap(check =>
      folded(check.id, check.title, [
        ...evidenceBlocks(
          check.evidence.map(one => evidenceText(report, one)),
          0,
        ),
        `**What to do:** ${inline(check.advice)}`,
      ]),
    ),
  ]
  return `${blocks.join('\n\n')}\n`
}
