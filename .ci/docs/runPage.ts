/** Runs a page of the documentation from top to bottom, in a clean folder with the packed package in it. */
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { transform } from 'esbuild'
import { missingLine } from './compare.ts'
import { type Block, blocksOf, type Command } from './page.ts'
import { Shell } from './shell.ts'

export interface Difference {
  /** Line of the page, from 1. */
  line: number
  text: string
  /** The command whose output differs, and what it is: what `npm run docs` writes. */
  command?: Command
  output?: string
}

/** The ports that pages name, and those that are free here. */
type Ports = ReadonlyMap<string, string>

/** `packed` is a folder with node_modules/understudy-mock in it. */
export async function runPage(page: string, packed: string): Promise<Difference[]> {
  const blocks = blocksOf(page)
  if (blocks.length === 0) return []
  const folder = await mkdtemp(join(tmpdir(), 'understudy-docs-'))
  const ports: Ports = new Map(
    await Promise.all(['4010', '4011', '4012'].map(async port => [port, await freePort()] as const)),
  )
  await symlink(join(packed, 'node_modules'), join(folder, 'node_modules'))
  await writeFile(join(folder, 'package.json'), '{ "type": "module" }\n')
  const shell = new Shell(folder, environment(packed, ports))
  const differences: Difference[] = []
  try {
    for (const block of blocks) differences.push(...(await runBlock(block, shell, folder, ports)))
  } finally {
    await shell.close()
    await rm(folder, { recursive: true, force: true })
  }
  return differences
}

async function runBlock(block: Block, shell: Shell, folder: string, ports: Ports): Promise<Difference[]> {
  const here = (text: string) => swap(text, ports)
  if (block.kind === 'file') {
    await mkdir(dirname(join(folder, block.name)), { recursive: true })
    await writeFile(join(folder, block.name), here(block.text))
    return []
  }
  if (block.kind === 'program') {
    const { output, code } = await shell.type(await commandFor(block.language, here(block.text), folder))
    return code === 0 ? [] : [{ line: block.line, text: `the program ended with exit code ${code}:\n${output}` }]
  }
  const differences: Difference[] = []
  for (const [i, command] of block.commands.entries()) {
    const { text, shown, line } = command
    if (block.kind === 'server') {
      const output = back(await shell.serve(here(text), so => isAllThere(shown, back(so, ports))), ports)
      if (!isAllThere(shown, output)) differences.push(...differenceOf(command, output))
    } else if (block.kind === 'stop') {
      differences.push(...differenceOf(command, back(await shell.stop('SIGINT'), ports)))
    } else {
      const { output, code } = await shell.type(here(text))
      differences.push(...differenceOf(command, back(output, ports)))
      const asked = block.commands[i + 1]?.text === 'echo $?'
      if (code !== 0 && !asked)
        differences.push({ line, text: `exit code ${code}; show it with \`$ echo $?\`\n${output.slice(-2000)}` })
    }
  }
  return differences
}

/** A server goes on printing: all that is shown has to have come. */
const isAllThere = (shown: readonly string[], output: string): boolean =>
  missingLine([...shown, '…'], output) === undefined

function differenceOf(command: Command, output: string): Difference[] {
  const { shown, shownFrom } = command
  if (shown.every(line => line.trim() === '')) return []
  const missing = missingLine(shown, output)
  if (missing === undefined) return []
  const text = `\`${shown[missing]}\` is shown, and is not what \`${command.text}\` prints:\n${output.slice(0, 4000)}`
  return [{ line: shownFrom + missing, text, command, output }]
}

async function commandFor(language: string, text: string, folder: string): Promise<string> {
  const name = language === 'py' ? 'block.py' : 'block.mjs'
  const code = language === 'ts' ? (await transform(text, { loader: 'ts', target: 'node20' })).code : text
  await writeFile(join(folder, name), code)
  return `${language === 'py' ? 'python3' : 'node'} ${name}`
}

const swap = (text: string, ports: Ports): string => text.replace(/\b401[012]\b/g, port => ports.get(port) ?? port)

function back(text: string, ports: Ports): string {
  for (const [shown, real] of ports) text = text.replaceAll(real, shown)
  return text
}

function environment(packed: string, ports: Ports): NodeJS.ProcessEnv {
  const { PATH, HOME, LANG } = process.env
  return {
    PATH: `${join(packed, 'bin')}:${PATH}`,
    HOME,
    LANG,
    NO_COLOR: '1',
    UNDERSTUDY_PORT: ports.get('4010'),
    UNDERSTUDY_RECORD_PORT: ports.get('4011'),
  }
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise(resolve => server.once('listening', resolve))
  const { port } = server.address() as { port: number }
  await new Promise(resolve => server.close(resolve))
  return String(port)
}
