/** The mock's log. pino writes it; who wants no lines doesn't wait for pino to load. */
import type { LogLevel } from './config.ts'

/** As much of pino's Logger as the mock uses. */
export interface Log {
  isLevelEnabled: (level: string) => boolean
  debug: LogLine
  info: LogLine
  warn: LogLine
  error: LogLine
}

type LogLine = (fields: object, message: string) => void

/** Writes nothing. */
export const silentLog: Log = { isLevelEnabled: () => false, debug() {}, info() {}, warn() {}, error() {} }

/** A JSON object a line, on stdout. */
export async function makeLog(level: LogLevel): Promise<Log> {
  if (level === 'silent') return silentLog
  const { pino } = await loadPino()
  const log: Log = pino({ level })
  return log
}

/** Through a file of ours: a bundle's import() of a CommonJS package gives no names. */
export const loadPino = () => import('./pino.ts')
