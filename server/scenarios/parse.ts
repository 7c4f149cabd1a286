/** From a scenario's text to a value that fits the format, or to problems with their lines and columns. */

import type * as Yaml from 'yaml'
import { didYouMean } from '../../base/didYouMean.ts'
import { formatCount } from '../../base/text.ts'
import { loadYaml } from '../../base/yaml.ts'
import { ScenarioError } from '../../client/scenarioError.ts'
import type { ScenarioFile } from '../../client/scenarioFormat.ts'
import { expectationOf, shown } from '../../contracts/expectation.ts'
import { scenarioSchema } from './format.ts'
import { fieldOf, type ScenarioProblem } from './problems.ts'
import { type SchemaError, schemaErrors } from './schemaErrors.ts'

/** A scenario file may have this many bytes. */
export const maxScenarioBytes = 256 * 1024
/** A scenario needs eight levels. Deeper text is refused before a parser, which recurses, sees it. */
const maxDepth = 32
/** Aliases may be used, but not to blow a small file up. */
const maxAliases = 100
/** A scenario may have this many values: a thousand rules have some ten thousand. */
const maxValues = 50_000
/** More problems than this help nobody. */
const maxProblems = 20
/** So many are looked for in the text, before the first of them are told. */
const maxPlaced = 200

/** A scenario as written, and where in its text each part of it is. */
export interface Source {
  value: ScenarioFile
  /** What is wrong with it, placed in its text; nothing is thrown for none. */
  refuse: (problems: readonly ScenarioProblem[]) => void
}

/** Parses YAML (JSON is YAML too). Throws a ScenarioError. */
export function parseScenario(text: string, file: string): Source {
  const { parseDocument, LineCounter, isAlias, visit } = loadYaml()
  const lines = new LineCounter()
  const at = (offset: number | undefined, message: string, field = '') => {
    const { line, col } = offset === undefined ? { line: 1, col: 1 } : lines.linePos(offset)
    return { file, line, column: col, field, message }
  }
  if (Buffer.byteLength(text) > maxScenarioBytes) {
    throw new ScenarioError([at(undefined, `has more than ${maxScenarioBytes} bytes; expected a small file`)])
  }
  const deepAt = tooDeepAt(text)
  if (deepAt !== undefined)
    throw new ScenarioError([{ file, ...deepAt, field: '', message: `is nested deeper than ${maxDepth} levels` }])
  let document: Yaml.Document.Parsed | undefined
  let raw: unknown
  try {
    // The parser compares each key of a map with all others; here they are counted.
    document = parseDocument(text, { lineCounter: lines, prettyErrors: false, merge: false, uniqueKeys: false })
    const [broken] = document.errors
    if (broken?.message.includes('call stack')) throw new RangeError(broken.message)
    if (broken) throw new ScenarioError([at(broken.pos[0], `not valid YAML: ${broken.message}`)])
    visit(document, {
      Map: (_key, { items }) => {
        const twice = firstTwice(items as Yaml.Pair<Yaml.Scalar.Parsed>[])
        if (twice) throw new ScenarioError([at(twice.range[0], `not valid YAML: there are two fields ${twice.value}`)])
      },
    })
    raw = document.toJS({ maxAliasCount: maxAliases })
  } catch (error) {
    if (error instanceof ScenarioError) throw error
    let offset: number | undefined
    // Nested too deep to be read may be nested too deep to be walked.
    if (error instanceof ReferenceError) {
      visit(document ?? null, (_key, node) => {
        if (!isAlias(node)) return undefined
        offset = node.range?.[0]
        return visit.BREAK
      })
    }
    const why = error instanceof RangeError ? 'is nested too deep' : (error as Error).message
    throw new ScenarioError([at(offset, `can't be read: ${why}`)])
  }
  const refuse = (problems: readonly ScenarioProblem[]): void => {
    if (problems.length === 0) return
    const placed = problems.slice(0, maxPlaced).map(({ path, message, isName }) => {
      const offset = offsetOf(document as Yaml.Document.Parsed, path, isName ?? false) ?? 0
      return { offset, problem: at(offset, message, fieldOf(path)) }
    })
    placed.sort((a, b) => a.offset - b.offset)
    throw new ScenarioError(placed.slice(0, maxProblems).map(({ problem }) => problem))
  }
  if (raw === null) throw new ScenarioError([at(undefined, 'is empty; expected a scenario, such as rules: [...]')])
  refuse(problemsOf(raw))
  return { value: raw as ScenarioFile, refuse }
}

