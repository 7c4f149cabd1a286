/** One page that needs nothing else, in the frame of the suite's: what failed is open and first. */
import { oneLine } from '../../base/text.ts'
import { when } from '../../reports/evidence.ts'
import { code, evidenceBlock, filter, headBlock, pageText, resultBlock, resultGroup } from '../../reports/html.ts'
import { type Markup, markup } from '../../reports/markup.ts'
import { failedWord, worstFirst } from '../../reports/verdicts.ts'
import type { ReceiverReport, ReceiverResult } from '../report.ts'
import { reasonText } from './reasonText.ts'

export const receiverHtml = (report: ReceiverReport): string =>
  pageText(report, {
    title: oneLine(report.target),
    things: 'checks',
    head: headBlock(report, {
      target: report.target,
      warning: report.complete ? '' : 'It was stopped before its end.',
      summary: report.summary,
      facts: [
        ['When', when(report.started_at)],
        ['Seed', code(report.seed)],
      ],
    }),
    main: markup`<section><h2 id="checks">Checks</h2>
${filter('checks', report.summary)}
${worstFirst.map(verdict => resultGroup(report.checks, verdict, check => checkBlock(report, check)))}</section>`,
    made: when(report.started_at),
  })

function checkBlock(report: ReceiverReport, check: ReceiverResult): Markup {
  const { id, title, clauses, level, verdict, advice, evidence } = check
  const isMild = verdict === 'failed' && level === 'should'
  return resultBlock(
    { id, verdict, level, sentence: title, reason: isMild ? failedWord(check) : reasonText(check), isLong: true },
    markup`${evidence.map(one => evidenceBlock(report, one))}
<p class="advice"><b>What to do:</b> ${advice}</p>
<p class="soft">Of ${clauses.join(', ')}.</p>`,
  )
}
