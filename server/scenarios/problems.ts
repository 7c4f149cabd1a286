/** What is wrong with a scenario: where, what was found, what was expected, and what was perhaps meant. */

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
