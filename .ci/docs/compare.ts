/** Whether an output is the one that a page shows, apart from what differs in every run. */

/** Ids, times, seeds, ports and durations, each by a text that is the same in every run. */
export const normalise = (text: string): string =>
  text
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours of a terminal
    .replace(/\x1b\[[0-9;]*m/g, '')
    .replace(/\b(req|job|vid|whd)_[a-z0-9]+(_[a-z0-9]+)?\b/g, '$1_ID')
    .replace(/\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?(Z| UTC)?/g, 'TIME')
    .replace(/\b\d\d:\d\d:\d\d(\.\d+)?\b/g, 'TIME')
    .replace(/\b1[6-9]\d{8}\b/g, 'EPOCH')
    .replace(/(seed[":= ]+)[\w-]+/g, '$1SEED')
    .replace(/(127\.0\.0\.1|localhost):\d{4,5}\b/g, '$1:PORT')
    .replace(/\bcurl\/[\d.]+/g, 'curl/VERSION')
    .replace(/\bunderstudy(-mock)? \d+\.\d+\.\d+\S*/g, 'understudy VERSION')
    .replace(/("[a-z_]*ms"|\bms|# time): ?=?\d+(\.\d+)?/g, '$1:N')
    .replace(/\b\d[\d,]*(\.\d+)? (ms|µs)\b/g, 'N ms')
    .replace(/\b\d+\.\d+ s\b/g, 'N s')
    .replace(/[ \t]+$/gm, '')

/** The first line of what is shown that the output does not have, or undefined. A line `…` stands for any lines. */
export function missingLine(shown: readonly string[], output: string): number | undefined {
  const found = normalise(output).trimEnd().split('\n')
  // The furthest line of the page that was reached says where they part.
  let furthest = 0
  const fits = (i: number, k: number): boolean => {
    furthest = Math.max(furthest, i)
    if (i === wanted.length) return k === found.length
    if (wanted[i]?.trim() === '…') {
      for (let next = k; next <= found.length; next++) if (fits(i + 1, next)) return true
      return false
    }
    return k < found.length && isLine(wanted[i] as string, found[k] as string) && fits(i + 1, k + 1)
  }
  const wanted = normalise(shown.join('\n')).trimEnd().split('\n')
  return fits(0, 0) ? undefined : Math.min(furthest, wanted.length - 1)
}

/** `…` inside a line stands for any text. */
function isLine(wanted: string, found: string): boolean {
  const parts = wanted.split('…').map(part => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
  return new RegExp(`^${parts.join('.*')}$`).test(found)
}
