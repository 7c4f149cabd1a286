/** `npm run docs`: writes the README's tables anew from the code; a test holds the README against them. */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { operations } from '../contracts/operations.ts'
import { defaultTextOf, flagOf, type OptionName, options, variableOf } from '../server/config.ts'
import { keyMagic, testKeyPrefix, videoMagic } from '../server/magic.ts'
import { packageRoot } from '../server/paths.ts'

const tables: Record<string, () => string> = {
  options: () =>
    table(
      ['flag', 'variable', 'default', 'what it is'],
      (Object.keys(options) as OptionName[]).map(name => [
        `\`${flagOf(name)} ${options[name].argument}\``,
        `\`${variableOf(name)}\``,
        defaultTextOf(name),
        options[name].description,
      ]),
    ),
  keys: () =>
    table(
      ['key', 'what it does'],
      [
        [`\`${testKeyPrefix}…\``, 'valid; a world of its own on first use'],
        ...keyMagic.map(({ prefix, effect }) => [`\`${prefix}…\``, effect]),
        ['any other', '401 `invalid_api_key`'],
      ],
    ),
  videos: () =>
    table(
      ['video', 'what it does'],
      videoMagic.map(({ name, effect }) => [`\`…/${name}.mp4\``, effect]),
    ),
  routes: () =>
    table(
      ['route', 'what it does', 'clauses'],
      Object.values(operations).map(({ method, path, summary, clauses }) => [
        `\`${method} ${path}\``,
        summary,
        clauses.join(' '),
      ]),
    ),
}

const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')

/** The README with its tables as the code has them now. */
export const withTables = (readme: string): string =>
  readme.replace(
    /(<!-- table (\w+) -->\n)[\s\S]*?(\n<!-- end -->)/g,
    (_, before, name, after) => before + tables[name]?.() + after,
  )

export const readmePath = join(packageRoot, 'README.md')

if (process.argv[1] === import.meta.filename) writeFileSync(readmePath, withTables(readFileSync(readmePath, 'utf8')))
