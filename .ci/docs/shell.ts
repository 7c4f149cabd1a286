/** One bash for a page, and the servers that it starts: what is typed there runs here, in a folder of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'

/** What one command may take, ms. */
const commandMs = 180_000
const readyMs = 20_000

/**
 * Ends the group of the server when its stdin does: whatever ended this process, be it a test that took too long or SIGKILL, nobody
 * else would.
 */
const untilParentEnds = '{ read -r; kill -TERM -- -$$; } <&0 >/dev/null 2>&1 &'

export interface Typed {
  output: string
  code: number
}

export class Shell {
  readonly #bash: ChildProcess
  readonly #cwd: string
  readonly #env: NodeJS.ProcessEnv
  #server: { child: ChildProcess; output: string } | undefined

  constructor(cwd: string, env: NodeJS.ProcessEnv) {
    this.#cwd = cwd
    this.#env = env
    this.#bash = spawn('bash', ['--norc', '--noprofile'], { cwd, env, stdio: ['pipe', 'pipe', 'ignore'] })
    this.#bash.stdin?.write('exec 2>&1\n')
  }

  /** Runs a command and resolves with what it printed on either stream, and its exit code. */
  async type(command: string): Promise<Typed> {
    const { stdin, stdout } = this.#bash
    const end = `\u0001end-of-command\u0001`
    let output = ''
    const done = new Promise<Typed>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`did not end within ${commandMs / 1000} s`)), commandMs)
      const read = (chunk: Buffer) => {
        output += chunk
        const found = new RegExp(`${end}(\\d+)\n`).exec(output)
        if (found === null) return
        clearTimeout(timer)
        stdout?.off('data', read)
        resolve({ output: output.slice(0, found.index).replace(/\n$/, ''), code: Number(found[1]) })
      }
      stdout?.on('data', read)
    })
    stdin?.write(`${command}\n_code=$?; printf '\\n\\001end-of-command\\001%d\\n' $_code; (exit $_code)\n`)
    return done
  }

  /** Starts a server in the background, in place of the one before, and resolves when `isReady` of its output. */
  async serve(command: string, isReady: (output: string) => boolean): Promise<string> {
    await this.stop('SIGTERM')
    const child = spawn('bash', ['-c', `${untilParentEnds}\nexec ${command} 2>&1 </dev/null`], {
      cwd: this.#cwd,
      env: this.#env,
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    // The server may end first.
    child.stdin?.on('error', () => {})
    const server = { child, output: '' }
    this.#server = server
    return new Promise(resolve => {
      const timer = setTimeout(() => resolve(server.output), readyMs)
      const look = () => {
        if (!isReady(server.output)) return
        clearTimeout(timer)
        resolve(server.output)
      }
      child.stdout?.on('data', chunk => {
        server.output += chunk
        look()
      })
      child.once('exit', () => {
        clearTimeout(timer)
        resolve(server.output)
      })
    })
  }

  /** Ends the server; what it has printed since it was ready. */
  async stop(signal: NodeJS.Signals): Promise<string> {
    const server = this.#server
    this.#server = undefined
    if (server === undefined) return ''
    const { child } = server
    const before = server.output.length
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, 'exit')
      process.kill(-(child.pid as number), signal)
      await exited
    }
    child.stdin?.destroy()
    return server.output.slice(before)
  }

  async close(): Promise<void> {
    await this.stop('SIGTERM')
    this.#bash.kill('SIGKILL')
  }
}
