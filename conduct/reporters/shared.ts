/** What several reporters read off a report of conduct in the same way. */

import { formatCount, oneLine, plural, shorten } from '../../base/text.ts'
import { type Differing, differing, grouped, reasonOf, when } from '../../reports/evidence.ts'
import { withVerdict } from '../../reports/verdicts.ts'

import { isFailing } from '../grade.ts'
import {
  type ConductChain,
  type ConductEvidence,
  type ConductReport,
  type EvidenceEntry,
  neverArose,
  type RuleResult,
} from '../report.ts'
import { time } from '../rule.ts'

/** "errors.retried (ERR-3)" */
export const nameOf = ({ id, clause }: Pick<RuleResult, 'id' | 'clause'>): string =>
  oneLine(`${shorten(id, 100)} (${shorten(clause, 30)})`)

/** "24 calls and 3 webhooks, from 2026-11-20 12:00:03 UTC" */
export const seenText = ({ calls, webhooks, started_at }: ConductReport): string =>
  oneLine(
    `${plural(calls, 'call')} and ${plural(webhooks, 'webhook')}${started_at === undefined ? '' : `, from ${when(shorten(started_at, 40))}`}`,
  )

/** "rules of 2026-12; must fails the grade; the mock's timers were late by up to 3 ms" */
export const gradingText = ({ rule_set, level, late_ms }: ConductReport): string =>
  oneLine(
    `rules of ${rule_set}, level ${level}${late_ms > 0 ? `; the mock's own timers were late by up to ${formatCount(late_ms)} ms` : ''}`,
  )

/** Whose calls were graded. */
export const whoText = ({ key }: ConductReport): string =>
  key === 'all' ? 'all keys' : oneLine(`key ${shorten(key, 100)}`)

const keysShown = 10

/** The keys by name, where not one alone was meant. */
export function keysText({ key, keys }: ConductReport): string | undefined {
  if (keys.length === 0 || (keys.length === 1 && keys[0] === key)) return undefined
  const rest = keys.length - keysShown
  const named = keys.slice(0, keysShown).map(one => oneLine(shorten(one, 100)))
  return [...named, ...(rest > 0 ? [`and ${formatCount(rest)} more`] : [])].join(', ')
}

export const incompleteText = ({ incomplete }: ConductReport): string | undefined =>
  incomplete === undefined ? undefined : `Not all was seen: ${oneLine(shorten(incomplete, 500))}`

/** The breaches that differ in what the client did. */
export const breachesOf = ({ evidence }: RuleResult, most?: number): Differing<ConductEvidence> =>
  differing(
    evidence.filter(({ passed }) => !passed),
    ({ said }) => said,
    most,
  )

/** What the client did; by which key only where there are several. */
export const saidText = ({ key }: ConductReport, evidence: ConductEvidence): string =>
  oneLine(`${shorten(evidence.said, 1000)}${key === 'all' ? ` (key ${shorten(evidence.key, 100)})` : ''}`)

/** Of a long run of calls the first are told and the last: between them is more of the same. */
const entriesAtStart = 5
const entriesAtEnd = 2

export function entryLines({ entries }: ConductEvidence): string[] {
  const left = entries.length - entriesAtStart - entriesAtEnd
  if (left <= 1) return entries.map(entryLine)
  return [
    ...entries.slice(0, entriesAtStart).map(entryLine),
    `… ${formatCount(left)} more`,
    ...entries.slice(-entriesAtEnd).map(entryLine),
  ]
}

/** "#12 12:00:03.120 POST /v1/jobs → 429 rate_limited, Retry-After 2  req_123456" */
function entryLine({ number, time: began, ended, what, request_id, job_id }: EvidenceEntry): string {
  const clock = /T(\d\d:\d\d:\d\d(?:\.\d{1,6})?)Z$/.exec(began)?.[1] ?? shorten(began, 40)
  const ids = [request_id, job_id !== undefined && what.includes(job_id) ? undefined : job_id]
  const named = ids.flatMap(id => (id === undefined ? [] : [oneLine(shorten(id, 100))]))
  return [oneLine(`#${number} ${clock}${endText(began, ended)} ${shorten(what, 500)}`), ...named].join('  ')
}

/** Less is as good as at once. */
const shownFromMs = 10

/** "+1.2 s": how long it took until it ended. */
function endText(began: string, ended: string | undefined): string {
  const ms = ended === undefined ? 0 : Date.parse(ended) - Date.parse(began)
  return ms >= shownFromMs ? ` +${time(ms)}` : ''
}

/** Of a long row of tries the first are shown, and the last. */
const triesAtStart = 6
const triesAtEnd = 2
/** The longest wait is so many dashes on each side of its time. */
const dashes = 6

