/** `serve --detach`: the mock in a process of its own, which goes on when the command and its terminal are gone. */
import { type ChildProcess, spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { realDelay } from '../base/clock.ts'
import { type CommandIo, type ExitCode, writeJson, writeLine } from '../base/commandIo.ts'
import { ConfigError } from '../base/options.ts'
import { type MockRecord, readRecords, sweepRecords } from './runningMocks.ts'

/** By this the process knows that it is the detached one, and where its log is. */
export const detachedVariable = 'UNDERSTUDY_DETACHED'

const lookEveryMs = 30

/** Starts it, and returns once it listens: exit code 0, or that of a mock that could not start, with what it said. */
export async function serveDetached(
  { self, env, stdout, stderr, signal }: CommandIo,
  folder: string | undefined,
  isJson: boolean,
): Promise<ExitCode> {
  const [program, ...args] = self ?? []
  if (program === undefined)
    throw new ConfigError('--detach needs a process of its own, and main() runs within another')
  if (folder === undefined)
    throw new ConfigError('--detach has no folder to keep the mock in: neither HOME nor UNDERSTUDY_STATE_DIR is set')
  sweepRecords(folder, { withLogs: true })
  const log = join(folder, `${process.pid}.log`)
  const child = startChild(program, args, log, { ...env, [detachedVariable]: log })
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('exit', code => resolve(code ?? 1))
  })
  let code: number | undefined
  ended.then(
    exit => {
      code = exit
    },
    () => {},
  )
  let found: MockRecord | undefined
  while (found === undefined && code === undefined && !signal.aborted) {
    await Promise.race([realDelay(lookEveryMs), ended])
    found = readRecords(folder).find(({ record }) => record.pid === child.pid)?.record
  }
  if (found === undefined) {
    child.kill('SIGTERM')
    const exit = await ended
    stderr.write(readFileSync(log, 'utf8'))
    rmSync(log, { force: true })
    return ([1, 2, 3] as const).find(one => one === exit) ?? 1
  }
  child.unref()
  const { name, url, pid, key, seed } = found
  if (isJson) writeJson(stdout, found)
  else
    writeLine(
      stdout,
      `Understudy is ready at ${url}   key: ${key}   seed: ${seed}   pid: ${pid}\nunderstudy logs ${name} shows its log, understudy stop ${name} ends it`,
    )
  return 0
}

function startChild(
  program: string,
  args: string[],
  log: string,
  env: Record<string, string | undefined>,
): ChildProcess {
  let file: number
  try {
    mkdirSync(join(log, '..'), { recursive: true, mode: 0o700 })
    file = openSync(log, 'w', 0o600)
  } catch (error) {
    throw new ConfigError(
      `The log of the detached mock can't be written: ${(error as Error).message}; set UNDERSTUDY_STATE_DIR`,
    )
  }
  try {
    return spawn(program, args, { detached: true, stdio: ['ignore', 'ignore', file], env, windowsHide: true })
  } finally {
    closeSync(file)
  }
}
