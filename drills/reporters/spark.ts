/** How a number went over time, on one line of a terminal. */

const levels = '▁▂▃▄▅▆▇█'

/** A sign per value: · is nothing, █ the highest, a space what is null. More values than `width` are put together, by the highest. */
export function spark(values: readonly (number | null)[], width: number): string {
  const columns = Math.min(width, values.length)
  const highest = values.reduce<number>((high, value) => Math.max(high, value ?? 0), 0)
  const signs = Array.from({ length: columns }, (_, i) => {
    const from = Math.floor((i * values.length) / columns)
    const to = Math.floor(((i + 1) * values.length) / columns)
    const found = values.slice(from, to).filter(value => value !== null)
    if (found.length === 0) return ' '
    const value = found.reduce((a, b) => Math.max(a, b))
    return value === 0 ? '·' : (levels[Math.min(7, Math.floor((value / highest) * 8))] ?? ' ')
  })
  return signs.join('')
}
