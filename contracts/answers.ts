/** Reading what an endpoint answered, whatever it is. */
import { shown } from './expectation.ts'
import type { ObservedExchange } from './observedExchange.ts'

export const isGood = ({ status }: ObservedExchange): boolean => status >= 200 && status < 300
export const isRefused = ({ status }: ObservedExchange): boolean => status >= 400 && status < 500

/** "429 rate_limited", for a report. */
export function describeResponse({ status, json }: ObservedExchange): string {
  const { error } = (json ?? {}) as { error?: { code?: unknown; message?: unknown } | null }
  const { code, message } = error ?? {}
  return [
    status,
    ...(typeof code === 'string' ? [code] : []),
    ...(typeof message === 'string' ? [shown(message)] : []),
  ].join(' ')
}

export const field = ({ json }: Pick<ObservedExchange, 'json'>, name: string): unknown =>
  typeof json === 'object' && json !== null ? (json as Record<string, unknown>)[name] : undefined

/** Deep equality; an endpoint may show more than it was given. */
export function isSame(given: unknown, found: unknown): boolean {
  if (typeof given !== 'object' || given === null) return given === found
  if (typeof found !== 'object' || found === null) return false
  return Object.entries(given).every(([name, value]) => isSame(value, (found as Record<string, unknown>)[name]))
}

/** undefined for what is not JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
