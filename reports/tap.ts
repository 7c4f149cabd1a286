import { stringify } from 'yaml'
import { oneLine, visible } from '../base/text.ts'
/** The points, and lines for people behind them. */
export function tapText(points: readonly TapPoint[], comments: readonly string[]): string {
  const lines = points.map(({ ok, name, skip, diagnostic }, i) => {
    const directive = skip === undefined ? '' : ` # SKIP ${safe(skip)}`
    return `${ok ? 'ok' : 'not ok'} ${i + 1} - ${safe(name)}${directive}\n${diagnostic ? yamlBlock(diagnostic) : ''}`
  })
  const ending = comments.map(comment => `# ${oneLine(comment)}\n`)
  return `TAP version 14\n1..${points.length}\n${lines.join('')}${ending.join('')}`
}

export interface TapPoint {
  ok: boolean
  name: string
  skip?: string
  diagnostic?: object
}

/** A description or a reason: # would start a directive, and { at the end a subtest. */
const safe = (text: string): string => oneLine(text).replace(/[\\#]/g, '\\$&').replace(/\{$/, '{…')

function yamlBlock(diagnostic: object): string {
  const shown = JSON.parse(JSON.stringify(diagnostic), (_, value) =>
    typeof value === 'string' ? visible(value) : value,
  ) as unknown
  const lines = stringify(shown, { lineWidth: 0 }).trimEnd().split('\n')
  return ['---', ...lines, '...'].map(line => (line === '' ? '\n' : `  ${line}\n`)).join('')
}
