/**
 * Which mocks of `serve` run on this machine: a file for each in a folder of the user's, written while it listens. What was
 * killed leaves its file behind; it is passed over, as its process is gone.
 */
import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Environment } from '../base/commandIo.ts'
import { isRunning, statOf } from '../base/processes.ts'

export interface MockRecord {
  /** What it is called by `stop` and `logs`: --name, or its port. */
  name: string
  url: string
  port: number
  pid: number
  /** When the process began, as its system counts it: a pid is given to others later. null where nobody tells. */
  process_start: string | null
  /** ISO 8601. */
  since: string
  seed: string
  /** A key that works. */
  key: string
  /** The file that it logs to, of one that was detached. */
  log: string | null
  cwd: string
  version: string
}

/** Where the files are: UNDERSTUDY_STATE_DIR, or what the system has for a user's state. undefined without a home. */
export function stateFolder(env: Environment): string | undefined {
  if (env.UNDERSTUDY_STATE_DIR) return env.UNDERSTUDY_STATE_DIR
  const base = process.platform === 'win32' ? env.LOCALAPPDATA : env.XDG_STATE_HOME
  if (base) return join(base, 'understudy')
  // Who has no HOME in the environment is a test, or a service that is nobody's.
  if (process.platform === 'win32' || !env.HOME) return undefined
  return join(homedir(), '.local', 'state', 'understudy')
}

/** Writes it whole; gives what takes it away again. Throws where the folder can't be written. */
export function registerMock(folder: string, record: Omit<MockRecord, 'process_start'>): () => void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  sweepRecords(folder, { withLogs: false })
  const file = join(folder, `${record.pid}-${record.port}.json`)
  const partial = `${file}.tmp`
  const whole: MockRecord = { ...record, process_start: startOf(record.pid) }
  writeFileSync(partial, `${JSON.stringify(whole, null, 2)}\n`, { mode: 0o600 })
  renameSync(partial, file)
  // With its log, which nobody could find any more.
  return () => {
    for (const name of [file, record.log]) if (name !== null) rmSync(name, { force: true })
  }
}

/** Every mock of which there is a file, the longest running first; `isAlive` tells those that were killed. */
export function readRecords(folder: string | undefined): { record: MockRecord; isAlive: boolean; file: string }[] {
  if (folder === undefined) return []
  const found = namesIn(folder).flatMap(name => {
    const file = join(folder, name)
    const record = readRecord(file)
    return record === undefined ? [] : [{ record, isAlive: isSameProcess(record), file }]
  })
  return found.sort((a, b) => (a.record.since < b.record.since ? -1 : 1))
}

/** Removes what those that were killed have left; one that has a log keeps it, unless `withLogs` says otherwise. */
export function sweepRecords(folder: string, { withLogs }: { withLogs: boolean }): void {
  for (const { record, isAlive, file } of readRecords(folder)) {
    if (isAlive || (record.log !== null && !withLogs)) continue
    for (const name of [file, record.log]) if (name !== null) rmSync(name, { force: true })
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter(name => /^\d+-\d+\.json$/.test(name))
  } catch {
    return []
  }
}

/** undefined for what is gone again, or is another program's. */
function readRecord(file: string): MockRecord | undefined {
  try {
    const { name, url, pid, since, ...rest } = JSON.parse(readFileSync(file, 'utf8')) as MockRecord
    const isRecord = typeof name === 'string' && typeof url === 'string' && Number.isInteger(pid) && pid > 0
    return isRecord && typeof since === 'string' ? { name, url, pid, since, ...rest } : undefined
  } catch {
    return undefined
  }
}

/** Whether the process of the record still runs, and its pid is not another's by now. */
export const isSameProcess = ({ pid, process_start }: MockRecord): boolean =>
  isRunning(pid) && (process_start === null || startOf(pid) === process_start)

/** Linux only: ticks from the boot to the start of the process, and the boot's id. */
function startOf(pid: number): string | null {
  try {
    const { state, startTicks } = statOf(pid)
    // Only its parent has not asked for it yet.
    if (state === 'Z') return 'ended'
    return `${startTicks} ${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`
  } catch {
    return null
  }
}
