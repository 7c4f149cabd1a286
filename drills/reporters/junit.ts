/** JUnit XML as Jenkins, GitLab and GitHub's actions read it: a testcase is a threshold, and its name never changes. */

import { oneLine, shorten } from '../../base/text.ts'
import { evidenceText } from '../../reports/evidence.ts'
import { type Markup, markup } from '../../reports/markup.ts'

import type { DrillReport } from '../report.ts'
import * as numbers from './numbers.ts'
import * as shared from './shared.ts'

interface Case {
  kind: 'passed' | 'failure' | 'error' | 'skipped'
  name: string
  message?: string
  text?: string
}

export function drillJunit(report: DrillReport): string {
  const { drill, target, seed, understudy, why, ms, started_at } = report
  const cases = casesOf(report)
  const of = (kind: Case['kind']) => cases.filter(one => one.kind === kind).length
  const counts = markup`tests="${cases.length}" failures="${of('failure')}" errors="${of('error')}" skipped="${of('skipped')}" time="${seconds(ms)}" timestamp="${oneLine(started_at)}"`
  const given = Object.entries({ drill, target, seed, understudy, why, ...report.settings })
  const properties = given.map(
    ([name, value]) => markup`\n      <property name="${oneLine(name)}" value="${oneLine(String(value))}"/>`,
  )
  return markup`<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="understudy drill" ${counts}>
  <testsuite name="understudy ${oneLine(drill)}" ${counts}>
    <properties>${properties}
    </properties>${cases.map(one => testcase(report, one))}
  </testsuite>
</testsuites>
`.markup
}

/** Thresholds, then the contract, then whether the load was what was asked for: an error, as it says nothing of the server. */
function casesOf(report: DrillReport): Case[] {
  const { generator, verdict, complete, ok, why } = report
  const inconclusive = verdict === 'inconclusive' || generator.bottleneck
  const cases: Case[] = [
    ...thresholdCases(report),
    contractCase(report),
    {
      name: 'generator',
      kind: verdict === 'inconclusive' ? 'error' : 'passed',
      ...(inconclusive && { message: oneLine(verdict === 'inconclusive' ? why : generator.text) }),
      text: shared
        .generatorRows(report)
        .map(([name, text]) => `${name}: ${oneLine(text)}`)
        .join('\n'),
    },
  ]
  if (!complete) cases.push({ name: 'complete', kind: 'failure', message: 'it was stopped before its end' })
  if (!ok && cases.every(({ kind }) => kind === 'passed' || kind === 'skipped'))
    cases.push({ name: 'run', kind: 'failure', message: oneLine(why) })
  return cases
}

/** By its metric; a second one of the same metric by what it is held against as well. */
function thresholdCases({ thresholds }: DrillReport): Case[] {
  const used = new Set<string>()
  return thresholds.map(one => {
    const metric = oneLine(shared.metricName(one))
    const names = [metric, `${metric} ${one.op}`, oneLine(one.text)]
    const name = names.find(name => !used.has(name)) ?? `${metric} ${used.size + 1}`
    used.add(name)
    const kind = ({ held: 'passed', broken: 'failure', unknown: 'skipped' } as const)[one.verdict]
    return {
      name,
      kind,
      message: oneLine(`${one.text}: ${shorten(oneLine(one.said), 500)}`),
      text: oneLine(`${one.text}, found ${numbers.found(one)}`),
    }
  })
}

/** A failure is read in a browser: the JSON report has all of it. */
const breachesShown = 5

function contractCase(report: DrillReport): Case {
  const { breaches, judged } = report.contract
  const name = 'contract'
  const message = oneLine(shared.contractText(report))
  if (judged === 0 && breaches.length === 0) return { name, kind: 'skipped', message }
  if (breaches.length === 0) return { name, kind: 'passed', text: message }
  const text = breaches
    .slice(0, breachesShown)
    .map(breach => `${oneLine(shared.breachTitle(breach))}\n${evidenceText(shared.noChecks, breach.evidence)}`)
  return { name, kind: 'failure', message, text: text.join('\n\n') }
}

function testcase({ drill }: DrillReport, { kind, name, message = '', text = '' }: Case): Markup {
  const start = markup`\n    <testcase classname="understudy.${oneLine(drill)}" name="${name}" time="0"`
  const out = text === '' ? markup`` : markup`\n      <system-out>${text}</system-out>`
  if (kind === 'passed') return text === '' ? markup`${start}/>` : markup`${start}>${out}\n    </testcase>`
  if (kind === 'skipped') return markup`${start}>\n      <skipped message="${message}"/>${out}\n    </testcase>`
  const type = kind === 'error' ? 'inconclusive' : 'broken'
  const element = markup`type="${type}" message="${message}">${text}`
  return kind === 'error'
    ? markup`${start}>\n      <error ${element}</error>\n    </testcase>`
    : markup`${start}>\n      <failure ${element}</failure>\n    </testcase>`
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3)
