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
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const { dependencies, devDependencies, peerDependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

/** What the bundle brings: developers have it, users needn't. All else is loaded from where it is installed. */
const brought = [
  '@fastify/busboy',
  '@fastify/multipart',
  '@fastify/send',
  '@modelcontextprotocol/server',
  '@opentelemetry/api',
  '@opentelemetry/exporter-trace-otlp-http',
  '@opentelemetry/resources',
  '@opentelemetry/sdk-trace-base',
  '@opentelemetry/semantic-conventions',
  '@peculiar/x509',
  'ajv',
  'commander',
  'content-disposition',
  'fast-json-stringify',
  'fastest-levenshtein',
  'fastify',
  'fflate',
  'mediabunny',
  'nanoid',
  'pino',
  'reflect-metadata',
  'safe-stable-stringify',
  'undici',
  'yaml',
]
const installed = Object.keys({ ...dependencies, ...devDependencies }).filter(name => !brought.includes(name))

/**
 * Bundles each entry (`server/index`) into `folder`; `outside` stays outside too, `inside` does not, and `alias`
 * names what is taken in place of a package. With `isSmall` there is a third less for each start to read. Resolves with
 * esbuild's metafile.
 */
export async function bundle(
  entries,
  folder,
  { outside = [], inside = [], alias = {}, plugins = [], sourcemap = false, isSmall = false } = {},
) {
  const external = [...installed.filter(name => !inside.includes(name)), ...outside]
  const { metafile } = await build({
    entryPoints: Object.fromEntries(entries.map(entry => [entry, `${entry}.ts`])),
    outdir: folder,
    absWorkingDir: root,
    bundle: true,
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
    format: 'esm',
    platform: 'node',
    target: 'node20',
    external,
    alias,
    // CommonJS packages ask for Node's own modules by require().
    banner: {
      js: "import { createRequire as makeRequire } from 'node:module'; const require = makeRequire(import.meta.url);",
    },
    plugins: [...plugins, requiredToo, httpByRequire, noLateNames(external)],
    // The names stay, so that a stack trace says something, and lines that a terminal can show.
    ...(isSmall && { minifyWhitespace: true, minifySyntax: true, lineLimit: 160 }),
    sourcemap,
    sourcesContent: false,
    metafile: true,
    logLevel: 'warning',
  })
  return metafile
}

/**
 * The package's own: with the licences of all that is in it. Throws where it would need what users don't have.
 */
export async function bundlePackage(entries, folder) {
  const metafile = await bundle(entries, folder, { isSmall: true })
  partsOf(metafile, entries)
  writeFileSync(join(folder, 'LICENSES.txt'), licences(Object.keys(metafile.inputs)))
}

/**
 * The files that some entries of a bundle are made of, as esbuild's metafile names them. Throws where they would need what users
 * don't have.
 */
export function partsOf({ outputs }, entries) {
  const isTheirs = ({ entryPoint = '' }) => entries.includes(entryPoint.replace(/\.ts$/, ''))
  const parts = new Set(Object.keys(outputs).filter(path => isTheirs(outputs[path])))
  const asked = new Set()
  // What is added on the way has its turn, too.
  for (const part of parts)
    for (const { path, external } of outputs[part].imports)
      (external ? asked : parts).add(external ? nameOf(path) : path)
  const missing = [...asked].filter(name => name in devDependencies && !(name in peerDependencies))
  if (missing.length > 0) throw new Error(`users don't have ${missing}: list them as brought, or as dependencies`)
  return [...parts]
}

const nameOf = path =>
  path
    .split('/')
    .slice(0, path.startsWith('@') ? 2 : 1)
    .join('/')

/** What a source file loads by createRequire(), so as not to wait for it, is part of the bundle like what it imports. */
/** @type {import('esbuild').Plugin} */
const requiredToo = {
  name: 'required-too',
  setup({ onLoad }) {
    onLoad({ filter: /[\\/](server|base)[\\/].*\.ts$/ }, async ({ path }) => {
      const text = await readFile(path, 'utf8')
      return { contents: text.replaceAll(/createRequire\(import\.meta\.url\)\((?=')/g, 'require('), loader: 'ts' }
    })
  },
}

/**
 * `import 'node:http'` reads all that it exports, and one of those loads undici: 40 ms on Node 22 and 24, where require() takes
 * 5 (findings/node-import-http-loads-undici.sh).
 */
/** @type {import('esbuild').Plugin} */
const httpByRequire = {
  name: 'http-by-require',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^node:http$/ }, ({ kind }) =>
      kind === 'import-statement' ? { path: 'http', namespace: 'required' } : undefined,
    )
    onLoad({ filter: /.*/, namespace: 'required' }, ({ path }) => ({
      contents: `module.exports = require('node:${path}')`,
      loader: 'js',
    }))
  },
}

/**
 * `import()` of a bundled CommonJS package would give its default alone, and no names: the first call would tell.
 *
 * @type {(outside: readonly string[]) => import('esbuild').Plugin}
 */
const noLateNames = outside => ({
  name: 'no-late-names',
  setup({ onResolve }) {
    onResolve({ filter: /^[^.]/ }, ({ path, kind, importer }) => {
      const isOurs = !importer.includes('node_modules') && !path.startsWith('node:')
      if (kind !== 'dynamic-import' || !isOurs || outside.includes(nameOf(path))) return undefined
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

/**
 * The licence of each package that one of the files belongs to, as its own file has it.
 */
function licences(files) {
  const packages = new Set(files.flatMap(file => /^.*node_modules\/(?:@[^/]+\/)?[^/]+/.exec(file) ?? []))
  return [...packages]
    .sort()
    .map(folder => {
      const { name, version, license } = JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8'))
      const file = readdirSync(join(root, folder)).find(one => /^licen[cs]e/i.test(one))
      const text = file === undefined ? '' : readFileSync(join(root, folder, file), 'utf8').trim()
      return `${name} ${version} (${license})\n\n${text}\n`
    })
    .join(`\n${'-'.repeat(80)}\n\n`)
}
