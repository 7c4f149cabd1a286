/** scenarioFromHar(): a recording's failures as a scenario file that can be read, changed and played. */

import { basename } from 'node:path'
import { ConfigError } from '../../base/options.ts'
import { plural } from '../../base/text.ts'
import { loadYaml } from '../../base/yaml.ts'
import { scenarioName } from '../../client/scenarioFormat.ts'
import { observations, RecordingSecrets, requireOurs } from '../../recordings/observations.ts'
import { openHar } from '../../recordings/read.ts'
import { type Drafted, ScenarioDraft } from './fromTraffic.ts'
import { parseScenario } from './parse.ts'

export interface FromHarOptions {
  /** The scenario's name; by default that of the recording. */
  name?: string
  /** Whose failures, by the key's fingerprint; by default those of the world that has the most. */
  world?: string
  /** What is in front of the documented routes. */
  base?: string
  /** Where an editor finds the schema, as the file will see it. */
  schema: string
}

export interface MadeScenario {
  name: string
  yaml: string
  /** What the user should know: other worlds, what was left out. */
  notes: string[]
}

/**
 * Writes the scenario of a recording; undefined where nothing in it failed. Throws a ConfigError for a file that can't be
 * read, and for a world or a name that can't be.
 */
export function scenarioFromRecording(file: string, options: FromHarOptions): MadeScenario | undefined {
  const name = options.name ?? nameFrom(file)
  if (!new RegExp(scenarioName).test(name))
    throw new ConfigError(
      `${JSON.stringify(name)} is not a name for a scenario; expected lower case and hyphens, such as my-incident`,
    )
  const source = openHar(file, options.base === undefined ? {} : { base: options.base })
  try {
    source.requireTraffic()
    const secrets = new RecordingSecrets()
    for (const entry of source.entries()) secrets.add(entry)
    const draft = new ScenarioDraft({ redact: secrets.redact() })
    const worlds = new Set<string>()
    let ours = 0
    for (const { seen, webhook: hook } of observations(source)) {
      if (hook) draft.hook(hook)
      if (!seen?.isOurs) continue
      ours++
      worlds.add(seen.call.key)
      draft.call(seen)
    }
    requireOurs(file, ours, source)
    if (options.world !== undefined && !worlds.has(options.world))
      throw new ConfigError(
        `${file} has no world ${JSON.stringify(options.world)}; expected one of ${[...worlds].slice(0, 5).join(', ')}`,
      )
    const drafted = draft.finish(options.world)
    const { _incomplete: incomplete } = source.log
    if (drafted === undefined) return undefined
    const yaml = yamlOf(name, basename(file), drafted, options.schema)
    // What is written has to be playable: whatever was recorded.
    parseScenario(yaml, name)
    return { name, yaml, notes: [...notesOf(drafted), ...(incomplete === undefined ? [] : [incomplete])] }
  } finally {
    source.close()
  }
}

/** "Incident 3 (prod).har" is incident-3-prod. */
function nameFrom(file: string): string {
  const bare = basename(file)
    .replace(/(\.har)?\.\w+$/i, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '')
    .slice(0, 64)
  return bare === '' ? 'recorded' : bare
}

const maxDescription = 300

function yamlOf(name: string, file: string, drafted: Drafted, schema: string): string {
  const { rules, clauses, summary, calls, from, to, world, left } = drafted
  const shown = summary.join(', ')
  const description = `What was recorded in ${file}: ${shown.length > maxDescription ? `${shown.slice(0, maxDescription)}…` : shown}.`
  const { Document, isMap, isSeq } = loadYaml()
  const document = new Document({
    name,
    description: description.slice(0, 500),
    ...(clauses.length > 0 && { clauses }),
    rules: rules.map(({ rule }) => rule),
  })
  document.commentBefore = comment([
    `yaml-language-server: $schema=${schema}`,
    `Made by understudy scenarios from-har ${file}: ${plural(calls, 'call')}, ${new Date(from).toISOString()} to ${new Date(to).toISOString()},`,
    `the failures of the world ${world}. The last calls of a route come first: a rule counts only the calls that no rule`,
    'above it took, so that each number is the one of the recording.',
    ...(left.length > 0
      ? ['Left out, as the mock gives it by itself, or as it was the client:', ...left.map(line => `  ${line}`)]
      : []),
  ])
  const list = document.get('clauses')
  if (isSeq(list)) list.flow = true
  const items = document.get('rules')
  if (isSeq(items)) {
    items.items.forEach((item, i) => {
      if (!isMap(item)) return
      item.commentBefore = comment(rules[i]?.facts ?? [])
      for (const part of ['when', 'then']) {
        const map = item.get(part)
        if (isMap(map) && JSON.stringify(map).length < widest) map.flow = true
      }
    })
  }
  return document.toString({ lineWidth: 120, singleQuote: true, flowCollectionPadding: true })
}

const widest = 90

/** Each line behind a sign of its own, whatever is in it. */
const comment = (lines: readonly string[]): string =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they would end the comment, or hide what follows
  lines.map(line => ` ${line.replace(/[\x00-\x1f\x7f\u0085\u2028\u2029]+/g, ' ')}`).join('\n')

function notesOf({ world, worlds, rules, left }: Drafted): string[] {
  const others = [...worlds].filter(([name, count]) => name !== world && count > 0)
  return [
    `${plural(rules.length, 'rule')} from the world ${world}`,
    ...(others.length > 0
      ? [
          `others have failures too: ${others.map(([name, count]) => `${name} (${count})`).join(', ')}; choose with --world`,
        ]
      : []),
    ...left.map(line => `left out: ${line}`),
  ]
}
