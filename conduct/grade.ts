/** Grades a client: each rule against what it did, and the report. */

import { ConfigError } from '../base/options.ts'
import { type ClauseId, clauses } from '../contracts/clauses.ts'
import { countVerdicts, summaryText, type Verdict } from '../contracts/verdict.ts'
import type { Traffic } from '../recordings/traffic.ts'
import { reportVersion } from '../reports/document.ts'
import { type Chain, type Client, type ClientCall, Clients, type ClientWebhook, waitAfter } from './client.ts'
import {
  type ConductChain,
  type ConductEvidence,
  type ConductReport,
  type EvidenceEntry,
  neverArose,
  type RuleResult,
} from './report.ts'
import {
  type ConductRule,
  callText,
  newestRuleSet,
  outcome,
  type RuleFinding,
  type RuleLevel,
  type RuleSet,
  ruleLevels,
  ruleSets,
} from './rule.ts'
import { pathsOf } from './rules/goLive.ts'
import { rules } from './rules/index.ts'

export interface GradeOptions {
  /** The version that grades, and what it reads. */
  about: { understudy: string; source: string; incomplete?: string }
  /** A key's fingerprint; without one all clients in the traffic are graded. */
  key?: string
  /** Until when the client was watched, ms since the epoch; by default until its traffic ends. */
  now?: number
  /** The longest that a job may be polled that doesn't end, ms; 30 min by default. */
  maxPollTimeMs?: number
  /** The server is known to have no secret to sign webhooks with. */
  unsigned?: boolean
  /** Clauses or rules that have to pass. */
  require?: readonly string[]
  /** When the client was ended from outside, ms since the epoch: what it waited for then, it has not given up. */
  stoppedAt?: number
  /** From when on it printed nothing until it ended with exit code 0, ms since the epoch; undefined where that is not known. */
  silentSince?: number
  /** Only one program uses the key; otherwise what looks hasty once may be two that ask for the same. */
  isAlone?: boolean
  /** The lowest level whose failure fails the grade; must by default. */
  level?: RuleLevel
  /** The rules of that date; the newest by default. */
  ruleSet?: RuleSet
  /** How late the timers of the machine that was called were at the most, ms. */
  lateMs?: number
}

export const defaultMaxPollTimeMs = 30 * 60_000
/** `seen` says how many there were. */
const maxFailed = 100
const maxPassed = 3
const maxChains = 100
const maxTries = 50

/** Reads the traffic once, and gives a verdict on each rule. */
export function grade(traffic: Iterable<Traffic>, options: GradeOptions): ConductReport {
  const { about, key, maxPollTimeMs = defaultMaxPollTimeMs, require = [], level = 'must', lateMs = 0 } = options
  const { ruleSet = newestRuleSet } = options
  const found = new Clients()
  for (const one of traffic) found.add(one)
  const all = found.all()
  const clients = key === undefined ? all : all.filter(client => isOf(client, key))
  const grading = {
    now: options.now ?? found.endedAt,
    stoppedAt: options.stoppedAt ?? Number.POSITIVE_INFINITY,
    silentSince: options.silentSince ?? Number.POSITIVE_INFINITY,
    isAlone: options.isAlone ?? false,
    maxPollTimeMs,
    unsigned: options.unsigned ?? false,
  }
  const results = rulesOfSet(ruleSet).map(rule => resultOf(rule, clients, grading, lateMs))
  const summary = countVerdicts(results)
  const missing = require.filter(name => !isRulePassed(results, name))
  const calls = sum(clients, ({ calls }) => calls.length)
  const webhooks = sum(clients, ({ webhooks: hooks }) => hooks.length)
  const nothing = calls + webhooks === 0
  const startedAt = Math.min(
    ...clients.flatMap(({ calls, webhooks: hooks }) => [calls[0], hooks[0]].flatMap(first => first?.at ?? [])),
  )
  return {
    schema_version: reportVersion,
    understudy: about.understudy,
    source: about.source,
    key: key ?? 'all',
    keys: clients.map(client => client.key).sort(),
    ...(!nothing && { started_at: new Date(startedAt).toISOString() }),
    calls,
    webhooks,
    paths: [...new Set(clients.flatMap(pathsOf))],
    ...(about.incomplete !== undefined && { incomplete: about.incomplete }),
    ok: !nothing && missing.length === 0 && !results.some(result => isFailing(result, level)),
    why: [
      nothing
        ? `nothing was seen: there is no call of ${key === undefined ? 'any key' : `the key ${key}`}`
        : `${summaryText(summary)}${shouldText(results, level)}`,
      ...(missing.length > 0 ? [`required, but not passed: ${missing.join(', ')}`] : []),
    ].join('; '),
    summary,
    required: { rules: [...require], missing },
    level,
    rule_set: ruleSet,
    late_ms: Math.round(lateMs),
    chains: clients.flatMap(client => client.chains.map(chain => chainOf(client, chain))).slice(0, maxChains),
    rules: results,
  }
}

