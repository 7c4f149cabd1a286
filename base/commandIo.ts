/** What a command gets from the process that runs it, and what it gives back. Only cli/bin.ts knows the process itself. */
import type { Readable } from 'node:stream'
import { visible } from './text.ts'

/** 0 good, 1 failed, 2 wrong usage, 3 unreachable. */
export type ExitCode = 0 | 1 | 2 | 3

export type Environment = Readonly<Record<string, string | undefined>>

/** stdout or stderr: a stream of the process, or one in memory. */
export interface OutputStream {
  write(text: string): unknown
  /** Whether it is a terminal. */
  isTTY?: boolean
  /** Width of the terminal; 0 or undefined if unknown. */
  columns?: number
  /** Its file descriptor, if it has one. */
  fd?: number
}

export interface CommandIo {
  /** Program and arguments that this run was started by; undefined for one inside another process. */
  self?: readonly string[]
  stdin: Readable
  stdout: OutputStream
  stderr: OutputStream
  env: Environment
  /** What the configuration file says of the mock on this machine, for the verbs that look for it. */
  mock?: { port?: number; adminToken?: string }
  /**
   * Aborted by Ctrl-C or SIGTERM: the command ends early, with a report of what is known. A command that doesn't read it is
   * ended by those at once.
   */
  signal: AbortSignal
}

/** Whether colors may be written to the stream: only to a terminal, and not with NO_COLOR. */
export const hasColor = (stream: OutputStream, { NO_COLOR }: Environment): boolean => stream.isTTY === true && !NO_COLOR

/**
 * Writes a text and a line break. What others sent may be in it: signs that a terminal would act on are written as escapes.
 * Colors, and what is made for machines, go to the stream itself.
 */
export const writeLine = (stream: OutputStream, line: string): void => void stream.write(`${visible(line)}\n`)

/** Writes a value for a program: JSON on one line, so that several of them are JSON lines. */
export const writeJson = (stream: OutputStream, value: unknown): void => void stream.write(`${JSON.stringify(value)}\n`)

/** Resolves when the signal is aborted. */
export const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
