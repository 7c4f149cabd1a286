/** Runs a program to its end, or to the end of its time; what it prints goes to a file. */

import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, openSync, statSync } from 'node:fs'
import { laterReal, monotonicMs, wallClockMs } from '../base/clock.ts'
import { ConfigError } from '../base/options.ts'
import { oneLine } from '../base/text.ts'

export interface Program {
  command: readonly string[]
  environment: Readonly<Record<string, string | undefined>>
  /** The file that stdout and stderr go to. */
  log: string
  timeoutMs: number
  signal?: AbortSignal
}

export interface Ended {
  /** It ended by itself, in time. */
  finished: boolean
  exitCode: number | null
  signal: string | undefined
  ms: number
  /** When it was asked to end, real ms since the epoch; undefined where it ended by itself. */
  stoppedAt: number | undefined
  /** From when on it printed nothing until it ended with exit code 0, real ms since the epoch; undefined: it ended otherwise. */
  silentSince: number | undefined
}

/** What stands after -- on the command line. Throws a ConfigError, with an `example` of a call, where nothing does. */
export function commandIn(words: readonly string[], example: string): readonly [string, ...string[]] {
  const [program, ...rest] = words
  // An empty one is a variable of a script that is not set.
  if (program === undefined || program === '')
    throw new ConfigError(`no command was given; expected one after --, such as understudy ${example}`)
  return [program, ...rest]
}

/** Between the request to end, and the end. */
const graceMs = 2_000

/** Throws a ConfigError for a program that can't be started. */
export function runProgram({ command, environment, log, timeoutMs, signal }: Program): Promise<Ended> {
  const [name = '', ...words] = command
  const out = openSync(log, 'w')
  const begunAt = monotonicMs()
  let child: ChildProcess
  try {
    // A group of its own: what it has started ends with it.
    child = spawn(name, words, { env: { ...environment }, stdio: ['ignore', out, out], detached: true })
  } catch (error) {
    throw new ConfigError(cantStart(name, error))
  } finally {
    closeSync(out)
  }
  let stoppedAt: number | undefined
  let cancelKill = () => {}
  const stop = () => {
    stoppedAt ??= monotonicMs()
    killGroup(child.pid, 'SIGTERM')
    cancelKill = laterReal(graceMs, () => killGroup(child.pid, 'SIGKILL'))
  }
  const cancel = laterReal(timeoutMs, stop)
  if (signal?.aborted) stop()
  signal?.addEventListener('abort', stop, { once: true })
  // Who ends this process in a hurry ends the program too.
  const killNow = () => killGroup(child.pid, 'SIGKILL')
  process.once('exit', killNow)
  return new Promise((resolve, reject) => {
    const over = () => {
      cancel()
      cancelKill()
      signal?.removeEventListener('abort', stop)
      process.removeListener('exit', killNow)
    }
    child.once('error', error => {
      over()
      reject(new ConfigError(cantStart(name, error)))
    })
    child.once('exit', (exitCode, killedBy) => {
      over()
      // What it left behind would call on.
      killGroup(child.pid, 'SIGKILL')
      const isQuietEnd = stoppedAt === undefined && exitCode === 0
      resolve({
        finished: stoppedAt === undefined,
        silentSince: isQuietEnd ? (lastPrintedAt(log) ?? begunAt) : undefined,
        exitCode,
        signal: killedBy ?? undefined,
        ms: monotonicMs() - begunAt,
        stoppedAt,
      })
    })
  })
}

/** Some errors are thrown by spawn() at once: a name that is empty, arguments that are too long for the system. */
function cantStart(name: string, error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException
  return `${name === '' ? '""' : oneLine(name)} can't be started: ${whyNotStarted(name, code, message)}`
}

function whyNotStarted(name: string, code: string | undefined, message: string): string {
  if (code === 'EACCES') return 'it may not be executed; name what runs it first, such as node or sh'
  if (code !== 'ENOENT' && name !== '') return oneLine(message)
  const isLine = /\s/.test(name)
  return `there is no such program${isLine ? '; give it and its arguments unquoted, or a line of a shell as sh -c "…"' : ''}`
}

/** When the program last wrote to its log, real ms since the epoch; undefined: it never did. */
function lastPrintedAt(log: string): number | undefined {
  const { size, mtimeMs } = statSync(log)
  // Some file systems know whole seconds only, or every other one: it may have been so much later.
  const lateMs = mtimeMs % 1000 === 0 ? 2_000 : 0
  // A file has its time by the machine's clock, which may have been set since.
  return size === 0 ? undefined : monotonicMs() - (wallClockMs() - mtimeMs) + lateMs
}

function killGroup(pid: number | undefined, signal: NodeJS.Signals): void {
  if (pid === undefined) return
  try {
    process.kill(-pid, signal)
  } catch {
    // It has ended already.
  }
}