/**
 * Where a text is nested deeper than any scenario, by what opens a level in YAML: brackets, indentation, and marks of lists
 * and keys in a row. Texts in quotes are counted too: nobody writes 32 brackets into one.
 */
function tooDeepAt(text: string): { line: number; column: number } | undefined {
  let brackets = 0
  const indents: number[] = []
  for (const [i, line] of text.split('\n').entries()) {
    const indent = line.length - line.trimStart().length
    if (indent < line.length) {
      while (indents.length > 0 && (indents.at(-1) as number) >= indent) indents.pop()
      indents.push(indent)
    }
    const marks = /^\s*((?:[-?:]\s+)*)/.exec(line)?.[1]?.replace(/\s/g, '').length ?? 0
    for (let column = 0; column < line.length; column++) {
      const char = line[column]
      if (char === '[' || char === '{') brackets++
      else if ((char === ']' || char === '}') && brackets > 0) brackets--
      if (brackets > maxDepth) return { line: i + 1, column: column + 1 }
    }
    if (brackets + indents.length + marks > maxDepth) return { line: i + 1, column: indent + 1 }
  }
  return undefined
}

/** The first key of a map that another one has had before. */
function firstTwice(pairs: readonly Yaml.Pair<Yaml.Scalar.Parsed>[]): Yaml.Scalar.Parsed | undefined {
  const seen = new Set<unknown>()
  for (const { key } of pairs) {
    if (key?.value === undefined) continue
    if (seen.has(key.value)) return key
    seen.add(key.value)
  }
  return undefined
}

/** The same for a value that has no text, such as a test's own or the body of a request. */
export function takeScenario(value: unknown, name: string): Source {
  const refuse = (problems: readonly ScenarioProblem[]): void => {
    if (problems.length === 0) return
    const unplaced = { file: name, line: undefined, column: undefined }
    throw new ScenarioError(
      problems.slice(0, maxProblems).map(({ path, message }) => ({ ...unplaced, field: fieldOf(path), message })),
    )
  }
  refuse(problemsOf(value))
  return { value: value as ScenarioFile, refuse }
}

/** Where a part of the document begins; where it is missing, where the next thing around it does. */
function offsetOf(document: Yaml.Document.Parsed, path: ScenarioProblem['path'], isName: boolean): number | undefined {
  const name = path.at(-1)
  if (isName && typeof name === 'string') {
    const around = document.getIn(path.slice(0, -1), true) as { items?: { key?: Yaml.Scalar.Parsed }[] } | undefined
    const pair = around?.items?.find(({ key }) => String(key?.value) === name)
    if (pair?.key) return pair.key.range[0]
  }
  for (let length = path.length; length >= 0; length--) {
    const node = length === 0 ? document.contents : document.getIn(path.slice(0, length), true)
    const range = (node as Yaml.Node | undefined)?.range
    if (range) return range[0]
  }
  return undefined
}

/** What doesn't fit the format. */
function problemsOf(value: unknown): ScenarioProblem[] {
  if (countValues(value, maxValues) > maxValues)
    return [{ path: [], message: `has more than ${formatCount(maxValues)} values; expected fewer rules` }]
  return reported(schemaErrors(scenarioSchema, value)).slice(0, maxPlaced).map(describe)
}

/** How many values are in one; it ends when there are more than `most`. */
function countValues(value: unknown, most: number): number {
  let count = 1
  if (typeof value !== 'object' || value === null) return count
  for (const inner of Object.values(value)) {
    count += countValues(inner, most - count)
    if (count > most) break
  }
  return count
}

/**
 * Of all that the validator says, what a person means. Where one of several forms would fit (anyOf), the errors of the
 * form that was meant are told: the one whose kind of value, or whose `type`, is what was found.
 */
