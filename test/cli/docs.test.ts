import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { missingLine, normalise } from '../../.ci/docs/compare.ts'
import { brokenLinks } from '../../.ci/docs/links.ts'
import { blocksOf } from '../../.ci/docs/page.ts'
import { pages } from '../../.ci/docs/pages.ts'
import { schemaFiles, withTables } from '../../.ci/docs/tables.ts'
import { sidebar, sitePath } from '../../.ci/site/source.ts'
import { packageRoot } from '../../base/paths.ts'
import { clauses } from '../../contracts/clauses.ts'
import { faultNames } from '../../server/faults/index.ts'
import { Library } from '../../server/scenarios/library.ts'
import { understudy } from '../support.ts'

const skill = 'skills/understudy/SKILL.md'

const read = (page: string): string => readFileSync(join(packageRoot, page), 'utf8')

t.test('the tables of README and docs are what the code says; `npm run docs:tables` writes them', async t => {
  for (const page of pages()) t.equal(read(page), withTables(read(page)), page)
})

t.test('the schemas that ship are those in the code; `npm run docs:tables` writes them', async t => {
  for (const { path, text } of schemaFiles()) t.equal(readFileSync(path, 'utf8'), text, path)
})

t.test('every link of README and docs leads somewhere', async t => {
  for (const page of [...pages(), 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'AGENTS.md', 'llms.txt', skill])
    t.same(brokenLinks(page, read(page)), [], page)
})

t.test('the skill names commands, options, scenarios and fields that there are', async t => {
  const text = read(skill)
  t.match(text, /^---\nname: understudy\ndescription: .{1,1024}\nlicense: MIT\n---\n/)
  const lines = [...text.matchAll(/npx understudy ([^`\n]+)/g)].map(([, line = '']) => line.replace(/ -- .*/, ''))
  t.ok(lines.length > 5)
  for (const line of lines) {
    const [verb = ''] = line.split(' ')
    const { stdout } = await understudy([verb, '--help'])
    t.ok(stdout.startsWith(`Usage: understudy ${verb} `), line)
    for (const [flag] of line.matchAll(/--[a-z-]+/g)) t.ok(stdout.includes(`  ${flag} `), `${verb} ${flag}`)
  }
  const [, named = ''] = /--scenario (\S+)/.exec(text) ?? []
  const shipped = new Library(undefined).list().map(({ name }) => name)
  for (const name of named.split(',')) t.ok(name === 'none' || shipped.includes(name), name)
})

t.test('the site leads to every page', async t => {
  const listed = sidebar().flatMap(({ items }) => items.map(({ link }) => link))
  const wanted = pages().filter(page => !/README\.md$/.test(page))
  t.same(
    wanted.map(page => `/${sitePath(page)}`).filter(link => !listed.includes(link)),
    [],
    'docs/README.md links to it',
  )
})

t.test('every block of README and docs can be read', async t => {
  for (const page of pages()) t.doesNotThrow(() => blocksOf(read(page)), page)
})

t.test('README is a page that one reads', async t => {
  const lines = read('README.md').split('\n')
  t.ok(lines.length <= 220, `${lines.length} lines`)
  t.same(
    lines.filter(line => line.length > 125),
    [],
  )
})

t.test('README counts right', async t => {
  const readme = read('README.md')
  const scenarios = readdirSync(join(packageRoot, 'scenarios')).filter(name => name.endsWith('.yaml'))
  const counts = { scenarios: scenarios.length, 'wire faults': faultNames.length, clauses: Object.keys(clauses).length }
  for (const [what, count] of Object.entries(counts)) t.match(readme, `${count} ${what}`)
})

t.test('outputs are compared but for what differs in every run', async t => {
  t.equal(missingLine(['{"id":"job_a1","ms":1.5}'], '{"id":"job_b2","ms":22}\n'), undefined)
  t.equal(missingLine(['a', '…', 'z'], 'a\nb\nc\nz\n'), undefined)
  t.equal(missingLine(['a', 'b'], 'a\nc\n'), 1)
  t.equal(missingLine(['429 rate…'], '429 rate_limited'), undefined)
  t.equal(missingLine(['429 Too Many'], '500 Too Many'), 0)
  t.equal(normalise('took 12.5 ms at 2026-11-20T12:00:03.120Z'), 'took N ms at TIME')
})
