/**
 * The configuration file: `understudy.config.json`, `.yaml` or `.ts` in the working directory, or `--config FILE`. It has a
 * section for each verb, in which options are named as in the API: `{ "serve": { "rateLimit": 0 } }`.
 */

import { existsSync, readFileSync } from 'node:fs'
import { extname, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ConfigError } from '../base/options.ts'
import { loadYaml } from '../base/yaml.ts'

/** What ends a file's name, in the order in which they are looked for. */
const endings = ['.json', '.yaml', '.yml', '.ts', '.mts', '.js', '.mjs'] as const

export type Section = Readonly<Record<string, unknown>>

export interface ConfigFile {
  /** As it was given, or its name in the working directory. */
  file: string
  sections: Readonly<Record<string, Section>>
}

/**
 * Reads the file that was given, or the one in the working directory; undefined if there is none. Throws a ConfigError for a
 * file that can't be read, for two of them, and for a section that is no verb's.
 */
export async function readConfigFile(
  given: string | undefined,
  verbs: readonly string[],
): Promise<ConfigFile | undefined> {
  const file = given ?? findConfigFile()
  if (file === undefined) return undefined
  const sections = await contentOf(file)
  if (!isSection(sections))
    throw new ConfigError(
      `${file} is ${describe(sections)}; expected an object with a section for each verb, such as {"serve": {"port": 4020}}`,
    )
  for (const [name, section] of Object.entries(sections)) {
    if (!verbs.includes(name))
      throw new ConfigError(
        `${file}: there is no verb ${JSON.stringify(name)}; expected sections named ${verbs.join(', ')}`,
      )
    if (!isSection(section))
      throw new ConfigError(`${file}: ${name} is ${describe(section)}; expected an object of options`)
  }
  return { file, sections: sections as Record<string, Section> }
}

function findConfigFile(): string | undefined {
  const found = endings.map(ending => `understudy.config${ending}`).filter(name => existsSync(name))
  if (found.length > 1)
    throw new ConfigError(`${found.join(' and ')} are both here; expected one of them, or --config FILE to say which`)
  return found[0]
}

export const isSection = (value: unknown): value is Section =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

export const describe = (value: unknown): string => {
  const text = value === undefined ? 'nothing' : (JSON.stringify(value) ?? `a ${typeof value}`)
  return text.length > 80 ? `${text.slice(0, 80)}…` : text
}

async function contentOf(file: string): Promise<unknown> {
  const ending = extname(file)
  if (/^\.[mc]?[jt]s$/.test(ending)) return importedFrom(file)
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`The configuration file ${file} can't be read (${(error as NodeJS.ErrnoException).code})`)
  }
  try {
    if (ending === '.json') return JSON.parse(text.replace(/^\uFEFF/, ''))
    return loadYaml().parse(text)
  } catch (error) {
    throw new ConfigError(
      `${file} is not ${ending === '.json' ? 'JSON' : 'YAML'}: ${(error as Error).message.trim().split('\n')[0]}`,
    )
  }
}

/** TypeScript is read by Node itself where it can, or by a loader such as tsx that the process runs with. */
async function importedFrom(file: string): Promise<unknown> {
  const path = resolve(file)
  if (!existsSync(path)) throw new ConfigError(`The configuration file ${file} can't be read (ENOENT)`)
  let found: { default?: unknown }
  try {
    found = (await import(pathToFileURL(path).href)) as { default?: unknown }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ERR_UNKNOWN_FILE_EXTENSION')
      throw new ConfigError(
        `Node ${process.version} reads no TypeScript, and ${file} is TypeScript; take Node 22.18 or newer, write understudy.config.json or .yaml, or run with NODE_OPTIONS="--import tsx"`,
      )
    throw new ConfigError(`${file} can't be loaded: ${message?.split('\n')[0] ?? String(error)}`)
  }
  if (found.default === undefined)
    throw new ConfigError(`${file} has no default export; expected export default { serve: { … } }`)
  return found.default
}
