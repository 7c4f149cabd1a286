/** Keeps what a replay has seen, without any secret, and gives the report. */

import { redactText, redactUrl } from '../base/redaction.ts'
import { plural, shortenText } from '../base/text.ts'
import { codeOf, requestIdOf } from '../contracts/judge.ts'
import type { Redact } from '../contracts/observedExchange.ts'
import { countVerdicts, type InconclusiveFault } from '../contracts/verdict.ts'
import type { RecordedCall } from '../recordings/traffic.ts'
import { reportVersion } from '../reports/document.ts'
import { inShort, type ReplayedResponse, type ResponseDifference } from './compare.ts'
import type { Pair } from './groups.ts'
import { routeName } from './plan.ts'
import type { Difference, NotSent, ReplayReport, Side } from './report.ts'

const maxDifferences = 1_000
const maxNotes = 100
const maxShown = 2_000

export type ReplayRunFacts = Omit<
  ReplayReport,
  | 'schema_version'
  | 'ok'
  | 'why'
  | 'summary'
  | 'sent'
  | 'repeated'
  | 'routes'
  | 'differences'
  | 'more_differences'
  | 'not_sent'
>

interface RouteCounts {
  sent: number
  differences: number
  notSent: number
  /** Why calls could not be sent; the target's own fault outweighs. */
  fault?: InconclusiveFault
}

export class ReplayLedger {
  readonly #redact: Redact
  readonly #routes = new Map<string, RouteCounts>()
  readonly #differences: Difference[] = []
  readonly #notSent: NotSent[] = []
  readonly #notes = new Map<string, { first: number; calls: number }>()
  #more = 0
  #notSentCount = 0
  sentSoFar = 0
  #repeated = 0
  #differing = new Set<number>()

  constructor(redact: Redact) {
    this.#redact = text => redact(text)
  }

  get differences(): number {
    return this.#differences.length + this.#more
  }

  sent(call: RecordedCall): void {
    this.sentSoFar++
    this.#route(call).sent++
  }

  repeated(_call: RecordedCall): void {
    this.#repeated++
  }

  lagged(call: RecordedCall, isOfJob: boolean): void {
    const ofJob = 'its job had not come as far as when it was recorded: it was asked for again until it had'
    this.note(call, isOfJob ? ofJob : 'the limit was used up by what was asked for more often: it was waited for')
  }

  note(call: RecordedCall, text: string): void {
    const known = this.#notes.get(text)
    if (known) known.calls++
    else if (this.#notes.size < maxNotes) this.#notes.set(text, { first: call.number, calls: 1 })
  }

  /** `fault`: the target never gave what the call needs, or the recording is not enough to send it. */
  notSent(call: RecordedCall, url: string, why: string, fault: InconclusiveFault): void {
    const route = this.#route(call)
    route.notSent++
    if (route.fault !== 'target') route.fault = fault
    this.#notSentCount++
    if (this.#notSent.length < maxDifferences)
      this.#notSent.push({
        call: call.number,
        route: routeName(call),
        request: { method: call.sent.method, url: this.#url(url) },
        why,
        fault,
      })
  }

  differs({ call, recorded, found }: Pair, { what, pointer, expected, found: now }: ResponseDifference): void {
    this.#route(call).differences++
    if (this.#differing.size < maxDifferences) this.#differing.add(call.number)
    if (this.#differences.length >= maxDifferences) {
      this.#more++
      return
    }
    this.#differences.push({
      call: call.number,
      route: routeName(call),
      request: { method: found.sent.method, url: this.#url(found.sent.url) },
      what,
      ...(pointer !== undefined && { pointer }),
      expected: this.#redact(expected),
      found: this.#redact(now),
      recorded: this.#side(recorded, call.requestId),
      answered: this.#side(found, undefined),
    })
  }

  report({ notes, ...about }: ReplayRunFacts): ReplayReport {
    const differences = this.#differences.toSorted((a, b) => a.call - b.call)
    const ok = this.differences === 0 && this.#notSentCount === 0 && about.complete
    const routes = [...this.#routes].map(routeResult)
    return {
      schema_version: reportVersion,
      ...about,
      ok,
      why: this.#why(about),
      summary: countVerdicts(routes),
      sent: this.sentSoFar,
      repeated: this.#repeated,
      routes,
      notes: [...notes, ...[...this.#notes].map(noteText)].map(this.#redact),
      differences,
      more_differences: this.#more,
      not_sent: this.#notSent,
    }
  }

  #why({ complete, calls }: Pick<ReplayRunFacts, 'complete' | 'calls'>): string {
    const sent = `${plural(this.sentSoFar, 'call')} sent again`
    const differing = this.#differing.size
    const parts = [
      ...(this.differences > 0
        ? [`${plural(this.differences, 'difference')} in ${plural(differing, 'call')}`]
        : [this.sentSoFar === 0 ? 'nothing was compared' : 'no difference']),
      ...(this.#notSentCount > 0 ? [`${plural(this.#notSentCount, 'call')} could not be sent`] : []),
      ...(complete ? [] : [`stopped before its end, of ${plural(calls, 'call')}`]),
    ]
    return `${sent}: ${parts.join('; ')}.`
  }

  #route(call: RecordedCall) {
    const name = routeName(call)
    let counts = this.#routes.get(name)
    if (counts === undefined) {
      counts = { sent: 0, differences: 0, notSent: 0 }
      this.#routes.set(name, counts)
    }
    return counts
  }

  #url(url: string): string {
    return this.#redact(redactUrl(url))
  }

  #side(answer: ReplayedResponse, recordedId: string | undefined): Side {
    const { status, headers, text, cut: ended } = answer
    const code = codeOf(answer)
    const id = recordedId ?? requestIdOf(answer) ?? headers['x-request-id']
    const type = headers['content-type']
    return {
      status,
      ...(code !== undefined && { code: this.#redact(code) }),
      ...(ended !== undefined && { cut: this.#redact(inShort(answer)) }),
      ...(type !== undefined && { content_type: this.#redact(type) }),
      ...(id !== undefined && { request_id: this.#redact(id) }),
      ...(text !== '' && { body: shortenText(this.#redact(redactText(text.slice(0, 8 * maxShown))), maxShown) }),
    }
  }
}

const noteText = ([text, { first, calls }]: [string, { first: number; calls: number }]): string =>
  calls === 1 ? `call ${first}: ${text}` : `call ${first} and ${calls - 1} more: ${text}`

/** A call that could not be sent proves nothing of its route. */
function routeResult([route, { sent, differences, notSent, fault }]: [
  string,
  RouteCounts,
]): ReplayReport['routes'][number] {
  const counts = { route, sent, differences, not_sent: notSent }
  if (differences > 0) return { ...counts, verdict: 'failed' }
  return fault === undefined ? { ...counts, verdict: 'passed' } : { ...counts, verdict: 'inconclusive', fault }
}
