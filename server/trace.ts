/** W3C Trace Context: what a request says of the trace that it belongs to, and what goes on from there. */
import { freshHex } from '../base/seed.ts'

/** One call of a trace: an exchange, or an attempt to deliver a webhook. */
export class TraceSpan {
  readonly traceId: string
  /** Of the caller's span; undefined for a trace that begins here. */
  readonly parentId: string | undefined
  /** Two digits: 01 is sampled. */
  readonly flags: string
  /** tracestate, as it came. */
  readonly state: string | undefined
  #spanId: string | undefined

  constructor(traceId: string, parentId: string | undefined, flags: string, state: string | undefined) {
    this.traceId = traceId
    this.parentId = parentId
    this.flags = flags
    this.state = state
  }

  /** Its own: most calls never need one. */
  get spanId(): string {
    this.#spanId ??= freshHex(8)
    return this.#spanId
  }

  /** What it calls in turn. */
  child(): TraceSpan {
    return new TraceSpan(this.traceId, this.spanId, this.flags, this.state)
  }

  /** The headers of a call that it is. */
  get headers(): Record<string, string> {
    const traceparent = `00-${this.traceId}-${this.spanId}-${this.flags}`
    return { traceparent, ...(this.state !== undefined && { tracestate: this.state }) }
  }
}

/** Where nobody has begun one. */
export const newTrace = (): TraceSpan => new TraceSpan(freshHex(16), undefined, '01', undefined)

const format = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const nothing = /^0+$/
/** Of the flags, those that level 2 knows: sampled, and whether the trace's id is random. */
const knownFlags = 0b11

/** Undefined for a traceparent that is none, as the standard has it; a version to come is read as far as this one goes. */
export function readTrace(traceparent: string, tracestate: string | undefined): TraceSpan | undefined {
  const [, version, traceId = '', parentId = '', flags = '', more] = format.exec(traceparent) ?? []
  if (version === undefined || version === 'ff' || (version === '00' && more !== undefined)) return undefined
  if (nothing.test(traceId) || nothing.test(parentId)) return undefined
  const known = (Number.parseInt(flags, 16) & knownFlags).toString(16).padStart(2, '0')
  return new TraceSpan(traceId, parentId, known, stateOf(tracestate))
}

/** So much of it is passed on; the standard asks for no more. */
const longestState = 512
const member = /^[a-z0-9][a-z0-9_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/

/** One that is broken is left out; the trace goes on without. */
function stateOf(tracestate: string | undefined): string | undefined {
  if (tracestate === undefined || tracestate.length > longestState) return undefined
  const members = tracestate
    .split(',')
    .map(one => one.trim())
    .filter(one => one !== '')
  return members.length > 0 && members.length <= 32 && members.every(one => member.test(one))
    ? members.join(',')
    : undefined
}
