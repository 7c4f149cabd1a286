/** How many days an answer has rows of, whatever the rows are called. */

const date = /^\d{4}-\d{2}-\d{2}/
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** The most dates that one list or table in a JSON value has: rows with a date in them, or fields that are named by one. */
export function datesIn(json: unknown): number {
  if (!isObject(json)) return 0
  const values = Object.values(json)
  const own = Array.isArray(json) ? values.flatMap(dateOf) : Object.keys(json).filter(name => date.test(name))
  return Math.max(new Set(own.map(text => text.slice(0, 10))).size, ...values.map(datesIn))
}

/** The first date in a row: its own. */
function dateOf(row: unknown): string[] {
  const texts = isObject(row) ? Object.values(row) : [row]
  const found = texts.find((value): value is string => typeof value === 'string' && date.test(value))
  return found === undefined ? [] : [found]
}