/** "500 ─1.1 s─ 500 ──2 s── 200", to the scale of the longest wait. */
export function chainText({ tries }: ConductChain): string {
  const longest = Math.max(1, ...tries.map(({ wait_ms = 0 }) => wait_ms))
  const parts = tries.map(({ outcome, wait_ms, asked_ms }) => {
    const answer = shorten(asked_ms === undefined ? outcome : `${outcome}, asked to wait ${time(asked_ms)}`, 80)
    if (wait_ms === undefined) return answer
    const line = '─'.repeat(Math.max(1, Math.round((dashes * wait_ms) / longest)))
    return `${line}${time(wait_ms)}${line} ${answer}`
  })
  const left = parts.length - triesAtStart - triesAtEnd
  const shown = left <= 1 ? parts : [...parts.slice(0, triesAtStart), `… ${left} more …`, ...parts.slice(-triesAtEnd)]
  return oneLine(shown.join(' '))
}

/** Whose tries they are, where there are several keys: "POST /v1/jobs, from #12 on" */
export const chainName = (report: ConductReport, { call, key, tries }: ConductChain): string =>
  oneLine(
    `${shorten(call, 200)}, from #${tries[0]?.number} on${report.key === 'all' && report.keys.length > 1 ? ` (key ${shorten(key, 100)})` : ''}`,
  )

/** More rows of tries tell no more; the JSON report has all. */
export const chainsShown = 8

/** A piece of evidence for a file: plain text. */
export const conductEvidenceText = (report: ConductReport, evidence: ConductEvidence): string =>
  [saidText(report, evidence), ...entryLines(evidence).map(line => `  ${line}`)].join('\n')

/** What to do, and what scenario shows whether it helped. */
export const adviceText = ({ advice }: Pick<RuleResult, 'advice'>): string => oneLine(shorten(advice, 1000))

/** Why a rule of one of the groups below was skipped, where neither the group says so nor the verdict itself. */
export const ownReason = (rule: RuleResult): string | undefined =>
  rule.reason === undefined || rule.reason === neverArose || rule.provoke.length === 0
    ? undefined
    : oneLine(reasonOf(rule))

/** "run the scenario a, or b, to provoke it" */
export const provokeText = ({ provoke }: RuleResult): string | undefined =>
  provoke.length === 0
    ? undefined
    : oneLine(`run the scenario ${provoke.map(one => shorten(one, 80)).join(' or ')} to provoke it`)

/** The reason, and what to do about it: where a rule stands alone. */
export const skippedText = (rule: RuleResult): string =>
  [oneLine(reasonOf(rule)), provokeText(rule)].filter(text => text !== undefined).join('; ')

export interface SkippedGroup {
  /** "run scenario rate-limited-then-ok to provoke them", or why no scenario would. */
  title: string
  rules: RuleResult[]
}

/** The skipped rules as a list to work through: as few scenarios as will do, then what none brings about. */
export function skippedGroupsOf({ rules }: ConductReport): SkippedGroup[] {
  const groups: SkippedGroup[] = []
  const unseen = withVerdict(rules, 'skipped')
  let left = unseen.filter(({ provoke }) => provoke.length > 0)
  while (left.length > 0) {
    const [scenario, found] = mostProvoking(left)
    const them = found.length === 1 ? 'it' : 'them'
    groups.push({ title: oneLine(`run scenario ${shorten(scenario, 80)} to provoke ${them}`), rules: found })
    left = left.filter(rule => !found.includes(rule))
  }
  const others = unseen.filter(({ provoke }) => provoke.length === 0)
  const titleOf = (rule: RuleResult) => oneLine(reasonOf(rule))
  return [...groups, ...grouped(others, titleOf).map(rules => ({ title: titleOf(rules[0]), rules }))]
}

function mostProvoking(rules: readonly RuleResult[]): [scenario: string, rules: RuleResult[]] {
  const scenarios = [...new Set(rules.flatMap(({ provoke }) => provoke))]
  const all = scenarios.map((name): [string, RuleResult[]] => [name, rules.filter(rule => rule.provoke.includes(name))])
  return all.reduce((best, one) => (one[1].length > best[1].length ? one : best))
}

/**
 * Why a client is not graded green beside the rules that failed, so that no format calls it good: what is required and skipped,
 * by rule, and what no rule tells, such as a required clause that no rule speaks of, or that nothing was seen at all.
 */
export function conductShortfalls(report: ConductReport): { rules: Map<string, string>; others: string[] } {
  const rules = new Map<string, string>()
  const others: string[] = []
  for (const name of report.required.missing) {
    const own = report.rules.filter(({ id, clauses }) => id === name || clauses.includes(name.toUpperCase()))
    for (const rule of withVerdict(own, 'skipped')) rules.set(rule.id, `required, but skipped: ${skippedText(rule)}`)
    if (own.every(({ verdict }) => verdict === 'passed'))
      others.push(`required, but not passed: ${oneLine(shorten(name, 100))}`)
  }
  for (const name of report.expected?.passed ?? [])
    others.push(`${oneLine(shorten(name, 100))} passed, though --expected-failures lists it: remove its line`)
  const isUnsaid = rules.size + others.length === 0 && !report.rules.some(rule => isFailing(rule, report.level))
  return { rules, others: !report.ok && isUnsaid ? [oneLine(report.why)] : others }
}
