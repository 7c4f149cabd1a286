import { ConfigError } from '../base/options.ts'
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
  override readonly name = 'ScenarioError'
  override readonly code = 'ERR_SCENARIO'
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
