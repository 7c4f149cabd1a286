/** The known name that somebody meant. */
import { distance } from 'fastest-levenshtein'

/** "; did you mean x?" where one of the known names is near enough. */
export function didYouMean(found: string, known: Iterable<string>): string {
  let best: { name: string; far: number } | undefined
  for (const name of known) {
    const far = distance(found.toLowerCase(), name.toLowerCase())
    if (far <= Math.max(2, name.length / 3) && far < (best?.far ?? Number.POSITIVE_INFINITY)) best = { name, far }
  }
  return best === undefined ? '' : `; did you mean ${best.name}?`
}
