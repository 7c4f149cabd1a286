/**
 * X-Mock-Fault: a rule for one request, without a file. `rate_limited; retry_after=2` is an error with what a rule's
 * `then` says beside it; `truncated_body; after_bytes=10` a fault with its parameters; `delay=2s` neither.
 */
import { errorCases, errorCodes } from '../../contracts/errors.ts'
import type { OperationId } from '../../contracts/operations.ts'
import { faultNames, faults } from '../faults/index.ts'
import { compile, type Scenario } from './compile.ts'
import { thenFields } from './format.ts'
import { takeScenario } from './parse.ts'
import { didYouMean, ScenarioError } from './problems.ts'

const name = 'X-Mock-Fault'
/** Different texts that are remembered; a test uses few. */
const maxRemembered = 1_000
const remembered = new Map<string, Scenario>()

/** The scenario that a header's text stands for, on a call of an operation. Throws a ScenarioError. */
export function faultOfHeader(text: string, route: OperationId): Scenario {
  const id = `${route} ${text}`
  const known = remembered.get(id)
  if (known) return known
  const scenario = { ...read(text, route), name }
  if (remembered.size >= maxRemembered) remembered.clear()
  remembered.set(id, scenario)
  return scenario
}

function read(text: string, route: OperationId): Scenario {
  try {
    const source = takeScenario({ rules: [{ name, when: { route }, then: thenOf(text) }] }, `${name}: ${text}`)
    return compile(source.value, [], source.refuse)
  } catch (error) {
    if (!(error instanceof ScenarioError)) throw error
    // Of the rule that it is made to, the user knows nothing.
    throw new ScenarioError(
      error.problems.map(problem => ({ ...problem, field: problem.field.replace(/^rules\[0\]\.then\.?/, '') })),
    )
  }
}

const errorNames = [...Object.keys(errorCodes), ...Object.keys(errorCases)]

function thenOf(text: string): Record<string, unknown> {
  const parts = text.split(';').map(part => part.trim())
  const then: Record<string, unknown> = {}
  const parameters = new Map<string, unknown>()
  for (const [i, part] of parts.entries()) {
    if (part === '') continue
    const equals = part.indexOf('=')
    if (equals >= 0) parameters.set(part.slice(0, equals).trim(), parameterOf(part.slice(equals + 1).trim()))
    else if (i > 0) refuse(text, `${JSON.stringify(part)} has no value; expected name=value`)
    else if (errorNames.includes(part)) then.error = part
    else if (faultNames.includes(part)) then.fault = part
    else
      refuse(
        text,
        `${JSON.stringify(part)} is no error and no fault${didYouMean(part, [...errorNames, ...faultNames])}`,
      )
  }
  const own = typeof then.fault === 'string' ? Object.keys(faults[then.fault]?.params ?? {}) : []
  const isOwn = (parameter: string) => own.includes(parameter) || (own.length > 0 && !(parameter in thenFields))
  const given = [...parameters].filter(([parameter]) => isOwn(parameter))
  if (given.length > 0) then.fault = { type: then.fault, ...Object.fromEntries(given) }
  for (const [parameter, value] of parameters) if (!isOwn(parameter)) then[parameter] = value
  return then
}

/** A number where it looks like one; quotes are taken off. */
function parameterOf(text: string): unknown {
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  return /^".*"$/.test(text) ? text.slice(1, -1) : text
}

function refuse(text: string, message: string): never {
  throw new ScenarioError([{ file: `${name}: ${text}`, line: undefined, column: undefined, field: '', message }])
}
