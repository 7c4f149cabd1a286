/**
 * Brings the pinned libraries into a folder outside the repository, once for each table of versions, and says by which
 * command a program runs there. What can't be had on this machine is named, and not measured.
 */
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Library, nodeVersion, type Registry } from './libraries.ts'

const run = promisify(execFile)

/** Where all is installed; safe to delete. */
export const cacheFolder = join(tmpdir(), 'understudy-clients')
const programsFolder = import.meta.dirname

/** What runs the programs of a registry. */
export interface Toolchain {
  /** "Node.js 24.22.3": what the numbers hang on beside the library's own version. */
  readonly version: string
  command(program: string): string[]
  /** What it needs in the environment. */
  readonly env?: Readonly<Record<string, string>>
  /** The version of a program that comes with the machine, or with the toolchain. */
  versionOf?(program: string): string
}

/** Throws where the toolchain is missing, or the registry doesn't have a package. */
export async function install(registry: Registry, libraries: readonly Library[]): Promise<Toolchain> {
  const folder = join(cacheFolder, registry)
  mkdirSync(folder, { recursive: true })
  cpSync(join(programsFolder, registry), folder, { recursive: true })
  const packages = Object.assign({}, ...libraries.map(one => one.packages)) as Record<string, string>
  const sources = createHash('sha256').update(JSON.stringify(packages)).digest('hex')
  const stamp = join(folder, '.installed')
  const isThere = existsSync(stamp) && readFileSync(stamp, 'utf8') === sources
  const toolchain = await installers[registry](folder, packages, isThere)
  writeFileSync(stamp, sources)
  return toolchain
}

type Installer = (folder: string, packages: Readonly<Record<string, string>>, isThere: boolean) => Promise<Toolchain>

const npmInstall = async (folder: string, packages: Readonly<Record<string, string>>): Promise<void> => {
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n')
  const named = Object.entries(packages).map(([name, version]) => `${name}@${version}`)
  await run('npm', ['install', '--no-audit', '--no-fund', '--ignore-scripts', ...named], { cwd: folder })
}

/** Languages that come with the machine, and how their programs end. */
const interpreters: Readonly<Record<string, string>> = { ruby: 'rb', php: 'php' }

const installers: Record<Registry, Installer> = {
  async npm(folder, packages, isThere) {
    const nodeFolder = join(cacheFolder, 'node')
    const nodePackage = `node-${process.platform}-${process.arch}`
    const node = join(nodeFolder, 'node_modules', nodePackage, 'bin', 'node')
    if (!existsSync(node)) await npmInstall(nodeFolder, { [nodePackage]: nodeVersion })
    if (!isThere) await npmInstall(folder, packages)
    return {
      version: `Node.js ${nodeVersion}`,
      command: program => [node, join(folder, `${program}.mjs`)],
      env: { NODE_COMPILE_CACHE: join(folder, '.compiled') },
    }
  },

  async pypi(folder, packages, isThere) {
    const python = join(folder, 'venv', 'bin', 'python')
    if (!isThere) {
      await run('python3', ['-m', 'venv', join(folder, 'venv')])
      const named = Object.entries(packages).map(([name, version]) => `${name}==${version}`)
      await run(python, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', ...named])
    }
    const { stdout } = await run(python, ['--version'])
    return { version: stdout.trim(), command: program => [python, join(folder, `${program}.py`)] }
  },

  async system(folder) {
    const versions = new Map<string, string>()
    for (const tool of ['curl', 'wget', ...Object.keys(interpreters), 'chromium']) {
      const { stdout } = await run(tool, ['--version']).catch(() => ({ stdout: '' }))
      const version = /\d+(\.\d+)+/.exec(stdout)?.[0]
      if (version !== undefined) versions.set(tool, version)
    }
    const toolOf = (program: string): string => program.replace('fault-', '').split('-', 1)[0] as string
    return {
      version: '',
      command(program) {
        const tool = toolOf(program)
        if (!versions.has(tool)) throw new Error(`there is no ${tool} on this machine`)
        if (tool === 'chromium') return [process.execPath, join(folder, `${program}.mjs`)]
        const ending = interpreters[tool]
        return ending === undefined
          ? ['bash', join(folder, `${program}.sh`)]
          : [tool, join(folder, `${program}.${ending}`)]
      },
      versionOf: program => versions.get(toolOf(program)) ?? '?',
    }
  },

  async go(folder, packages, isThere) {
    const bin = join(folder, 'bin')
    if (!isThere) {
      writeFileSync(join(folder, 'go.mod'), 'module clients\n\ngo 1.23\n')
      const named = Object.entries(packages).map(([name, version]) => `${name}@v${version}`)
      await run('go', ['get', ...named], { cwd: folder })
    }
    await run('go', ['mod', 'tidy'], { cwd: folder })
    await run('go', ['build', '-o', `${bin}/`, './...'], { cwd: folder })
    const { stdout } = await run('go', ['env', 'GOVERSION'])
    return { version: stdout.trim().replace('go', 'Go '), command: program => [join(bin, program)] }
  },

  async crates(folder, packages) {
    const manifest = readFileSync(join(folder, 'Cargo.toml'), 'utf8')
    for (const version of Object.values(packages))
      if (!manifest.includes(`"=${version}"`))
        throw new Error(`Cargo.toml has not the version ${version} of libraries.ts`)
    await run('cargo', ['build', '--quiet'], { cwd: folder, maxBuffer: 1 << 26 })
    const { stdout } = await run('rustc', ['--version'])
    return {
      version: stdout.split(' ').slice(0, 2).join(' ').replace('rustc', 'Rust'),
      command: program => [join(folder, 'target', 'debug', program)],
    }
  },

  async maven(folder, packages, isThere) {
    const jars = join(folder, 'jars')
    if (!isThere) {
      const dependencies = Object.entries(packages).map(([name, version]) => {
        const [group, artifact] = name.split(':')
        return `<dependency><groupId>${group}</groupId><artifactId>${artifact}</artifactId><version>${version}</version></dependency>`
      })
      writeFileSync(
        join(folder, 'pom.xml'),
        `<project><modelVersion>4.0.0</modelVersion><groupId>clients</groupId><artifactId>clients</artifactId><version>1</version><dependencies>${dependencies.join('')}</dependencies></project>\n`,
      )
      await run('mvn', ['-q', '-B', 'dependency:copy-dependencies', `-DoutputDirectory=${jars}`], { cwd: folder })
    }
    const classes = join(folder, 'classes')
    await run('bash', ['-c', `javac -cp 'jars/*' -d classes *.java`], { cwd: folder })
    const { stdout } = await run('java', ['--version'])
    const version = /\d+(\.\d+)*/.exec(stdout)?.[0] ?? '?'
    return {
      version: `Java ${version}`,
      versionOf: () => version,
      command: program => ['java', '-cp', `${classes}:${jars}/*`, program],
    }
  },
}
