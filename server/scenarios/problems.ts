/** What is wrong with a scenario: where, what was found, what was expected, and what was perhaps meant. */

import { distance } from 'fastest-levenshtein'

export interface ScenarioProblem {
  /** Where in the document: ['rules', 0, 'when', 'route']. */
  path: readonly (string | number)[]
  message: string
  /** Whether it is about the field's name, and not about its value. */
  isName?: boolean
}

/** rules[0].when.route */
export const fieldOf = (path: ScenarioProblem['path']): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : i === 0 ? part : `.${part}`)).join('')

/** "; did you mean x?" where one of the known names is near enough. */
export function didYouMean(found: string, known: Iterable<string>): string {
  let best: { name: string; far: number } | undefined
  for (const name of known) {
    const far = distance(found.toLowerCase(), name.toLowerCase())
    if (far <= Math.max(2, name.length / 3) && far < (best?.far ?? Number.POSITIVE_INFINITY)) best = { name, far }
  }
  return best === undefined ? '' : `; did you mean ${best.name}?`
}
