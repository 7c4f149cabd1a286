/** `understudy scenarios list|show|validate|new|from-har`: the scenarios that there are, and those that are being written. */

import { existsSync, statSync, writeFileSync } from 'node:fs'
import { basename, dirname, extname, join, relative, resolve } from 'node:path'
import { Command } from 'commander'
import { ConfigError } from '../../base/options.ts'
import type { Scenario } from './compiledScenario.ts'
import { doesOf } from './explain.ts'
import { scenarioName } from './format.ts'
import { Library, scenarioFiles, shippedFolder } from './library.ts'
import { problemText, ScenarioError } from './problems.ts'

const folderFlag = '--scenarios <folder>'
const folderText = 'scenario files of your own, beside those that ship'

export function scenariosCommand(): Command {
  const command = new Command('scenarios').description('list, show, check and begin scenarios')
  command
    .command('list')
    .description('every scenario, with what it is for')
    .option(folderFlag, folderText)
    .action(({ scenarios }: { scenarios?: string }) => list(new Library(scenarios)))
  command
    .command('show')
    .argument('<name or file>')
    .description('what a scenario does, rule by rule, with all that it extends')
    .option(folderFlag, folderText)
    .action((given: string, { scenarios }: { scenarios?: string }) => show(new Library(scenarios), given))
  command
    .command('validate')
    .argument('<file or folder or name...>')
    .description('check scenario files: exit 0 if all can be played, 2 if not, with each place that is wrong')
    .option(folderFlag, folderText)
    .action((files: string[], { scenarios }: { scenarios?: string }) => validate(new Library(scenarios), files))
  command.command('new').argument('<name>').description('begin a scenario file NAME.yaml in this folder').action(begin)
  command
    .command('from-har')
    .argument('<file>', 'a recording (HAR 1.2)')
    .description(
      'write a scenario that plays the failures of a recording: to stdout, exit 1 where nothing in it failed',
    )
    .option('--out <file>', 'a .yaml file to write to; its name is the name of the scenario')
    .option('--name <name>', 'what the scenario is called')
    .option('--world <fingerprint>', "whose failures: the key's fingerprint (default: who has the most)")
    .option('--base <url>', 'the base URL of the calls, where that can not be told')
    .action(fromHar)
  return command
}

interface FromHarFlags {
  out?: string
  name?: string
  world?: string
  base?: string
}

async function fromHar(file: string, { out, name, world, base }: FromHarFlags): Promise<void> {
  // Loaded now: every other verb would wait for it.
  const [{ scenarioFromRecording: scenarioFromHar }, { baseOf }] = await Promise.all([
    import('./fromHar.ts'),
    import('../../base/inputs.ts'),
  ])
  const own = out === undefined ? undefined : basename(out, extname(out))
  if (out !== undefined) {
    if (!/\.ya?ml$/.test(out)) throw new ConfigError(`--out is ${JSON.stringify(out)}; expected a .yaml file`)
    if (name !== undefined && name !== own)
      throw new ConfigError(`--name is ${name}, but a scenario is found by its file, ${own}; expected one of the two`)
    if (existsSync(out)) throw new ConfigError(`${out} is there already; choose another name, or remove it first`)
  }
  const made = scenarioFromHar(file, {
    schema: relative(dirname(resolve(out ?? 'any')), join(shippedFolder, 'scenario.schema.json')),
    ...((own ?? name) !== undefined && { name: (own ?? name) as string }),
    ...(world !== undefined && { world }),
    ...(base !== undefined && { base: baseOf(base) }),
  })
  if (made === undefined) {
    console.error(
      `understudy: ${file}: nothing in it failed${world === undefined ? '' : ` in the world ${world}`}, so there is nothing to play; no scenario was written`,
    )
    process.exitCode = 1
    return
  }
  for (const note of made.notes) console.error(note)
  if (out === undefined) return void process.stdout.write(made.yaml)
  try {
    writeFileSync(out, made.yaml)
  } catch (error) {
    throw new ConfigError(`--out ${out} can't be written: ${(error as Error).message}`)
  }
  console.error(`${out} is written. Try it:\n\n  ${command} serve --scenario ./${relative(process.cwd(), out)}`)
}

function list(library: Library): void {
  const all = library.list()
  const width = Math.max(...all.map(({ name }) => name.length))
  for (const { name, scenario, problems = [] } of all) {
    const { description = '', clauses = [] } = scenario ?? {}
    const [first] = problems
    const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
    const broken = first === undefined ? '' : `BROKEN ${problemText(first)}${more}`
    console.log(`${name.padEnd(width)}  ${description}${clauses.length > 0 ? ` (${clauses.join(' ')})` : ''}${broken}`)
  }
}

function show(library: Library, given: string): void {
  const { name, description, clauses, source, rules } = library.nameOrFile(given)
  console.log(description === '' ? name : `${name}: ${description}`)
  if (clauses.length > 0) console.log(`clauses: ${clauses.join(' ')}`)
  for (const part of ['account', 'jobs'] as const)
    if (source[part]) console.log(`${part}: ${JSON.stringify(source[part])}`)
  rules.forEach((rule, i) => {
    const { when, then, name: _name, description: _description, ...bounds } = source.rules?.[i] ?? { then: {} }
    const conditions = Object.entries({ ...when, ...bounds }).map(([field, value]) => {
      return `${field} ${typeof value === 'object' ? JSON.stringify(value) : value}`
    })
    console.log(
      `${i + 1}. ${rule.name}: ${conditions.length > 0 ? `when ${conditions.join(', ')}: ` : ''}${doesOf(rule.then)}`,
    )
  })
}

/** Looks at all of them, so that one run tells of everything that is wrong. */
function validate(library: Library, given: string[]): void {
  for (const one of given.flatMap(filesIn)) {
    try {
      const scenario = library.nameOrFile(one)
      console.log(`${one}: ${scenario.name} is valid: ${partsOf(scenario)}`)
    } catch (error) {
      if (!(error instanceof ScenarioError)) throw error
      for (const problem of error.problems) {
        // As it was asked for, unless it is another file, which this one extends.
        console.error(problemText(problem.file === resolve(one) ? { ...problem, file: one } : problem))
      }
      process.exitCode = 2
    }
  }
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
    ...(rules.length > 0 ? [`${rules.length} ${rules.length === 1 ? 'rule' : 'rules'}`] : []),
  ]
  return parts.length > 0 ? parts.join(', ') : 'but it says nothing'
}

function begin(name: string): void {
  if (!new RegExp(scenarioName).test(name)) {
    throw new ConfigError(
      `${JSON.stringify(name)} is no name for a scenario; expected lower case and hyphens, such as my-incident`,
    )
  }
  const file = `${name}.yaml`
  if (existsSync(file)) throw new ConfigError(`${file} is there already; choose another name, or remove it first`)
  writeFileSync(file, template(name))
  console.log(
    `${file} is begun. Try it:\n\n  ${command} scenarios validate ${file}\n  ${command} serve --scenario ./${file}`,
  )
}

/** How this command is called where the user is: in a checkout nothing has installed it. */
const command = shippedFolder.includes('node_modules') ? 'npx understudy' : 'npm run -s understudy --'

const schemaFile = (): string => relative(process.cwd(), join(shippedFolder, 'scenario.schema.json'))

const template = (name: string): string => `# yaml-language-server: $schema=${schemaFile()}
name: ${name}
description: The first two creations fail, then all is well.
clauses: [ERR-3, ERR-4]
rules:
  - name: fails-twice
    when: { route: POST /v1/jobs }
    first: 2
    then: { error: processing_failed }
`
