/**
 * The package's JavaScript: one file for each entry, with chunks for what several share and for what is loaded only when it
 * is needed. A process that starts a mock reads a few files in place of five hundred, which halves the time that it takes.
 *
 * What the start needs of other packages is part of the bundle. That spares the same time again, and what is brought can't
 * refuse a user's Node (`engines`) or be another version there: `overrides` don't reach those who install the package.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { build, type Plugin } from 'esbuild'
import { packageRoot } from '../base/paths.ts'

/** What a user's installation has beside it: loaded only when it is needed, or by its own path. */
const installed = new Set(Object.keys(JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')).dependencies))

/** Bundles each entry (`server/index`) into `dist/`, with the licences of all that is in it; `outside` stays outside too. */
export async function bundle(entries: readonly string[], dist: string, outside: readonly string[] = []): Promise<void> {
  const { metafile } = await build({
    entryPoints: Object.fromEntries(entries.map(entry => [entry, `${entry}.ts`])),
    outdir: dist,
    absWorkingDir: packageRoot,
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external: [...installed, ...outside],
    // CommonJS packages ask for Node's own modules by require().
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
    plugins: [requiredToo, noLateNames(outside)],
    metafile: true,
    logLevel: 'warning',
  })
  writeFileSync(join(dist, 'LICENSES.txt'), licences(Object.keys(metafile.inputs)))
}

/** What a source file loads by createRequire(), so as not to wait for it, is part of the bundle like what it imports. */
const requiredToo: Plugin = {
  name: 'required-too',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/](server|base)[\\/].*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      return { contents: text.replaceAll(/createRequire\(import\.meta\.url\)\((?=')/g, 'require('), loader: 'ts' }
    })
  },
}

/** `import()` of a bundled CommonJS package would give its default alone, and no names: the first call would tell. */
const noLateNames = (outside: readonly string[]): Plugin => ({
  name: 'no-late-names',
  setup({ onResolve }) {
    onResolve({ filter: /^[^.]/ }, ({ path, kind, importer }) => {
      const isOurs = !importer.includes('node_modules') && !path.startsWith('node:')
      if (kind !== 'dynamic-import' || !isOurs || installed.has(path) || outside.includes(path)) return undefined
      return {
        errors: [
          {
            text: `import('${path}') of a package that is bundled; import it in a file of your own, and that file late`,
          },
        ],
      }
    })
  },
})

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
