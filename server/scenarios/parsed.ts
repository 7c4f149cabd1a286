/**
 * The scenarios that ship, parsed when the package is built: the first that a process plays doesn't load a YAML parser, which
 * takes longer than all the rest of it. A file is known by its text, so one that was edited is parsed like any other.
 */
import { hash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../base/paths.ts'
import type { ScenarioFile } from '../../client/scenarioFormat.ts'
import { parseScenario, type Source } from './parse.ts'

/** Values as JSON, by the digest of the text that they come from. */
type Parsed = Readonly<Record<string, string>>

export const parsedFile = join(packageRoot, 'dist', 'scenarios.json')

let built: Parsed | undefined

/** parseScenario(), at once where the build has done it. */
export function readScenario(text: string, file: string, parsed?: Parsed): Source {
  built ??= readBuilt()
  const json = (parsed ?? built)[hash('sha256', text)]
  if (json === undefined) return parseScenario(text, file)
  return {
    value: JSON.parse(json) as ScenarioFile,
    // Where a part stands in the text only the parser knows.
    refuse: problems => (problems.length > 0 ? parseScenario(text, file).refuse(problems) : undefined),
  }
}

/** For the build. Throws a ScenarioError. */
export const parseAll = (files: readonly { text: string; file: string }[]): Parsed =>
  Object.fromEntries(
    files.map(({ text, file }) => [hash('sha256', text), JSON.stringify(parseScenario(text, file).value)]),
  )

/** A checkout that was not built has none. */
function readBuilt(): Parsed {
  try {
    return JSON.parse(readFileSync(parsedFile, 'utf8')) as Parsed
  } catch {
    return {}
  }
}
