/** Hears all observers, call by call, and makes the report. It keeps where evidence is, not the evidence. */

import { formatCount, plural } from '../../base/text.ts'
import { type Clause, type ClauseId, clauses } from '../../contracts/clauses.ts'
import { errorCodes } from '../../contracts/errors.ts'
import type { Evidence } from '../../contracts/evidence.ts'
import { codeOf } from '../../contracts/judge.ts'
import { exchangeOf, type ObservedExchange, type Redact } from '../../contracts/observedExchange.ts'
import { operations } from '../../contracts/operations.ts'
import { countVerdicts, summaryText, type Verdict } from '../../contracts/verdict.ts'
import type { Observed, RecordedWebhook } from '../../recordings/traffic.ts'
import { reportVersion } from '../../reports/document.ts'
import type { ClauseResult, Report } from '../report.ts'
import { isEvidence, requiredOf } from '../verdict.ts'
import { observers } from './index.ts'
import { own, TrafficLedger } from './ledger.ts'
import type { Observer, Watch } from './observer.ts'
import { reasons } from './reasons.ts'

export interface Filter {
  /** Clauses, observers or themes; all without any. */
  only?: readonly string[]
  skip?: readonly string[]
}

interface Kept {
  check: string
  index: number
  holds: boolean
  expected: string
  found: string
  pointer: string | undefined
}

/** Of a clause, or of an observer. */
class Tally {
  holds = 0
  broken = 0
  /** Answers that spoke for it or against it. */
  answers = 0
  against = 0
  #last = -1
  #lastAgainst = -1
  readonly kept: Kept[] = []
  readonly notes = new Set<string>()

