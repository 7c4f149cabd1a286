/** Durations as people write them: 500ms, 5s, 10m, 2h. */

/** A time: "500ms", "1.5s", "10m", "2h", "1d", or a number of milliseconds. */
export type Duration = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const unitsMs: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of a duration such as "500ms" or "1.5s"; undefined when it isn't one. */
export function parseDuration(text: string): number | undefined {
  const found = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text)
  return found ? Number(found[1]) * (unitsMs[found[2] as string] as number) : undefined
}