/** Whether a result fails the grade: a "should" does only where that is asked for, and a failure that is expected never. */
export const isFailing = ({ verdict, level: own, expected }: RuleResult, level: RuleLevel): boolean =>
  verdict === 'failed' && expected !== true && (own === 'must' || level === 'should')

/** What of the failures does not fail the grade, as its rules are no "must". */
export function shouldText(results: readonly RuleResult[], level: RuleLevel): string {
  const mild = results.filter(one => one.verdict === 'failed' && one.expected !== true && !isFailing(one, level)).length
  return mild === 0 ? '' : ` (${mild} of them "should", which ${mild === 1 ? 'does' : 'do'} not fail the grade)`
}

const rulesOfSet = (set: RuleSet): ConductRule[] =>
  rules.filter(({ since }) => ruleSets.indexOf(since) <= ruleSets.indexOf(set))

const chainOf = ({ key }: Client, chain: Chain): ConductChain => ({
  key,
  call: callText(chain[0] as ClientCall),
  operation: chain[0]?.operation ?? null,
  tries: chain.slice(0, maxTries).map((call, i) => {
    const before = chain[i - 1]
    return {
      number: call.number,
      time: new Date(call.at).toISOString(),
      ms: Math.round(call.endedAt - call.at),
      outcome: outcome(call),
      ...(before !== undefined && { wait_ms: Math.round(waitAfter(before, call)) }),
      ...(call.retryAfterMs !== undefined && { asked_ms: Math.round(call.retryAfterMs) }),
    }
  }),
})

/** Whether a name is a rule, or a clause that a rule speaks of. */
export const isRuleOrClause = (name: string): boolean => ruleNames.has(name) || ruleNames.has(name.toUpperCase())
const ruleNames = new Set<string>(rules.flatMap(({ id, clauses }) => [id, ...clauses]))

/** Throws a ConfigError for a level or a rule set that there is not. */
export function checkRuleOptions({ level, rules: set }: { level?: RuleLevel; rules?: RuleSet }): void {
  if (level !== undefined && !ruleLevels.includes(level))
    throw new ConfigError(`The level is ${JSON.stringify(level)}; expected ${ruleLevels.join(' or ')}`)
  if (set !== undefined && !ruleSets.includes(set))
    throw new ConfigError(`There is no rule set ${JSON.stringify(set)}; expected one of ${ruleSets.join(', ')}`)
}

/** Whether it is a rule's name. */
export const isRule = (name: string): boolean => rules.some(({ id }) => id === name)

/** What is near to say where it is neither. */
export const namesOfRules = (): string[] => [...ruleNames]

/** The results of a rule, or of all rules that speak of a clause. */
export const resultsFor = (results: readonly RuleResult[], name: string): RuleResult[] =>
  results.filter(({ id, clauses }) => id === name || clauses.includes(name.toUpperCase()))

/** One of those passed, and none failed: what --require asks of a rule, or of a clause's rules. */
export function isRulePassed(results: readonly RuleResult[], name: string): boolean {
  const own = resultsFor(results, name)
  return own.some(({ verdict }) => verdict === 'passed') && own.every(({ verdict }) => verdict !== 'failed')
}

/** A key may have worlds of its own behind a slash (X-Mock-World). */
const isOf = (client: Client, key: string): boolean => client.key === key || client.key.startsWith(`${key}/`)

const sum = <T>(items: readonly T[], value: (item: T) => number): number =>
  items.reduce((total, item) => total + value(item), 0)

