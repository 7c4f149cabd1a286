/** What JUnit, TAP and CTRF are written from: a run and its cases. Each verb maps its report to this. */
import { oneLine } from '../base/text.ts'
import type { InconclusiveFault, Verdict } from '../contracts/verdict.ts'

export interface TestCase {
  /** The same in every run: "jobs.states", "RL-2", "p99". */
  id: string
  /** For people. */
  name: string
  /** What it belongs to; JUnit's class: "jobs". */
  suite: string
  verdict: Verdict
  /** Of inconclusive. */
  fault?: InconclusiveFault | undefined
  /** How long it took, where that is known. */
  ms?: number
  /** In a line: what failed, or why it was skipped. */
  message?: string
  /** The evidence as plain text. */
  text?: string
  /** The evidence as data, for formats that take it. */
  details?: object
}

export interface TestRun {
  /** "understudy", or with the verb's own name: "understudy burst". */
  name?: string
  /** The version that made the report. */
  understudy: string
  ok: boolean
  /** The summary in a sentence. */
  why: string
  ms?: number | undefined
  /** UTC, ISO 8601. */
  started_at?: string | undefined
  /** What was tested, and with which settings. */
  properties: Readonly<Record<string, string>>
  cases: readonly TestCase[]
}

const isGreen = ({ verdict }: TestCase): boolean => verdict === 'passed' || verdict === 'skipped'

/** A run as a whole, where no other case can say it. */
export const runCase = (message: string): TestCase => ({
  id: 'run',
  name: 'run: it is green',
  suite: 'run',
  verdict: 'failed',
  message,
})

/** A run that is not green has a case that says so, and no two of its cases have the same name. */
export function completeCases({ ok, why, cases }: TestRun): TestCase[] {
  const all = ok || !cases.every(isGreen) ? cases : [...cases, runCase(why)]
  const used = new Set<string>()
  return all.map(one => {
    const name = oneLine(one.name)
    let unique = name
    for (let i = 2; used.has(`${one.suite} ${unique}`); i++) unique = `${name} (${i})`
    used.add(`${one.suite} ${unique}`)
    return { ...one, name: unique }
  })
}
