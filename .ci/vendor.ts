/**
 * Packages that are part of the build: what one of them depends on refuses Node 20 (`engines`), which npm under
 * engine-strict, pnpm and yarn take as an error. `overrides` would help a checkout only, as they don't reach those who install
 * the package, and yarn passes over bundleDependencies.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { build } from 'esbuild'
import { packageRoot } from '../base/paths.ts'

const vendored = ['fastify']

/**
 * The server side of the Model Context Protocol: with its types, maps and zod it would make an installation half as large again,
 * for a verb that few call. What the verb uses of it is a twentieth.
 */
const vendoredModules = ['@modelcontextprotocol/server', '@modelcontextprotocol/server/stdio', 'mediabunny']

/** Of a large one only some: of the twelve megabytes of mediabunny the containers of three formats. */
const parts: Readonly<Record<string, string>> = { mediabunny: '.ci/vendor/mediabunny.ts' }

/** Writes each into `dist/vendor/`, with the licences of all that is in it, and leads the imports of `dist` there. */
export async function vendor(dist: string): Promise<void> {
  const folder = join(dist, 'vendor')
  const { dependencies } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'))
  const common = {
    outdir: folder,
    bundle: true,
    platform: 'node',
    target: 'node20',
    // What the package depends on anyway is not brought twice.
    external: Object.keys(dependencies),
    metafile: true,
    logLevel: 'warning',
    absWorkingDir: packageRoot,
  } as const
  const results = await Promise.all([
    build({ ...common, entryPoints: vendored, outExtension: { '.js': '.cjs' } }),
    // Split, as both have to share their classes.
    build({
      ...common,
      entryPoints: Object.fromEntries(vendoredModules.map(name => [fileOf(name), parts[name] ?? name])),
      outExtension: { '.js': '.mjs' },
      chunkNames: 'mcp/[hash]',
      format: 'esm',
      splitting: true,
      treeShaking: true,
    }),
  ])
  writeFileSync(join(folder, 'LICENSES.txt'), licences(results.flatMap(({ metafile }) => Object.keys(metafile.inputs))))
  for (const name of readdirSync(dist, { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.js') || name.startsWith('site')) continue
    const file = join(dist, name)
    const text = readFileSync(file, 'utf8')
    const done = text.replace(/ from '([\w@/-]+)';/g, (all, from: string) => {
      const target = vendored.includes(from)
        ? `${from}.cjs`
        : vendoredModules.includes(from)
          ? `${fileOf(from)}.mjs`
          : undefined
      return target === undefined ? all : ` from '${importOf(dirname(file), join(folder, target))}';`
    })
    if (done !== text) writeFileSync(file, done)
  }
}

/** mcp/server-stdio for @modelcontextprotocol/server/stdio */
const fileOf = (name: string): string => name.replace('@modelcontextprotocol/', 'mcp/').replace(/(?<=mcp\/.*)\//, '-')

function importOf(folder: string, file: string): string {
  const path = relative(folder, file).replaceAll('\\', '/')
  return path.startsWith('.') ? path : `./${path}`
}

/** The licence of each package that one of the files belongs to, as its own file has it. */
function licences(files: readonly string[]): string {
  const packages = new Set(files.flatMap(file => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []))
  return [...packages]
    .sort()
    .map(folder => {
      const { name, version, license } = JSON.parse(readFileSync(join(packageRoot, folder, 'package.json'), 'utf8'))
      const file = readdirSync(join(packageRoot, folder)).find(one => /^licen[cs]e/i.test(one))
      const text = file === undefined ? '' : readFileSync(join(packageRoot, folder, file), 'utf8').trim()
      return `${name} ${version} (${license})\n\n${text}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}
