/** What is run against each mutant: a command, or a function of the user's. */
import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { laterReal, monotonicMs } from '../base/clock.ts'
import { shorten } from '../base/text.ts'
import { runProgram } from '../rehearse/program.ts'
import { fillPlaceholders, type RunPlaces, variablesFor } from '../rehearse/variables.ts'
import type { MutationRun } from './report.ts'

/** Where the mock of one run is. A function gets it, a command the same as variables. */
export interface MutatedMock extends RunPlaces {
  /** A name that no other run has, for files and databases of its own: "healthy-1", "run-17". */
  run: string
  /** Aborted when the run has had its time. */
  signal: AbortSignal
}

/** Your tests: it is red when it throws, rejects, or gives false. */
export type TestsToRun = (mock: MutatedMock) => unknown

export interface Runner {
  name: string
  run(places: Omit<MutatedMock, 'signal'>, timeoutMs: number, signal: AbortSignal | undefined): Promise<MutationRun>
  close(): void
}

/** Of what a run printed, characters that are kept. */
const maxOutput = 2_000

export function functionRunner(tests: TestsToRun): Runner {
  return {
    name: tests.name === '' ? 'a function' : `${tests.name}()`,
    close: () => {},
    async run(places, timeoutMs, outer) {
      const begunAt = monotonicMs()
      const end = new AbortController()
      let isLate = false
      const cancel = laterReal(timeoutMs, () => {
        isLate = true
        end.abort()
      })
      const stop = () => end.abort()
      outer?.addEventListener('abort', stop, { once: true })
      const stopped = new Promise<false>(resolve => end.signal.addEventListener('abort', () => resolve(false)))
      let output = ''
      const green = await Promise.race([
        stopped,
        (async () => (await tests({ ...places, signal: end.signal })) !== false)().catch((error: unknown) => {
          output = error instanceof Error ? (error.stack ?? error.message) : String(error)
          return false
        }),
      ])
      cancel()
      outer?.removeEventListener('abort', stop)
      const ms = Math.round(monotonicMs() - begunAt)
      return {
        green,
        exit_code: null,
        timed_out: isLate,
        ms,
        ...(output !== '' && { output: shorten(output, maxOutput) }),
      }
    },
  }
}

export function commandRunner(
  command: readonly [string, ...string[]],
  environment: Readonly<Record<string, string | undefined>>,
  variables: readonly string[],
): Runner {
  const folder = mkdtempSync(join(tmpdir(), 'understudy-mutate-'))
  const remove = () => rmSync(folder, { recursive: true, force: true })
  // By a second Ctrl-C.
  process.once('exit', remove)
  return {
    name: command.join(' '),
    close() {
      process.removeListener('exit', remove)
      remove()
    },
    async run(places, timeoutMs, signal) {
      const log = join(folder, `${places.run}.log`)
      const {
        finished,
        exitCode,
        signal: killedBy,
        ms,
      } = await runProgram({
        command: command.map(word => fillPlaceholders(word, places)),
        environment: { ...environment, ...variablesFor({ ...places, UNDERSTUDY_RUN: places.run }, variables) },
        log,
        timeoutMs,
        ...(signal && { signal }),
      })
      const green = finished && exitCode === 0
      return {
        green,
        exit_code: exitCode,
        ...(killedBy !== undefined && { signal: killedBy }),
        timed_out: !finished && signal?.aborted !== true,
        ms: Math.round(ms),
        ...(!green && { output: endOf(log) }),
      }
    },
  }
}

/** Only the end is read: a program that prints on and on may have left more than fits in memory. */
function endOf(log: string): string {
  const file = openSync(log, 'r')
  try {
    const { size } = fstatSync(file)
    const end = Buffer.alloc(Math.min(size, maxOutput * 4))
    const text = end.toString('utf8', 0, readSync(file, end, 0, end.length, size - end.length))
    return size === end.length && text.length <= maxOutput ? text : `…${text.slice(-maxOutput)}`
  } finally {
    closeSync(file)
  }
}
