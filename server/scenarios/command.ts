/** `understudy scenarios list|show|validate|new|from-har`: shows the scenarios that exist, and helps to write new ones. */

import { existsSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { type CommandIo, type ExitCode, writeJson, writeLine } from '../../base/commandIo.ts'
import { jsonFlag, type VerbSetup } from '../../base/flags.ts'
import { ConfigError } from '../../base/options.ts'
import { commandLine } from '../../base/paths.ts'
import { plural } from '../../base/text.ts'
import { problemText, ScenarioError } from '../../client/scenarioError.ts'
import { scenarioName } from '../../client/scenarioFormat.ts'
import type { Scenario } from './compiledScenario.ts'
import { doesOf } from './explain.ts'
import { Library, scenarioFiles, shippedFolder } from './library.ts'

const folderFlag = '--scenarios <folder>'
const folderText = 'scenario files of your own, beside those that ship'

export const setUpScenarios: VerbSetup = (verb, run) => {
  verb
    .command('list')
    .description('list every scenario with its description')
    .option(folderFlag, folderText)
    .option(...jsonFlag)
    .action(run((io, { scenarios, json }: ScenariosFlags) => list(io, new Library(scenarios), json)))
  verb
    .command('show')
    .argument('<name or file>')
    .description('show what a scenario does, rule by rule, with all that it extends')
    .option(folderFlag, folderText)
    .option(...jsonFlag)
    .action(
      run((io, given: string, { scenarios, json }: ScenariosFlags) => show(io, new Library(scenarios), given, json)),
    )
  verb
    .command('validate')
    .argument('<file or folder or name...>')
    .description('validate scenario files: exit 0 if all are valid, 2 if not, with the place of each problem')
    .option(folderFlag, folderText)
    .option(...jsonFlag)
    .action(
      run((io, files: string[], { scenarios, json }: ScenariosFlags) =>
        validate(io, new Library(scenarios), files, json),
      ),
    )
  verb
    .command('new')
    .argument('<name>')
    .description('create a scenario file NAME.yaml in this folder')
    .option(...jsonFlag)
    .action(run(create))
  verb
    .command('from-har')
    .argument('<file>', 'a recording (HAR 1.2)')
    .description('write a scenario that repeats the failures of a recording to stdout; exit 1 if nothing in it failed')
    .option('--out <file>', 'a .yaml file to write to; its name is the name of the scenario')
    .option('--name <name>', 'name of the scenario')
    .option('--world <fingerprint>', "the key's fingerprint whose failures are taken (default: the key with the most)")
    .option('--base <url>', 'the base URL of the calls, if their routes do not show it')
    .action(run(fromHar))
}

interface ScenariosFlags {
  scenarios?: string
  json?: boolean
}

interface FromHarFlags {
  out?: string
  name?: string
  world?: string
  base?: string
}

async function fromHar(
  { stdout, stderr }: CommandIo,
  file: string,
  { out, name, world, base }: FromHarFlags,
): Promise<ExitCode> {
  // Loaded here, so that --help is quick.
  const [{ scenarioFromRecording: scenarioFromHar }, { baseOf }] = await Promise.all([
    import('./fromHar.ts'),
    import('../../base/inputs.ts'),
  ])
  const own = out === undefined ? undefined : basename(out, extname(out))
  if (out !== undefined) {
    if (!/\.ya?ml$/.test(out)) throw new ConfigError(`--out is ${JSON.stringify(out)}; expected a .yaml file`)
    if (name !== undefined && name !== own)
      throw new ConfigError(`--name is ${name}, but a scenario is found by its file, ${own}; expected one of the two`)
    if (existsSync(out)) throw new ConfigError(`${out} already exists; choose another name, or remove it first`)
  }
  const made = scenarioFromHar(file, {
    schema: relative(dirname(resolve(out ?? 'any')), join(shippedFolder, 'scenario.schema.json')),
    ...((own ?? name) !== undefined && { name: (own ?? name) as string }),
    ...(world !== undefined && { world }),
    ...(base !== undefined && { base: baseOf(base) }),
  })
  if (made === undefined) {
    writeLine(
      stderr,
      `understudy: ${file}: nothing in it failed${world === undefined ? '' : ` in the world ${world}`}, so no scenario was written`,
    )
    return 1
  }
  for (const note of made.notes) writeLine(stderr, note)
  if (out === undefined) {
    stdout.write(made.yaml)
    return 0
  }
  try {
    writeFileSync(out, made.yaml)
  } catch (error) {
    throw new ConfigError(`--out ${out} can't be written: ${(error as Error).message}`)
  }
  writeLine(stderr, `${out} is written. Try it:\n\n  ${commandLine} serve --scenario ./${relative(process.cwd(), out)}`)
  return 0
}

function list({ stdout }: CommandIo, library: Library, json = false): ExitCode {
  const all = library.list()
  if (json) {
    const rows = all.map(({ name, scenario, problems = [] }) => {
      const { description = '', clauses = [] } = scenario ?? {}
      return { name, description, clauses, problems: problems.map(problemText) }
    })
    writeJson(stdout, { scenarios: rows })
    return 0
  }
  const width = Math.max(...all.map(({ name }) => name.length))
  for (const { name, scenario, problems = [] } of all) {
    const { description = '', clauses = [] } = scenario ?? {}
    const [first] = problems
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
    const broken = first === undefined ? '' : `BROKEN ${problemText(first)}${more}`
    writeLine(
      stdout,
      `${name.padEnd(width)}  ${description}${clauses.length > 0 ? ` (${clauses.join(' ')})` : ''}${broken}`,
    )
  }
  return 0
}

function show({ stdout }: CommandIo, library: Library, given: string, json = false): ExitCode {
  const { name, description, clauses, source, rules } = library.nameOrFile(given)
  if (json) {
    writeJson(stdout, { ...source, name, description, clauses, does: rules.map(({ then }) => doesOf(then)) })
    return 0
  }
  writeLine(stdout, description === '' ? name : `${name}: ${description}`)
  if (clauses.length > 0) writeLine(stdout, `clauses: ${clauses.join(' ')}`)
  for (const part of ['account', 'jobs'] as const)
    if (source[part]) writeLine(stdout, `${part}: ${JSON.stringify(source[part])}`)
  rules.forEach((rule, i) => {
    const { when, then, name: _name, description: _description, ...bounds } = source.rules?.[i] ?? { then: {} }
    const conditions = Object.entries({ ...when, ...bounds }).map(([field, value]) => {
      return `${field} ${typeof value === 'object' ? JSON.stringify(value) : value}`
    })
    writeLine(
      stdout,
      `${i + 1}. ${rule.name}: ${conditions.length > 0 ? `when ${conditions.join(', ')}: ` : ''}${doesOf(rule.then)}`,
    )
  })
  return 0
}

/** Validates all of them, so that one run shows all problems. */
function validate({ stdout, stderr }: CommandIo, library: Library, given: string[], json = false): ExitCode {
  let exitCode: ExitCode = 0
  for (const one of given.flatMap(filesIn)) {
    try {
      const scenario = library.nameOrFile(one)
      if (json) writeJson(stdout, { file: one, valid: true, name: scenario.name, problems: [] })
      else writeLine(stdout, `${one}: ${scenario.name} is valid: ${partsOf(scenario)}`)
    } catch (error) {
      if (!(error instanceof ScenarioError)) throw error
      // As it was asked for, unless it is another file, which this one extends.
      const problems = error.problems.map(problem =>
        problem.file === resolve(one) ? { ...problem, file: one } : problem,
      )
      if (json) writeJson(stdout, { file: one, valid: false, problems })
      else for (const problem of problems) writeLine(stderr, problemText(problem))
      exitCode = 2
    }
  }
  return exitCode
}

/** The scenario files of a folder; anything else as it is. */
const filesIn = (given: string): string[] =>
  statSync(given, { throwIfNoEntry: false })?.isDirectory()
    ? scenarioFiles(given).map(file => join(given, file))
    : [given]

/** "account, jobs, 3 rules" */
function partsOf({ source, rules }: Scenario): string {
  const parts = [
    ...(source.account ? ['account'] : []),
    ...(source.jobs ? ['jobs'] : []),
    ...(rules.length > 0 ? [plural(rules.length, 'rule')] : []),
  ]
  return parts.length > 0 ? parts.join(', ') : 'but it is empty'
}

function create({ stdout }: CommandIo, name: string, { json }: { json?: boolean }): ExitCode {
  if (!new RegExp(scenarioName).test(name)) {
    throw new ConfigError(
      `${JSON.stringify(name)} is not a name for a scenario; expected lower case and hyphens, such as my-incident`,
    )
  }
  const file = `${name}.yaml`
  if (existsSync(file)) throw new ConfigError(`${file} already exists; choose another name, or remove it first`)
  writeFileSync(file, template(name))
  if (json) {
    writeJson(stdout, { file })
    return 0
  }
  writeLine(
    stdout,
    `${file} is created. Try it:\n\n  ${commandLine} scenarios validate ${file}\n  ${commandLine} serve --scenario ./${file}`,
  )
  return 0
}

const schemaFile = (): string => relative(process.cwd(), join(shippedFolder, 'scenario.schema.json'))

const template = (name: string): string => `# yaml-language-server: $schema=${schemaFile()}
name: ${name}
description: The first two creations fail, the third succeeds.
clauses: [ERR-3, ERR-4]
rules:
  - name: fails-twice
    when: { route: POST /v1/jobs }
    first: 2
    then: { error: processing_failed }
`
