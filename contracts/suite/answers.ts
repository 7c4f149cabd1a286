/** Reading what an endpoint answered, whatever it is. */
import { shown } from '../expectation.ts'
import type { Seen } from './seen.ts'

export const isGood = ({ status }: Seen): boolean => status >= 200 && status < 300
export const isRefused = ({ status }: Seen): boolean => status >= 400 && status < 500

/** "429 rate_limited", for a report. */
export function saidBy({ status, json }: Seen): string {
  const { error } = (json ?? {}) as { error?: { code?: unknown; message?: unknown } | null }
  const { code, message } = error ?? {}
  return [
    status,
    ...(typeof code === 'string' ? [code] : []),
    ...(typeof message === 'string' ? [shown(message)] : []),
  ].join(' ')
}

export const field = ({ json }: Pick<Seen, 'json'>, name: string): unknown =>
  typeof json === 'object' && json !== null ? (json as Record<string, unknown>)[name] : undefined

/** Deep equality; an endpoint may show more than it was given. */
export function isSame(given: unknown, found: unknown): boolean {
  if (typeof given !== 'object' || given === null) return given === found
  if (typeof found !== 'object' || found === null) return false
  return Object.entries(given).every(([name, value]) => isSame(value, (found as Record<string, unknown>)[name]))
}

/** undefined for what is no JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
