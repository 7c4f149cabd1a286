import { readFileSync } from 'node:fs'
import t from 'tap'
import { readmePath, withTables } from '../.ci/readme.ts'

t.test("the README's tables are what the code says; `npm run docs` writes them", async t => {
  const readme = readFileSync(readmePath, 'utf8')
  t.equal(readme, withTables(readme))
  for (const name of ['options', 'keys', 'videos', 'routes']) t.ok(readme.includes(`<!-- table ${name} -->`), name)
})