function reported(errors: readonly SchemaError[]): SchemaError[] {
  const dropped = new Set<SchemaError>()
  const types: SchemaError[] = []
  for (const [end, union] of errors.entries()) {
    if (union.keyword !== 'anyOf') continue
    // The errors of its forms are those right in front of it.
    let from = end
    while (from > 0 && isInside(errors[from - 1] as SchemaError, union)) from--
    const inside = errors.slice(from, end)
    const forms = new Map<string, SchemaError[]>()
    for (const error of inside) {
      const form = error.schemaPath.slice(union.schemaPath.length + 1).split('/', 1)[0] as string
      const known = forms.get(form)
      if (known) known.push(error)
      else forms.set(form, [error])
    }
    const isOther = (form: readonly SchemaError[]) =>
      form.some(({ keyword, instancePath, parentSchema, data }) => {
        const isHere = instancePath === union.instancePath
        if (isHere && keyword === 'type') return true
        if (isHere && keyword === 'enum') return typeof data !== 'string' || !isNamed((parentSchema ?? {}) as Names)
        return keyword === 'const' && instancePath === `${union.instancePath}/type`
      })
    const meant = [...forms.values()].filter(form => !isOther(form))
    const kept = meant.length === 1 ? new Set(meant[0]) : new Set<SchemaError>()
    // An object of a `type` that none of the forms has: that is what is wrong with it.
    const consts = inside.filter(
      error => error.keyword === 'const' && error.instancePath === `${union.instancePath}/type`,
    )
    if (kept.size === 0 && consts[0]) {
      types.push({
        ...consts[0],
        keyword: 'enum',
        parentSchema: { enum: consts.map(({ params }) => params.allowedValue) },
      })
    }
    if (kept.size > 0 || consts[0]) dropped.add(union)
    for (const error of inside) if (!kept.has(error)) dropped.add(error)
  }
  const left = [...errors.filter(error => !dropped.has(error)), ...types]
  // One line a place is enough.
  const places = new Set<string>()
  return left.filter(error => {
    const isNew = !places.has(keyOf(error))
    places.add(keyOf(error))
    return isNew
  })
}

const isInside = (error: SchemaError, union: SchemaError): boolean =>
  error.schemaPath.startsWith(`${union.schemaPath}/`) && error.instancePath.startsWith(union.instancePath)

const isNamed = (schema: Names): boolean => schema.enum?.every(name => typeof name === 'string') ?? false

const keyOf = ({ instancePath, keyword, params }: SchemaError): string =>
  `${instancePath} ${keyword} ${params.additionalProperty ?? params.missingProperty ?? ''}`

function describe(error: SchemaError): ScenarioProblem {
  const path = error.instancePath
    .split('/')
    .slice(1)
    .map(part => (/^\d+$/.test(part) ? Number(part) : part.replaceAll('~1', '/').replaceAll('~0', '~')))
  const { keyword, params, parentSchema, data } = error
  if (keyword === 'additionalProperties') {
    const name = params.additionalProperty as string
    const known = Object.keys(parentSchema?.properties ?? {}).filter(known => known !== '$schema')
    const hint = didYouMean(name, known) || `; expected one of ${known.join(', ')}`
    return { path: [...path, name], isName: true, message: `is unknown${hint}` }
  }
  if (keyword === 'required') {
    return { path: [...path, params.missingProperty as string], message: 'is missing', isName: true }
  }
  if (keyword === 'minProperties') return { path, message: 'is empty; expected at least one field' }
  const expected = expectationOf(parentSchema as object)
  const names = typeof data === 'string' ? namesIn(parentSchema as Names) : []
  const hint = typeof data === 'string' ? didYouMean(data, names) : ''
  // A long list helps less than what was perhaps meant.
  if (hint !== '' && names.length > 8) return { path, message: `is ${shown(data)}${hint}` }
  return { path, message: `is ${shown(data)}; expected ${expected}${hint}` }
}

interface Names {
  enum?: readonly unknown[]
  anyOf?: readonly Names[]
  properties?: { type?: { const?: unknown } }
}

/** The names that would do in a place. */
function namesIn(schema: Names | undefined): string[] {
  const own = (schema?.enum ?? []).filter(name => typeof name === 'string')
  return [...own, ...(schema?.anyOf ?? []).flatMap(namesIn)]
}
