/** The files for other tools that docs and integrations/ have: each is what its tool can read, as far as we can tell here. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse, parseAllDocuments } from 'yaml'
import { packageRoot } from '../../base/paths.ts'

const read = (...path: string[]) => readFileSync(join(packageRoot, ...path), 'utf8')
const guides = readdirSync(join(packageRoot, 'docs', 'guides'))

t.test('each YAML block of the guides is YAML, and gives the action inputs that it has', async t => {
  const { inputs } = parse(read('action.yml')) as { inputs: Record<string, unknown> }
  let used = 0
  for (const page of guides)
    for (const [, block = ''] of read('docs', 'guides', page).matchAll(/^```ya?ml\n([\s\S]*?)^```/gm)) {
      for (const document of parseAllDocuments(block)) t.same(document.errors, [], page)
      for (const [, lines = ''] of block.matchAll(
        /uses: understudy-mock\/understudy@\w+\n([\s\S]*?)(?=\n {6}- |$(?![\s\S]))/g,
      )) {
        const { with: given = {} } = parse(lines) as { with?: object }
        t.ok(
          Object.keys(given).every(name => name in inputs),
          `${page}: ${Object.keys(given)}`,
        )
        t.ok('verb' in given)
        used++
      }
    }
  t.ok(used >= 2)
})

t.test('the table of inputs in the docs has those of the action, with their defaults', t => {
  const { inputs } = parse(read('action.yml')) as { inputs: Record<string, { default?: string }> }
  const page = read('docs', 'guides', 'ci.md')
  for (const [name, { default: usual }] of Object.entries(inputs)) {
    const [row = ''] = page.match(new RegExp(`^\\|[^|]*\`${name}\`.*$`, 'm')) ?? []
    t.ok(row, name)
    if (usual) t.ok(row.includes(`\`${usual}\``), `${name}: ${usual}`)
  }
  t.end()
})
