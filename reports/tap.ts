/** TAP 14: a test point for each case. */
import { oneLine, visible } from '../base/text.ts'
import { loadYaml } from '../base/yaml.ts'
import { completeCases, type TestCase, type TestRun } from './testCase.ts'

/** The points, and lines for people after them. */
export function tapText(run: TestRun, comments: readonly string[] = []): string {
  const cases = completeCases(run)
  const lines = cases.map((one, i) => pointText(one, i + 1))
  const ending = [...comments, run.why].map(comment => `# ${oneLine(comment)}\n`)
  return `TAP version 14\n1..${cases.length}\n${lines.join('')}${ending.join('')}`
}

function pointText({ name, verdict, fault, message, details }: TestCase, number: number): string {
  if (verdict === 'passed') return `ok ${number} - ${safe(name)}\n`
  if (verdict === 'skipped') return `ok ${number} - ${safe(name)} # SKIP ${safe(message ?? '')}\n`
  return `not ok ${number} - ${safe(name)}\n${yamlBlock({ verdict, fault, message, ...details })}`
}

/** A description or a reason: # would start a directive, and { at the end a subtest. */
const safe = (text: string): string => oneLine(text).replace(/[\\#]/g, '\\$&').replace(/\{$/, '{…')

function yamlBlock(diagnostic: object): string {
  const shown = JSON.parse(JSON.stringify(diagnostic), (_, value) =>
    typeof value === 'string' ? visible(value) : value,
  ) as unknown
  const lines = loadYaml().stringify(shown, { lineWidth: 0 }).trimEnd().split('\n')
  return ['---', ...lines, '...'].map(line => (line === '' ? '\n' : `  ${line}\n`)).join('')
}
