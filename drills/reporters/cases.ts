/** A drill as test cases: one for each threshold, one for the contract, one for the load generator. Their names never change. */

import { oneLine, shorten } from '../../base/text.ts'
import { evidenceText } from '../../reports/evidence.ts'
import type { TestCase, TestRun } from '../../reports/testCase.ts'
import type { DrillReport } from '../report.ts'
import * as numbers from './numbers.ts'
import * as shared from './shared.ts'

export function drillRun(report: DrillReport): TestRun {
  const { drill, target, seed, understudy, ok, why, ms, started_at, settings, complete } = report
  const cases = [...thresholdCases(report), contractCase(report), generatorCase(report)]
  if (!complete)
    cases.push({
      id: 'complete',
      name: 'complete',
      verdict: 'inconclusive',
      fault: 'harness',
      message: 'it was stopped before its end',
    })
  return {
    name: `understudy ${drill}`,
    understudy,
    ok,
    why,
    ms,
    started_at,
    properties: { drill, target, seed, ...settings },
    cases: cases.map(one => ({ ...one, suite: drill })),
  }
}

type DrillCase = Omit<TestCase, 'suite'>

/** By its metric; a second one of the same metric by what it is compared with as well. */
function thresholdCases({ thresholds }: DrillReport): DrillCase[] {
  const used = new Set<string>()
  return thresholds.map(one => {
    const metric = oneLine(shared.metricName(one))
    const names = [metric, `${metric} ${one.op}`, oneLine(one.text)]
    const name = names.find(name => !used.has(name)) ?? metric
    used.add(name)
    const { verdict, fault } = one
    return {
      id: name,
      name,
      verdict,
      fault,
      message: oneLine(`${one.text}: ${shorten(oneLine(one.said), 500)}`),
      text: oneLine(`${one.text}, found ${numbers.found(one)}`),
    }
  })
}

/** A failure is read in a browser: the JSON report has all of it. */
const breachesShown = 5

function contractCase(report: DrillReport): DrillCase {
  const { breaches, judged } = report.contract
  const about = { id: 'contract', name: 'contract' }
  const message = oneLine(shared.contractText(report))
  if (judged === 0 && breaches.length === 0) return { ...about, verdict: 'skipped', message }
  if (breaches.length === 0) return { ...about, verdict: 'passed', text: message }
  const text = breaches
    .slice(0, breachesShown)
    .map(breach => `${oneLine(shared.breachTitle(breach))}\n${evidenceText(shared.noChecks, breach.evidence)}`)
  return { ...about, verdict: 'failed', message, text: text.join('\n\n') }
}

/** Whether the load was the one that was asked for: where it was not, the run says nothing of the server. */
function generatorCase(report: DrillReport): DrillCase {
  const { generator, verdict, fault, why } = report
  const text = shared
    .generatorRows(report)
    .map(([name, text]) => `${name}: ${oneLine(text)}`)
    .join('\n')
  const about = { id: 'generator', name: 'generator', text }
  if (verdict === 'inconclusive') return { ...about, verdict, fault, message: oneLine(why) }
  return { ...about, verdict: 'passed', ...(generator.bottleneck && { message: oneLine(generator.text) }) }
}
