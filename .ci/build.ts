/**
 * `npm run build`: JavaScript to dist/, bundled, the desk to dist/desk, and the type declarations, one file for each subpath
 * of the package with what they share in dist/types/. Types that are derived from JSON Schemas are written out, so that an
 * import of one loads no typings of another package. Does nothing where dist is newer than what it is made of; `-- --always`
 * builds anyway.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'
import ts from 'typescript'
import { packageRoot } from '../base/paths.ts'
import { shippedFolder } from '../server/scenarios/library.ts'
import { parseAll, parsedFile } from '../server/scenarios/parsed.ts'
import { bundlePackage } from './bundle.mjs'
import { buildDesk } from './desk/build.mjs'

const dist = join(packageRoot, 'dist')
/** Each file's own declarations, which are rolled up; gone at the end. In node_modules the plugin would leave them alone. */
const plainSchema = 'type JSONSchema = boolean | { readonly [keyword: string]: unknown };'
const scratch = join(dist, '.declarations')

const { exports } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
  exports: Record<string, string | { types: string }>
}
/** server/index for ./dist/server/index.d.ts */
const entries = Object.values(exports).flatMap(target =>
  typeof target === 'string' ? [] : [target.types.replace(/^\.\/dist\/|\.d\.ts$/g, '')],
)

if (!process.argv.includes('--always') && !isStale()) {
  console.log('dist is up to date')
  process.exit(0)
}
// The site stays: it is made by `npm run docs:site`. So does the desk, which may be open in a test: it is made anew where
// something of it has changed.
for (const name of existsSync(dist) ? readdirSync(dist) : [])
  if (name !== 'site' && name !== 'desk') rmSync(join(dist, name), { recursive: true })
compile()
const types = await rollup({
  input: Object.fromEntries(entries.map(entry => [entry, join(scratch, `${entry}.d.ts`)])),
  plugins: [dts()],
  external: name => !name.startsWith('.') && !name.startsWith('/'),
  // Types that only other types name stay private, and FromSchema was written out.
  onLog: (level, log, handler) =>
    log.plugin === 'dts' || log.code === 'UNUSED_EXTERNAL_IMPORT' ? undefined : handler(level, log),
})
await types.write({ dir: dist, entryFileNames: '[name].d.ts', chunkFileNames: 'types/[name].ts' })
await types.close()
rmSync(scratch, { recursive: true, force: true })
await bundlePackage([...entries, 'cli/bin'], dist)
writeFileSync(parsedFile, JSON.stringify(parseAll(shipped())))
await buildDesk()

/** The scenario files of the package. */
function shipped(): { text: string; file: string }[] {
  const files = readdirSync(shippedFolder).filter(name => name.endsWith('.yaml'))
  return files.map(name => ({ text: readFileSync(join(shippedFolder, name), 'utf8'), file: name }))
}

/** Whether something that it is made of has changed since: a file, or what is in a folder. */
function isStale(): boolean {
  const made = join(dist, 'LICENSES.txt')
  if (!existsSync(made)) return true
  const { mtimeMs } = statSync(made)
  const { include } = JSON.parse(readFileSync(join(packageRoot, 'tsconfig.build.json'), 'utf8')) as {
    include: string[]
  }
  const rooms = [...include, 'scenarios'].flatMap(room => [
    room,
    ...readdirSync(join(packageRoot, room), { recursive: true, encoding: 'utf8' }).map(name => join(room, name)),
  ])
  return [
    'package-lock.json',
    'tsconfig.build.json',
    '.ci',
    join('.ci', 'build.ts'),
    join('.ci', 'bundle.mjs'),
    ...rooms,
  ].some(name => statSync(join(packageRoot, name)).mtimeMs > mtimeMs)
}

function compile(): void {
  const { config } = ts.readConfigFile(join(packageRoot, 'tsconfig.build.json'), ts.sys.readFile)
  const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, packageRoot)
  // `-- --noCheck` where the types are checked anyway: it takes a quarter of the time.
  const noCheck = process.argv.includes('--noCheck')
  const folders = { outDir: scratch }
  const program = ts.createProgram(fileNames, {
    ...options,
    ...folders,
    declaration: true,
    emitDeclarationOnly: true,
    noCheck,
  })
  const problems = noCheck ? [] : ts.getPreEmitDiagnostics(program)
  if (problems.length > 0) {
    const host = {
      getCurrentDirectory: () => packageRoot,
      getCanonicalFileName: (name: string) => name,
      getNewLine: () => '\n',
    }
    throw new Error(ts.formatDiagnostics(problems, host))
  }
  const checker = program.getTypeChecker()
  program.emit(undefined, (file, text, _mark, _onError, sources) => {
    const source = sources?.[0]
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, source ? plainTypes(text, source, checker) : text)
  })
}

/** `export type Job = FromSchema<typeof Job>` becomes `export type Job = { id: string; … }`. */
function plainTypes(text: string, source: ts.SourceFile, checker: ts.TypeChecker): string {
  let done = text
    .replace(/((?:from|import) '|import\(')(\.[^']*)\.ts'/g, "$1$2.js'")
    // That package's type of a schema loads 60 files; a user needs no more of it than this.
    // What the mock adds to Fastify's request is its own, and Fastify is not there where the package is installed.
    .replace(/^declare module 'fastify' \{\n[\s\S]*?^\}\n/gm, '')
    .replace(/^import type \{ (FromSchema, )?JSONSchema \} from 'json-schema-to-ts';$/m, plainSchema)
  for (const statement of source.statements) {
    if (!ts.isTypeAliasDeclaration(statement) || !/\bFromSchema</.test(statement.type.getText(source))) continue
    const name = statement.name.text
    const type = checker.getTypeAtLocation(statement.name)
    const flags =
      ts.TypeFormatFlags.NoTruncation |
      ts.TypeFormatFlags.InTypeAlias |
      ts.TypeFormatFlags.UseAliasDefinedOutsideCurrentScope
    const plain = checker.typeToString(type, statement, flags)
    done = done.replace(
      new RegExp(`^(export )?(declare )?type ${name} = FromSchema<[^\\n]*;$`, 'm'),
      (_all, exported = '') => `${exported}type ${name} = ${plain};`,
    )
  }
  const name = relative(packageRoot, source.fileName)
  // No subpath of the package leads to the tools of mcp/, so that nobody sees their types.
  if (/\bFromSchema</.test(done.replace(/^import .*$/gm, '')) && !/^mcp[\\/]/.test(name))
    throw new Error(`${name}: a type that is derived from a schema is not written out`)
  return done
}
