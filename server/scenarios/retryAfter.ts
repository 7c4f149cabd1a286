/** What a rule's `retry_after` says: seconds, a date, a text that is neither, none at all, or several at once. */

import type { RetryAfterFormat, ThenFormat } from '../../client/scenarioFormat.ts'
import { msOf } from './format.ts'

type Part = { seconds: number } | { dateMs: number } | { text: string }

/** One header field for each; empty: there is none. */
export type RetryAfter = readonly Part[]

/** s. */
const longest = 1_000_000
/** What is waited where the header says nothing that can be waited for. s. */
const unsaid = 1

/** `problem` is what is wrong with it, in words. */
export function compileRetryAfter(given: ThenFormat['retry_after'], problem: (text: string) => void): RetryAfter {
  const parts = given === null || given === undefined ? [] : (Array.isArray(given) ? given : [given]).map(partOf)
  const tooLong = parts.some(part => 'seconds' in part && part.seconds > longest)
  if (tooLong) problem(`is more than ${longest} s`)
  return parts
}

function partOf(given: RetryAfterFormat): Part {
  if (typeof given === 'number') return { seconds: given }
  // Whole seconds; a fraction is rounded up, as waiting that long has to be enough (RL-2).
  if (typeof given === 'string') return { seconds: Math.ceil((msOf(given) as number) / 1000) }
  if ('text' in given) return given
  const isPast = given.date.startsWith('-')
  return { dateMs: (msOf(given.date.replace('-', '')) as number) * (isPast ? -1 : 1) }
}

/** The header's fields, at a time by the mock's clock (ms). */
export const retryAfterFields = (retryAfter: RetryAfter, now: number): string[] =>
  retryAfter.map(part => {
    if ('text' in part) return part.text
    if ('seconds' in part) return String(part.seconds)
    // A date has whole seconds too.
    return new Date(Math.ceil((now + part.dateMs) / 1000) * 1000).toUTCString()
  })

/** How long it asks to wait, in s: where it says several things, the shortest, as RateLimit must not go beyond it (RL-2). */
export function secondsAsked(retryAfter: RetryAfter): number {
  const waits = retryAfter.flatMap(part =>
    'text' in part ? [] : [Math.max(0, 'seconds' in part ? part.seconds : Math.ceil(part.dateMs / 1000))],
  )
  return waits.length === 0 ? unsaid : Math.min(...waits)
}

/** For `explain`. */
export function describeRetryAfter(retryAfter: RetryAfter): string {
  if (retryAfter.length === 0) return 'does not say when to come back'
  const said = retryAfter.map(part => {
    if ('text' in part) return JSON.stringify(part.text)
    if ('seconds' in part) return `in ${part.seconds} s`
    return `at the date of ${part.dateMs < 0 ? `${-part.dateMs / 1000} s ago` : `in ${part.dateMs / 1000} s`}`
  })
  return `says to come back ${said.join(' and ')}`
}
