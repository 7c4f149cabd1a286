/** What is wrong with a scenario: where, what was found, what was expected, and what was perhaps meant. */

import { distance } from 'fastest-levenshtein'
import { ConfigError } from '../../base/options.ts'

export interface ScenarioProblem {
  /** Where in the document: ['rules', 0, 'when', 'route']. */
  path: readonly (string | number)[]
  message: string
  /** Whether it is about the field's name, and not about its value. */
  isName?: boolean
}

export interface PlacedProblem {
  file: string
  line: number | undefined
  column: number | undefined
  /** rules[0].when.route */
  field: string
  message: string
}

/** A scenario that can't be used. Nothing of it is loaded. */
export class ScenarioError extends ConfigError {
  readonly problems: readonly PlacedProblem[]

  /** As much as an envelope's message has room for. */
  get firstFew(): string {
    const more = this.problems.length - 2
    const texts = this.problems.slice(0, 2).map(problemText)
    return texts.join('; ') + (more > 0 ? `; and ${more} more, see \`understudy scenarios validate\`` : '')
  }

  constructor(problems: readonly PlacedProblem[]) {
    super(problems.map(problemText).join('\n'))
    this.problems = problems
  }
}

/** file:line:column: field: what is wrong */
export function problemText({ file, line, column, field, message }: PlacedProblem): string {
  const place = line === undefined ? file : `${file}:${line}:${column}`
  return `${place}: ${field === '' ? '' : `${field}: `}${message}`
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
