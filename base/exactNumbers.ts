/**
 * Numbers that JavaScript would round, such as ids of 64 bits in a caller's metadata. They are carried as marked texts
 * from where a body is parsed to where an answer, a webhook or a snapshot is written, and are numbers again there.
 */

/** A private character, that no text of a client has. */
const mark = '\u{e0f1}'
const marked = new RegExp(`"${mark}([^"]*)${mark}"`, 'g')
/** A string, which is passed over, or a number. */
const token = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g

/** Parsed JSON, and its text: each `metadata` in it, at any depth, gets its long numbers back. */
export function keepExact(parsed: unknown, text: string): void {
  if (!/[\d.]{16}|\d[eE]/.test(text)) return
  let isNeeded = false
  const kept = text.replace(token, found => {
    if (found.startsWith('"') || isExact(found)) return found
    isNeeded = true
    return `"${mark}${found}${mark}"`
  })
  if (isNeeded) graft(parsed, JSON.parse(kept))
}

/** JSON that is about to leave, with its numbers as they came. */
export const withExact = (json: string): string => (json.includes(mark) ? json.replace(marked, '$1') : json)

/** Whether a number is still the same when JavaScript has read and written it. */
function isExact(text: string): boolean {
  const value = Number(text)
  if (!Number.isFinite(value)) return false
  return digitsOf(String(value)) === digitsOf(text)
}

/** Sign, digits and exponent, alike for 1.10, 1.1 and 11e-1. */
function digitsOf(text: string): string {
  const [, sign = '', whole = '', fraction = '', power = '0'] =
    /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/.exec(text) ?? []
  const digits = (whole + fraction).replace(/^0+/, '')
  const trimmed = digits.replace(/0+$/, '')
  if (trimmed === '') return '0'
  return `${sign}${trimmed}e${Number(power) - fraction.length + digits.length - trimmed.length}`
}

function graft(parsed: unknown, exact: unknown): void {
  if (typeof parsed !== 'object' || parsed === null || typeof exact !== 'object' || exact === null) return
  const [to, from] = [parsed as Record<string, unknown>, exact as Record<string, unknown>]
  for (const key of Object.keys(to)) {
    if (key === 'metadata') to[key] = from[key]
    else graft(to[key], from[key])
  }
}
