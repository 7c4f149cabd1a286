/**
 * `npm run lint`: who may import whom. A room imports itself and what stands in its row, nothing else, types included; and
 * no files import each other in a circle. The same table is in CONTRIBUTING.md.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import ts from 'typescript'

const low = ['base', 'contracts', 'media', 'recordings', 'reports']

/** Each room with the other rooms that it may import. `.` is index.ts and what else lies at the top. */
export const rooms: Readonly<Record<string, readonly string[]>> = {
  base: [],
  contracts: ['base'],
  media: ['base', 'contracts'],
  recordings: ['base', 'contracts'],
  reports: ['base', 'contracts'],
  conduct: low,
  client: [...low, 'conduct'],
  // suite: an incident that is opened is checked.
  server: [...low, 'conduct', 'client', 'suite'],
  desk: ['contracts', 'conduct', 'client'],
  suite: [...low, 'conduct', 'client'],
  record: [...low, 'suite'],
  replay: [...low, 'client', 'suite'],
  rehearse: [...low, 'conduct', 'client', 'server'],
  mutate: [...low, 'client', 'server', 'rehearse'],
  webhooks: [...low, 'suite'],
  drills: [...low, 'client', 'suite'],
  mcp: [...low, 'conduct', 'client', 'server', 'suite', 'rehearse', 'mutate', 'drills'],
  runners: [...low, 'conduct', 'client', 'server'],
}

/** What no file of a room may import beside that: rooms that know of no files, sockets or frameworks. */
const packages: readonly { where: RegExp; never: RegExp; why: string }[] = [
  {
    where: /^contracts\//,
    never: /^(node:|fastify$|@fastify\/)/,
    why: 'contracts/ knows no servers, files or sockets',
  },
  {
    where: /^server\/world\//,
    never: /^(fastify$|@fastify\/|node:http|\.\.\/(routes|pipeline|control)\/)/,
    why: 'server/world/ knows nothing of HTTP',
  },
  ...Object.entries({ vitest: 'vitest', playwright: '@playwright/test' }).map(([adapter, name]) => ({
    where: new RegExp(`^(?!runners/${adapter}\\.ts$)`),
    never: new RegExp(`^${name}(/|$)`),
    why: `who uses another test runner does not have it; only runners/${adapter}.ts may`,
  })),
]

const roomOf = (file: string): string => (file.includes('/') ? (file.split('/', 1)[0] as string) : '.')

/** Each file of the rooms with what it imports: files by their path from the top, packages by their names. */
function readGraph(): Map<string, string[]> {
  const inside = (folder: string): string[] =>
    readdirSync(folder, { recursive: true, encoding: 'utf8' }).map(name => join(folder, name))
  const files = [...readdirSync('.'), ...[...Object.keys(rooms), 'cli'].flatMap(inside)].filter(name =>
    /\.tsx?$/.test(name),
  )
  return new Map(
    files.map(file => {
      const { importedFiles } = ts.preProcessFile(readFileSync(file, 'utf8'))
      const named = importedFiles.map(({ fileName }) => fileName)
      return [file, named.map(name => (name.startsWith('.') ? join(dirname(file), name) : name))]
    }),
  )
}

/** What breaks the table. */
export function findBreaches(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = []
  for (const [file, imports] of graph) {
    const room = roomOf(file)
    const allowed = rooms[room]
    for (const name of imports) {
      for (const { where, never, why } of packages)
        if (where.test(file) && never.test(name)) found.push(`${file} imports ${name}: ${why}`)
      if (!graph.has(name) || allowed === undefined) continue
      const other = roomOf(name)
      if (other !== room && !allowed.includes(other))
        found.push(`${file} imports ${name}: ${room}/ may import ${allowed.join(', ') || 'no other room'}`)
    }
  }
  return found
}

/** Each group of files that import each other, directly or by others (Tarjan's algorithm). */
export function findCircles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const circles: string[][] = []
  const order = new Map<string, number>()
  const lowest = new Map<string, number>()
  const stack: string[] = []
  const visit = (file: string): number => {
    order.set(file, order.size)
    let low = order.get(file) as number
    lowest.set(file, low)
    stack.push(file)
    for (const next of graph.get(file) ?? []) {
      if (!graph.has(next)) continue
      if (next === file) circles.push([file])
      else if (!order.has(next)) low = Math.min(low, visit(next))
      else if (stack.includes(next)) low = Math.min(low, order.get(next) as number)
    }
    lowest.set(file, low)
    if (low === order.get(file)) {
      const group = stack.splice(stack.indexOf(file))
      if (group.length > 1) circles.push(group)
    }
    return low
  }
  for (const file of graph.keys()) if (!order.has(file)) visit(file)
  return circles
}

if (process.argv[1] === import.meta.filename) {
  const graph = readGraph()
  const problems = [
    ...findBreaches(graph),
    ...findCircles(graph).map(group => `these files import each other: ${group.join(', ')}`),
  ]
  for (const problem of problems) console.error(problem)
  console.log(`${graph.size} files in ${Object.keys(rooms).length + 1} rooms: ${problems.length || 'no'} breaches`)
  process.exitCode = problems.length === 0 ? 0 : 1
}
