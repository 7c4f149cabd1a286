/** Grades a client: each rule against what it did, and the report. */
import { type ClauseId, clauses } from '../contracts/clauses.ts'
import { countVerdicts, summaryText, type Verdict } from '../contracts/verdict.ts'
import type { Traffic } from '../recordings/traffic.ts'
import { reportVersion } from '../reports/document.ts'
import { type Client, type ClientCall, Clients, type ClientWebhook } from './client.ts'
import { type ConductEvidence, type ConductReport, type EvidenceEntry, neverArose, type RuleResult } from './report.ts'
import type { ConductRule, RuleFinding } from './rule.ts'
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
}

export const defaultMaxPollTimeMs = 30 * 60_000
/** `seen` says how many there were. */
const maxFailed = 100
const maxPassed = 3

/** Reads the traffic once, and gives a verdict on each rule. */
export function grade(traffic: Iterable<Traffic>, options: GradeOptions): ConductReport {
  const { about, key, maxPollTimeMs = defaultMaxPollTimeMs, require = [] } = options
  const found = new Clients()
  for (const one of traffic) found.add(one)
  const all = found.all()
  const clients = key === undefined ? all : all.filter(client => isOf(client, key))
  const grading = { now: options.now ?? found.endedAt, maxPollTimeMs, unsigned: options.unsigned ?? false }
  const results = rules.map(rule => resultOf(rule, clients, grading))
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
    ok: !nothing && summary.failed === 0 && missing.length === 0,
    why: [
      nothing
        ? `nothing was seen: there is no call of ${key === undefined ? 'any key' : `the key ${key}`}`
        : summaryText(summary),
      ...(missing.length > 0 ? [`required, but not passed: ${missing.join(', ')}`] : []),
    ].join('; '),
    summary,
    required: { rules: [...require], missing },
    rules: results,
  }
}

/** Whether a name is a rule, or a clause that a rule speaks of. */
export const isRuleOrClause = (name: string): boolean => ruleNames.has(name) || ruleNames.has(name.toUpperCase())
const ruleNames = new Set<string>(rules.flatMap(({ id, clauses }) => [id, ...clauses]))

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
): RuleResult {
  const findings = clients.flatMap(client => rule.judge(client, grading).map(finding => ({ client, finding })))
  const failed = findings.filter(({ finding }) => !finding.kept)
  const verdict: Verdict = failed.length > 0 ? 'failed' : findings.length > 0 ? 'passed' : 'skipped'
  const shown = failed.length > 0 ? failed.slice(0, maxFailed) : findings.slice(0, maxPassed)
  const reasons = clients.flatMap(client => rule.reason?.(client) ?? [])
  return {
    id: rule.id,
    clause: rule.clauses[0],
    clauses: [...rule.clauses],
    title: rule.title,
    verdict,
    seen: findings.length,
    ...(verdict === 'skipped' && { reason: rule.unseen ?? reasons[0] ?? neverArose }),
    evidence: shown.map(({ client, finding }) => evidenceOf(client, finding)),
    advice: rule.advice,
    provoke: [...rule.provoke],
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
    what: fact.kind === 'call' ? callLine(fact) : hookLine(fact),
    ...(requestId !== undefined && { request_id: requestId }),
    ...(fact.jobId !== undefined && { job_id: fact.jobId }),
  }
}

function callLine({ method, path, status, code, cut, retryAfterMs, state }: ClientCall): string {
  const answer = status === 0 ? 'no answer' : [status, code].filter(Boolean).join(' ')
  const more = [
    ...(retryAfterMs === undefined ? [] : [`Retry-After ${retryAfterMs / 1000}`]),
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
export const ruleTable = (): (Pick<ConductRule, 'id' | 'title' | 'provoke' | 'advice'> & {
  clauses: readonly ClauseId[]
  text: string
})[] =>
  rules.map(({ id, title, provoke, advice, clauses: ids }) => ({
    id,
    title,
    provoke,
    advice,
    clauses: ids,
    text: clauses[ids[0]].text,
  }))
