/**
 * Text as people may be shown it. What an endpoint answers is hostile until proven otherwise: it may hold terminal
 * escapes, invisible signs or a megabyte on one line.
 */

/** Signs that act instead of showing: controls, formats such as bidi overrides, lone surrogates, unassigned, separators. No line break: each line of JSON has one. */
const acting = /[^\P{C}\n]|[\p{Zl}\p{Zp}]/gu

/** The text with every sign that acts written as an escape (\x1b, \u202e); line breaks and tabs stay. */
export const visible = (text: string): string =>
  text.replaceAll('\r\n', '\n').replace(acting, sign => (sign === '\t' ? sign : escaped(sign)))

/** The same on one line. */
export const oneLine = (text: string): string => visible(text).replace(/\s+/g, ' ').trim()

/** JSON that holds the very same values, with every sign that acts escaped. */
export const formatJson = (value: unknown, indent = 2): string =>
  `${JSON.stringify(value, null, indent).replace(acting, unicodeEscapes)}\n`

/** A value of JSON as a text. String() and Number() would call a `toString` that others sent, which may be no function. */
export const jsonValueText = (value: unknown): string =>
  typeof value === 'object' ? JSON.stringify(value) : String(value)

/** At most `length` characters, the last of them … where some are left out. */
export function shorten(text: string, length: number): string {
  if (text.length <= length) return text
  const end = length - 1
  return `${text.slice(0, isHighSurrogate(text.charCodeAt(end - 1)) ? end - 1 : end)}…`
}

/** The same, telling how much was left out. */
export function shortenText(text: string, length: number): string {
  const start = shorten(text, length)
  return start === text ? text : `${start} (${formatCount(text.length - start.length + 1)} more characters)`
}

/** Lines of at most `width` characters, broken at spaces where there are any; line breaks stay. */
export const wrap = (text: string, width: number): string[] => text.split('\n').flatMap(line => wrapLine(line, width))

/** 1234567 as 1,234,567. */
export const formatCount = (value: number): string => value.toLocaleString('en-US')

/** "1 request", "2 requests"; `many` where that is not just an s: "3 entries". */
export const plural = (value: number, what: string, many = `${what}s`): string =>
  `${formatCount(value)} ${value === 1 ? what : many}`

export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`
  return `${Math.floor(ms / 60_000)} min ${Math.floor((ms % 60_000) / 1000)} s`
}

export function formatSize(bytes: number): string {
  if (bytes < 1000) return plural(bytes, 'byte')
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`
}

function escaped(sign: string): string {
  const code = sign.codePointAt(0) ?? 0
  const hex = code.toString(16)
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`
  return code > 0xffff ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`
}

function unicodeEscapes(sign: string): string {
  const units = Array.from({ length: sign.length }, (_, i) => sign.charCodeAt(i))
  return units.map(unit => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}

function wrapLine(line: string, width: number): string[] {
  const lines: string[] = []
  let rest = line
  while (rest.length > width) {
    const space = rest.lastIndexOf(' ', width)
    const end = space > 0 ? space : width - (isHighSurrogate(rest.charCodeAt(width - 1)) ? 1 : 0)
    lines.push(rest.slice(0, end))
    rest = rest.slice(space > 0 ? end + 1 : end)
  }
  return [...lines, rest]
}

const isHighSurrogate = (unit: number): boolean => unit >= 0xd800 && unit <= 0xdbff

/** A date and time, UTC, in a form that every file system takes: 2026-11-24T10-44-32. */
export const fileDate = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replaceAll(':', '-')
