import { readFileSync } from 'node:fs'
import t from 'tap'
import { schemaFiles, withTables } from '../../.ci/docs/tables.ts'
import { Library } from '../../server/scenarios/library.ts'

t.test("the README's tables are what the code says; `npm run docs` writes them", async t => {
  const readme = readFileSync(readmePath, 'utf8')
  t.equal(readme, withTables(readme))
  for (const name of [
    'options',
    'keys',
    'videos',
    'routes',
    'checkOptions',
    'checks',
    'reporters',
    'rules',
    'recordOptions',
  ])
    t.ok(readme.includes(`<!-- table ${name} -->`), name)
})

t.test("the README's scenarios can be played", async t => {
  const blocks = [...readFileSync(readmePath, 'utf8').matchAll(/```yaml\n([\s\S]*?)```/g)].map(found =>
    String(found[1]),
  )
  t.equal(blocks.length, 2)
  const library = new Library(undefined)
  for (const block of blocks) t.ok(library.takeText(block, false).rules.length > 1)
})

t.test('the schemas that ship are those in the code; `npm run docs` writes them', async t => {
  for (const { path, text } of schemaFiles()) t.equal(readFileSync(path, 'utf8'), text, path)
})
