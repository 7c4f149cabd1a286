/** Each number is written here and nowhere else, so that the console, the page and the job summary show the same one. */
import { formatCount, formatDuration, formatSize } from '../../base/text.ts'
import type { ThresholdResult, Unit } from '../report.ts'

/** What stands for a number that is not there. */
export const noNumber = '–'

/** About three digits that count: 0.42, 4.21, 42.1, 421, 4,210. */
export function number(value: number): string {
  const digits = Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : 2
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** Of a column that says ms in its head; null where nothing was measured. */
export const cell = (ms: number | null | undefined): string => (ms == null ? noNumber : number(ms))

/** "4.21 ms", and "12.3 s" from ten seconds on. */
export function millis(ms: number | null | undefined): string {
  if (ms == null) return noNumber
  return Math.abs(ms) < 9999.5
    ? `${number(ms)} ms`
    : Math.abs(ms) < 60_000
      ? `${number(ms / 1000)} s`
      : formatDuration(ms)
}

/** A moment of the drill, from its start: "12.3 s", "2 min 5 s". */
export const moment = (ms: number): string => (ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : formatDuration(ms))

/** "99.8/s" */
export const rate = (perSecond: number): string => `${bare(perSecond)}/s`

/** "1.23 %". What is not nothing is never 0 %, and what is not all is never 100 %. */
export function percent(value: number): string {
  if (value > 0 && value < 0.01) return '<0.01 %'
  if (value < 100 && value > 99.99) return '>99.99 %'
  return `${Number.isInteger(value) ? value : value > 99 ? value.toFixed(2) : number(value)} %`
}

/** The share that `part` is of `whole`; of nothing there is none. */
export const share = (part: number, whole: number): string => (whole === 0 ? noNumber : percent((100 * part) / whole))

/** A count as it is, anything between in three digits. */
export const bare = (value: number): string => (Number.isInteger(value) ? formatCount(value) : number(value))

/** "1.23×" */
export const ratio = (value: number | null): string =>
  value === null ? noNumber : `${value > 0 && value < 0.1 ? value.toPrecision(2) : number(value)}×`

/** A number with its unit, as a metric has it. */
export function inUnit(value: number | null | undefined, unit: Unit): string {
  if (value == null) return noNumber
  if (unit === 'ms') return millis(value)
  if (unit === '%') return percent(value)
  if (unit === '/s') return rate(value)
  return unit === 'x' ? ratio(value) : bare(value)
}

/** What a threshold found: with more digits where it would look like the limit that it is not. */
export function found({ found, limit, unit }: Pick<ThresholdResult, 'found' | 'limit' | 'unit'>): string {
  const text = inUnit(found, unit)
  if (found === null || found === limit || text !== inUnit(limit, unit)) return text
  return `${found.toLocaleString('en-US', { maximumFractionDigits: 6 })}${unit === '' || unit === '/s' ? '' : ' '}${unit}`
}

/** A gauge is in whatever unit the server has; bytes are read as such. */
export function gauge(value: number | null | undefined, unit: string): string {
  if (value == null) return noNumber
  if (/^bytes?$/i.test(unit)) return formatSize(Math.round(value))
  if (unit === 'ms' || unit === '%') return inUnit(value, unit)
  return unit === '' ? bare(value) : `${bare(value)} ${unit}`
}

/** A number of which it is only known that it has a unit: a metric's or a gauge's. */
export function anyUnit(value: number | null, unit: string): string {
  if (value !== null && unit === '/s') return rate(value)
  return value !== null && unit === 'x' ? ratio(value) : gauge(value, unit)
}
