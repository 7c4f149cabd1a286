import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { packageRoot } from '../../base/paths.ts'
import { mutants } from '../mutants/mutants.ts'
import { variants } from '../mutants/variants.ts'

const run = promisify(execFile)

/** The whole set takes a quarter of an hour: `npm run prove`. */
const sample = 5

t.test('a sample of the broken servers is accused where each is broken, and of the different ones none', async t => {
  const args = ['--import=tsx', join('test', 'mutants', 'prove.ts'), '--runs', '1', '--sample', String(sample)]
  const { stdout } = await run(process.execPath, args, { cwd: packageRoot }).catch(error => error)
  const rows = stdout.split('\n').filter((line: string) => /^(ok|NOT OK) /.test(line))
  t.ok(rows.length >= sample, `${rows.length} servers were judged`)
  for (const row of rows) t.match(row, /^ok /, row)
})

t.test('there are at least 80 mutants and 15 correct variants, each with a name of its own', async t => {
  t.ok(mutants.length >= 80, `${mutants.length} mutants`)
  t.ok(variants.length >= 15, `${variants.length} variants`)
  const ids = [...mutants, ...variants].map(({ id }) => id)
  t.equal(new Set(ids).size, ids.length)
  t.ok(mutants.filter(({ needs }) => needs === 'explore').length >= 5, 'some break only after a sequence of calls')
})
