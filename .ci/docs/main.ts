/**
 * `npm run docs` writes the generated tables, the schemas and the outputs of all pages anew; `npm run docs:check` runs every
 * block and says file and line of what differs; `npm run docs:tables` writes tables and schemas only, in a second.
 * Pages may be named: npm run docs:check -- README.md docs/first-steps.md. Exit code 1 where something differs.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../base/paths.ts'
import { brokenLinks } from './links.ts'
import { packHere } from './pack.ts'
import { pages } from './pages.ts'
import { type Difference, runPage } from './runPage.ts'
import { schemaFiles, withTables } from './tables.ts'

const read = (page: string): string => readFileSync(join(packageRoot, page), 'utf8')

function writeTables(): void {
  for (const { path, text } of schemaFiles()) writeFileSync(path, text)
  for (const page of pages()) writeFileSync(join(packageRoot, page), withTables(read(page)))
}

/** Puts what was printed in the place of what is shown; an output with `…` in it is for a person to choose. */
function writeOutputs(page: string, differences: readonly Difference[]): Difference[] {
  const lines = read(page).split('\n')
  const left: Difference[] = []
  for (const difference of [...differences].reverse()) {
    const { command, output } = difference
    if (command === undefined || output === undefined || command.shown.some(line => line.includes('…'))) {
      left.unshift(difference)
      continue
    }
    lines.splice(command.shownFrom - 1, command.shown.length, ...output.trimEnd().split('\n'))
  }
  writeFileSync(join(packageRoot, page), lines.join('\n'))
  return left
}

async function main([verb = 'check', ...named]: string[]): Promise<number> {
  const chosen = named.length > 0 ? named : pages()
  if (verb !== 'check') writeTables()
  if (verb === 'tables') return 0
  let count = 0
  const say = (page: string, line: number, text: string): void => {
    count++
    console.error(`${page}:${line}: ${text}\n`)
  }
  for (const page of chosen) {
    if (verb === 'check' && withTables(read(page)) !== read(page))
      say(page, 1, 'a table is not what the code says; run npm run docs:tables')
    for (const { line, text } of brokenLinks(page, read(page))) say(page, line, text)
  }
  const packed = await packHere()
  try {
    for (const page of chosen) {
      const found = await runPage(read(page), packed)
      const left = verb === 'write' ? writeOutputs(page, found) : found
      for (const { line, text } of left) say(page, line, text)
      console.log(`${left.length === 0 ? 'ok    ' : 'not ok'} ${page}`)
    }
  } finally {
    rmSync(packed, { recursive: true, force: true })
  }
  console.log(count === 0 ? `${chosen.length} pages are true` : `${count} differences`)
  return count === 0 ? 0 : 1
}

process.exitCode = await main(process.argv.slice(2))