function resultOf(
  rule: ConductRule,
  clients: readonly Client[],
  grading: Parameters<ConductRule['judge']>[1],
  lateMs: number,
): RuleResult {
  const findings = clients.flatMap(client => rule.judge(client, grading).map(finding => ({ client, finding })))
  const broken = findings.filter(({ finding }) => !finding.kept)
  // What the harness was late by, the client may have waited.
  const failed = broken.filter(({ finding }) => (finding.missedByMs ?? Number.POSITIVE_INFINITY) > lateMs)
  const verdict: Verdict =
    failed.length > 0 ? 'failed' : broken.length > 0 ? 'inconclusive' : findings.length > 0 ? 'passed' : 'skipped'
  const shown =
    failed.length > 0
      ? failed.slice(0, maxFailed)
      : broken.length > 0
        ? broken.slice(0, maxFailed)
        : findings.slice(0, maxPassed)
  // What arose and can't be judged needs no provoking.
  const arose = verdict === 'skipped' ? clients.flatMap(client => rule.reason?.(client) ?? [])[0] : undefined
  const missing = clients.flatMap(client => rule.missing?.(client) ?? [])[0]
  return {
    id: rule.id,
    clause: rule.clauses[0],
    clauses: [...rule.clauses],
    level: rule.level,
    title: rule.title,
    verdict,
    seen: findings.length,
    ...(verdict === 'skipped' && { reason: rule.unseen ?? arose ?? missing ?? neverArose }),
    ...(verdict === 'inconclusive' && {
      fault: 'harness',
      reason: `a wait missed its limit by less than the ${Math.round(lateMs)} ms that the mock's own timers were late by; run it on a quieter machine`,
    }),
    ...(rule.tolerance !== undefined && { tolerance: rule.tolerance }),
    evidence: shown.map(({ client, finding }) => evidenceOf(client, finding)),
    advice: rule.advice,
    provoke: arose === undefined ? [...rule.provoke] : [],
  }
}

const evidenceOf = ({ key }: Client, { kept, said, facts }: RuleFinding): ConductEvidence => ({
  passed: kept,
  said,
  key,
  entries: [...facts].sort((a, b) => a.at - b.at || a.number - b.number).map(entryOf),
})

function entryOf(fact: ClientCall | ClientWebhook): EvidenceEntry {
  const requestId = fact.kind === 'call' ? fact.requestId : undefined
  return {
    number: fact.number,
    time: new Date(fact.at).toISOString(),
    ended: new Date(fact.endedAt).toISOString(),
    what: fact.kind === 'call' ? callLine(fact) : hookLine(fact),
    ...(requestId !== undefined && { request_id: requestId }),
    ...(fact.jobId !== undefined && { job_id: fact.jobId }),
  }
}

function callLine({ method, path, status, code, cut, retryAfterText, state }: ClientCall): string {
  const answer = status === 0 ? 'no answer' : [status, code].filter(Boolean).join(' ')
  const more = [
    ...(retryAfterText === undefined ? [] : [`Retry-After ${retryAfterText}`]),
    ...(state === undefined ? [] : [state]),
    ...(cut === undefined ? [] : [cutText(cut)]),
  ]
  return [`${method} ${path} → ${answer}`, ...more].join(', ')
}

const cutText = ({ by, how }: NonNullable<ClientCall['cut']>): string =>
  by === 'client' ? 'the client went away' : how === 'silence' ? 'the client was left waiting' : `cut (${how})`

const hookLine = ({ event, attempt, status, error, fault }: ClientWebhook): string =>
  [
    `webhook ${event}${attempt === undefined ? '' : `, try ${attempt}`} → ${status > 0 ? status : (error ?? 'no answer')}`,
    ...(fault === undefined ? [] : [fault.replaceAll('_', ' ')]),
  ].join(', ')

/** Every rule with its clause's sentence, for the docs. */
export const ruleTable = (): (Pick<ConductRule, 'id' | 'title' | 'provoke' | 'advice' | 'level' | 'since'> & {
  clauses: readonly ClauseId[]
  text: string
})[] =>
  rules.map(({ id, title, provoke, advice, level, since, clauses: ids }) => ({
    id,
    level,
    since,
    title,
    provoke,
    advice,
    clauses: ids,
    text: clauses[ids[0]].text,
  }))
