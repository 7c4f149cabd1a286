/** The files for other tools that docs and integrations/ have: each is what its tool can read, as far as we can tell here. */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
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

interface Compose {
  services: Record<string, { volumes?: string[]; build?: string }>
}

t.test('compose.yaml mounts files that are there, and its replicas are those of the nginx configuration', async t => {
  const { services } = parse(read('compose.yaml'), { merge: true }) as Compose
  for (const [name, { volumes = [] }] of Object.entries(services))
    for (const volume of volumes)
      t.ok(existsSync(join(packageRoot, volume.split(':')[0] as string)), `${name}: ${volume}`)
  const nginx = read('integrations', 'nginx', 'understudy.conf')
  const servers = [...nginx.matchAll(/^ {2}server (\S+):4010/gm)].map(([, name]) => name)
  t.same(
    servers,
    Object.keys(services).filter(name => name.startsWith('mock-')),
  )
  const scraped = [...nginx.matchAll(/location = \/(\d)\/metrics \{ proxy_pass http:\/\/mock-\1:4010/g)].map(
    ([, n]) => `mock-${n}`,
  )
  t.same(scraped, servers)
  t.equal(read('integrations', 'prometheus', 'prometheus.yml').match(/nginx:9113/g)?.length, servers.length)
})

t.test(
  'the manifest for Kubernetes has a Service for each of them, and what the kustomization names is there',
  async t => {
    const { resources, configMapGenerator } = parse(read('integrations', 'kustomization.yaml'))
    const documents = resources.flatMap((name: string) =>
      parseAllDocuments(read('integrations', name)).map(one => one.toJS()),
    )
    const named = (kind: string) =>
      documents
        .filter((one: { kind: string }) => one.kind === kind)
        .map((one: { metadata: { name: string } }) => one.metadata.name)
    t.same(named('StatefulSet'), ['mock'])
    for (const name of ['mock-0', 'mock-1', 'mock-2']) t.ok(named('Service').includes(name), name)
    const [{ spec }] = documents
    t.equal(spec.replicas, 3)
    t.equal(spec.template.spec.enableServiceLinks, false, 'or UNDERSTUDY_PORT would be the address of a Service')
    for (const file of configMapGenerator[0].files)
      t.ok(existsSync(join(packageRoot, 'integrations', file.split('=')[1])), file)
  },
)
