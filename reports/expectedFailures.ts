/**
 * A list of failures that are known, one a line, for conduct, rehearse and check: such a failure is shown and does not fail
 * the run. One that passes fails it, so that the list never outlives what it excuses.
 */
import { readFileSync } from 'node:fs'
import { textSchema, textsSchema } from '../base/jsonSchema.ts'
import { ConfigError, noDefault, type Option, text } from '../base/options.ts'
import { oneLine, plural, shorten } from '../base/text.ts'

/** What a report says of the list. */
export const expectedSchema = {
  type: 'object',
  description: 'What --expected-failures listed: what of it failed, and what passed and has to be taken out.',
  required: ['file', 'failed', 'passed'],
  additionalProperties: false,
  properties: { file: textSchema, failed: textsSchema, passed: textsSchema },
} as const

export const expectedFailuresOption = {
  argument: '<file>',
  description: 'file of known failures, one a line: they are shown and fail nothing; one that passes does',
  defaultText: 'none',
  default: noDefault,
  parse: text('a file'),
} as const satisfies Option<string | undefined>

export interface ExpectedFailure {
  /** A rule, a clause or a check. */
  name: string
  /** The scenario in which it fails; undefined: wherever it does. */
  scenario: string | undefined
  line: number
}

export interface ExpectedFailures {
  file: string
  lines: readonly ExpectedFailure[]
}

/** What may be listed. */
export interface Expectable {
  /** The name as reports write it; undefined for what is none. */
  nameOf: (name: string) => string | undefined
  /** "a rule such as errors.retried" */
  expected: string
  /** Whether a line may begin with a scenario. */
  hasScenarios?: boolean
}

/**
 * Reads the list: `name`, or `scenario name`, one a line; what follows a # is a comment. Throws a ConfigError with the line
 * for a file that can't be read, a name that is unknown, and one that is listed twice.
 */
export function readExpectedFailures(file: string, { nameOf, expected, hasScenarios }: Expectable): ExpectedFailures {
  const lines: ExpectedFailure[] = []
  for (const [i, text] of textOf(file).split(/\r?\n/).entries()) {
    const words = text
      .replace(/(^|\s)#.*$/, '')
      .split(/\s+/)
      .filter(Boolean)
    if (words.length === 0) continue
    const refuse = (why: string): never => {
      throw new ConfigError(`--expected-failures ${file}:${i + 1}: ${why}`)
    }
    const form = hasScenarios ? `"${'scenario'} ${'rule'}", or the rule alone` : 'one name a line'
    if (words.length > (hasScenarios ? 2 : 1))
      refuse(`is ${JSON.stringify(shorten(oneLine(text), 200))}; expected ${form}, and a # before a comment`)
    const given = words.at(-1) as string
    const name = nameOf(given) ?? refuse(`${JSON.stringify(shorten(given, 100))} is unknown; expected ${expected}`)
    const scenario = words.length > 1 ? words[0] : undefined
    const same = lines.find(other => other.name === name && other.scenario === scenario)
    if (same !== undefined) refuse(`names ${given} again, as line ${same.line} does; remove this line`)
    lines.push({ name, scenario, line: i + 1 })
  }
  return { file, lines }
}

function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`--expected-failures ${file} can't be read: ${(error as Error).message}`)
  }
}

/** A result by its name, and by its scenario where there are several. */
export interface Settled {
  name: string
  scenario?: string
  verdict: 'passed' | 'failed' | 'skipped' | 'inconclusive'
}

/** What the list says of the results: which failures it excuses, and which of its lines excuse nothing any more. */
export function settleExpected({ file, lines }: ExpectedFailures, results: readonly Settled[]) {
  const isMeant = (line: ExpectedFailure, { name, scenario }: Settled) =>
    line.name === name && (line.scenario === undefined || line.scenario === scenario)
  const failed = lines.filter(line => results.some(one => isMeant(line, one) && one.verdict === 'failed'))
  const passed = lines.filter(
    line => !failed.includes(line) && results.some(one => isMeant(line, one) && one.verdict === 'passed'),
  )
  const textOfLine = ({ scenario, name }: ExpectedFailure) => (scenario === undefined ? name : `${scenario} ${name}`)
  return {
    isExpected: (one: Settled): boolean => lines.some(line => isMeant(line, one)),
    report: { file, failed: failed.map(textOfLine), passed: passed.map(textOfLine) },
    /** Why the run is not green, of lines that passed. */
    problems: passed.map(
      line => `${textOfLine(line)} passed, though ${file}:${line.line} expects it to fail: remove this line`,
    ),
    /** "2 failed as expected" */
    note: failed.length === 0 ? [] : [`${plural(failed.length, 'failure')} expected`],
  }
}
