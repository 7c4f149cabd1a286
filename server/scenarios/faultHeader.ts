/**
 * X-Mock-Fault: a rule for one request, without a file. `rate_limited; retry_after=2` is an error with what a rule's
 * `then` says beside it; `truncated_body; after_bytes=10` a fault with its parameters; `delay=2s` neither.
 */

import { didYouMean } from '../../base/didYouMean.ts'
import { ScenarioError } from '../../client/scenarioError.ts'
import { thenFields } from '../../client/scenarioFormat.ts'
import { parse } from '../../contracts/answers.ts'
import { errorCases, errorCodes } from '../../contracts/errors.ts'
import type { OperationId } from '../../contracts/operations.ts'
import { faultNames, faults } from '../faults/index.ts'
import { compile } from './compile.ts'
import type { Scenario } from './compiledScenario.ts'
import { takeScenario } from './parse.ts'

const name = 'X-Mock-Fault'

/** The scenario that a header's text stands for, on a call of an operation. Throws a ScenarioError. */
export function faultOfHeader(text: string, route: OperationId): Scenario {
  try {
    const source = takeScenario({ rules: [{ name, when: { route }, then: thenOf(text) }] }, `${name}: ${text}`)
    return { ...compile(source.value, [], source.refuse), name }
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
  // A semicolon in quotes belongs to the text.
  const parts = (text.match(/(?:[^;"]|"[^"]*"?)+/g) ?? []).map(part => part.trim())
  if (parts.every(part => part === '')) refuse(text, 'is empty; expected an error, a fault, or what a rule does')
  const then: Record<string, unknown> = Object.create(null)
  const parameters = new Map<string, string>()
  for (const [i, part] of parts.entries()) {
    if (part === '') continue
    const equals = part.indexOf('=')
    if (equals >= 0) parameters.set(part.slice(0, equals).trim(), part.slice(equals + 1).trim())
    else if (i > 0) refuse(text, `${JSON.stringify(part)} has no value; expected name=value`)
    else if (errorNames.includes(part)) then.error = part
    else if (faultNames.includes(part)) then.fault = part
    else
      refuse(
        text,
        `${JSON.stringify(part)} is neither an error nor a fault${didYouMean(part, [...errorNames, ...faultNames]) || `; expected an error such as rate_limited, or one of ${faultNames.join(', ')}`}`,
      )
  }
  const own = typeof then.fault === 'string' ? Object.keys(faults[then.fault]?.params ?? {}) : []
  const isOwn = (parameter: string) => own.includes(parameter) || (own.length > 0 && !(parameter in thenFields))
  const given = [...parameters].filter(([parameter]) => isOwn(parameter)).map(([name, value]) => [name, valueIn(value)])
  if (given.length > 0) then.fault = { type: then.fault, ...Object.fromEntries(given) }
  for (const [parameter, value] of parameters) if (!isOwn(parameter)) then[parameter] = valueIn(value)
  return { ...then }
}

/** A number where it looks like one; what is in quotes is a text; what is in brackets is JSON. */
function valueIn(text: string): unknown {
  if (/^([{[]|null$)/.test(text)) {
    const json = parse(text)
    return json === undefined ? text : json
  }
  if (/^-?\d+(\.\d+)?$/.test(text)) return Number(text)
  return /^".*"$/.test(text) ? text.slice(1, -1) : text
}

function refuse(text: string, message: string): never {
  throw new ScenarioError([{ file: `${name}: ${text}`, line: undefined, column: undefined, field: '', message }])
}