  add(holds: boolean, index: number): void {
    if (holds) this.holds++
    else this.broken++
    if (index !== this.#last) this.answers++
    this.#last = index
    if (!holds && index !== this.#lastAgainst) this.against++
    if (!holds) this.#lastAgainst = index
  }

  get verdict(): Verdict {
    return this.broken > 0 ? 'failed' : this.holds > 0 ? 'passed' : 'skipped'
  }
}

const maxNotes = 10

export interface EvaluationFacts {
  understudy: string
  /** What was judged, and under which base URL. */
  target: string
  startedAt: string
  ms: number
  require?: readonly string[]
  redact: Redact
  /** What the second reading has found of the evidence. */
  exchanges: ReadonlyMap<number, ObservedExchange>
}

const themeOf = ({ id }: Observer): string => id.split('.')[1] as string

/** Every name that --only and --skip know. */
export const isFilterName = (name: string): boolean =>
  name === 'traffic' ||
  name.toUpperCase() in clauses ||
  observers.some(observer => observer.id === name || themeOf(observer) === name)

export class TrafficEvaluator {
  readonly #filter: Filter
  readonly #clauses = new Map<ClauseId, Tally>()
  readonly #checks = new Map<string, Tally>()
  readonly #codes = new Set<string>()
  readonly #observers: readonly Observer[]
  #watches: { observer: Observer; watch: Watch }[] = []
  #ledger = new TrafficLedger()
  #judged = 0
  #cut = 0
  #partial = 0

  constructor(filter: Filter = {}) {
    this.#filter = filter
    this.#observers = observers.filter(observer => observer.clauses.some(clause => this.#isMeant(observer, clause)))
    for (const { id } of this.#observers) this.#checks.set(id, new Tally())
    this.#begin()
  }

  call(exchange: Observed): void {
    if (exchange.isOurs) {
      const { call, isWhole, hasBody } = exchange
      if (call.cut !== undefined) this.#cut++
      else if (isWhole && !hasBody && call.operation !== undefined && operations[call.operation].tag !== 'files')
        this.#partial++
      if (isWhole) this.#judged++
      if (isWhole && hasBody && call.status >= 400 && call.operation !== undefined) this.#codes.add(codeOf(call) ?? '')
      this.#ledger.add(exchange)
    }
    for (const { observer, watch } of this.#watches)
      if (exchange.isOurs || observer.looksElsewhere) watch.call?.(exchange)
  }

  webhook(webhook: RecordedWebhook, index: number): void {
    for (const { watch } of this.#watches) watch.webhook?.(webhook, index)
  }

  /** Somebody changed the server by hand: nothing of before says anything of what follows. */
  forget(): void {
    this.end()
    this.#ledger = new TrafficLedger()
    this.#begin()
  }

  end(): void {
    for (const { watch } of this.#watches) watch.end?.()
  }

  /** The calls that evidence is needed of. */
  wanted(): Set<number> {
    return new Set([...this.#clauses.values()].flatMap(({ kept }) => kept.map(({ index }) => index)))
  }

  report(about: EvaluationFacts): Report {
    const { redact, startedAt, ms, target, understudy } = about
    const results = (Object.keys(clauses) as ClauseId[]).map(id => this.#clauseResult(id, about))
    const summary = countVerdicts(results)
    const required = requiredOf(about.require ?? [])
    const missing = required.filter(id => results.find(result => result.id === id)?.verdict !== 'passed')
    const bad = [
      ...(this.#observers.length === 0
        ? ['nothing was proved: no check was selected']
        : summary.passed + summary.failed === 0
          ? ['nothing was proved: nothing in the recording speaks of what was asked']
          : []),
      ...(missing.length > 0 ? [`required, but not passed: ${missing.join(', ')}`] : []),
    ]
    return {
      schema_version: reportVersion,
      understudy,
      target: redact(target),
      profile: 'safe',
      seed: 'none',
      started_at: startedAt,
      ms: Math.round(ms),
      complete: true,
      ok: summary.failed === 0 && bad.length === 0,
      why: [summaryText(summary), ...bad].join('; '),
      summary,
      spent: { requests: this.#judged, credits: 0, sent_bytes: 0 },
      required: { clauses: required, missing },
      extensions: [...this.#codes].filter(isExtension).sort().map(redact),
      clauses: results,
      checks: this.#observers.map(observer => this.#checkResult(observer)),
    }
  }

  #begin(): void {
    this.#watches = this.#observers.map(observer => ({
      observer,
      watch: observer.watch((index, ids, holds, expected, found, place = {}) => {
        const meant = [ids].flat().filter(id => this.#isMeant(observer, id))
        if (meant.length === 0) return
        this.#checks.get(observer.id)?.add(holds, index)
        for (const id of meant) {
          const tally = this.#clauses.get(id) ?? new Tally()
          this.#clauses.set(id, tally)
          tally.add(holds, index)
          if (place.note !== undefined && tally.notes.size < maxNotes) tally.notes.add(own(place.note))
          const kept = { check: observer.id, index, holds, expected, found, pointer: place.pointer }
          if (isEvidence(tally.kept, kept)) tally.kept.push({ ...kept, expected: own(expected), found: own(found) })
        }
      }, this.#ledger),
    }))
  }

  #isMeant(observer: Observer, clause: ClauseId): boolean {
    const { only = [], skip = [] } = this.#filter
    const isNamed = (name: string) =>
      name === 'traffic' || name === observer.id || name === themeOf(observer) || name.toUpperCase() === clause
    return (only.length === 0 || only.some(isNamed)) && !skip.some(isNamed)
  }

  #clauseResult(id: ClauseId, { redact, exchanges }: EvaluationFacts): ClauseResult {
    const { text, level, unseen }: Clause = clauses[id]
    const tally = this.#clauses.get(id) ?? new Tally()
    const { verdict } = tally
    const speaking = observers.filter(observer => observer.clauses.includes(id))
    const isLeftOut = speaking.length > 0 && !speaking.some(observer => this.#isMeant(observer, id))
    const kept = tally.kept.filter(({ holds }) => holds === (verdict === 'passed'))
    return {
      id,
      text,
      level,
      verdict,
      ...(verdict === 'skipped' && {
        reason: unseen ?? (isLeftOut ? 'it was left out by the filter' : reasons[id]),
        needs: [],
      }),
      notes: [...this.#counts(id, tally), ...[...tally.notes].map(redact)],
      checks: speaking.map(({ id }) => id),
      evidence: kept.map((one): Evidence => {
        const exchange = exchanges.get(one.index)
        return {
          check: one.check,
          passed: one.holds,
          expected: redact(one.expected),
          found: redact(one.found),
          ...(one.pointer !== undefined && { pointer: one.pointer }),
          ...(exchange && exchangeOf(exchange, redact)),
        }
      }),
    }
  }

  #counts(id: ClauseId, { verdict, answers, against }: Tally): string[] {
    const exchange = plural(answers, 'answer')
    return [
      ...(verdict === 'failed' ? [`contradicted by ${formatCount(against)} of ${exchange}`] : []),
      ...(id === 'ERR-1' && this.#cut > 0
        ? [`${calls(this.#cut)} cut off before a whole answer came: not judged`]
        : []),
      ...(id === 'ERR-1' && this.#partial > 0
        ? [`${calls(this.#partial)} recorded without the answer's body: judged by the rest`]
        : []),
    ]
  }

  #checkResult(observer: Observer): Report['checks'][number] {
    const { id, title, clauses: own } = observer
    const tally = this.#checks.get(id) ?? new Tally()
    const { verdict, answers } = tally
    const failed = own.filter(clause => this.#clauses.get(clause)?.kept.some(kept => kept.check === id && !kept.holds))
    return {
      id,
      title,
      clauses: [...own],
      verdict,
      ...(verdict === 'skipped' && { reason: 'nothing that it looks at is in the recording' }),
      ms: 0,
      requests: answers,
      ...(failed.length > 0 && { failed }),
    }
  }
}

const calls = (count: number): string => plural(count, 'call was', 'calls were')

/** ERR-2: a code that is no documented one. */
const isExtension = (code: string): boolean =>
  code !== '' && (errorCodes as Record<string, { documented: boolean }>)[code]?.documented !== true
