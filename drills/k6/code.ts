/** Small pieces of JavaScript as text. */

/** A string literal, in single quotes where that needs no escapes. */
export const quoted = (text: string): string => (/^[ -&(-[\]-~]*$/.test(text) ? `'${text}'` : JSON.stringify(text))

/** A time as k6 writes it. */
export const timeOf = (ms: number): string => `'${ms % 1000 === 0 ? `${ms / 1000}s` : `${ms}ms`}'`

/** A number as k6's thresholds and Go's durations take it: without an exponent, and without the dust of binary fractions. */
export function decimal(value: number): string {
  const text = String(Number(value.toPrecision(12)))
  return text.includes('e') ? value.toFixed(12).replace(/\.?0+$/, '') : text
}

/** A name of a property. */
export const property = (name: string): string => (/^[a-zA-Z_]\w*$/.test(name) ? name : quoted(name))

/** k6 takes whole rates only: 7.1 a second are 71 in ten. */
export function rateOf(perSecond: number): { rate: number; timeUnit: string } {
  for (const seconds of [1, 10, 100, 1_000, 10_000]) {
    const rate = Math.round(perSecond * seconds)
    if (rate > 0 && Math.abs(rate / seconds - perSecond) < 1e-9 * perSecond) return { rate, timeUnit: `${seconds}s` }
  }
  return { rate: Math.max(1, Math.round(perSecond * 10_000)), timeUnit: '10000s' }
}

/** Lines of an array or a call, each moved in by so many spaces. */
export const indented = (text: string, spaces: number): string =>
  text
    .split('\n')
    .map(line => (line === '' ? line : ' '.repeat(spaces) + line))
    .join('\n')
