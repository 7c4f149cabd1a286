/** The file that tells a script that the mock listens, and where. */
import { once } from 'node:events'
import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { realTimeout } from '../base/clock.ts'
import { ConfigError } from '../base/options.ts'
import { packageVersion } from '../base/paths.ts'

interface Ready {
  url: string
  port: number
  seed: string
  /** A key that works. */
  key: string
  /** What a client has to trust. */
  tls?: { fingerprint: string; ca: string | undefined }
}

/**
 * Writes it under another name first, so that who sees it sees all of it. Throws a ConfigError if that can't be done, or where it
 * is the file of another mock that still listens: whoever reads it would be sent to the wrong one.
 */
export async function writeReadyFile(file: string, { url, port, seed, key, tls }: Ready): Promise<void> {
  const { pid } = process
  const partial = `${file}.${pid}-${port}.tmp`
  try {
    writeFileSync(partial, `${JSON.stringify({ url, port, pid, seed, key, version: packageVersion, tls }, null, 2)}\n`)
    // Of two that start at the same moment one comes first.
    if (isPutInPlace(partial, file)) return
    const other = await mockIn(file, port)
    if (other !== undefined)
      throw new ConfigError(
        `--ready-file ${file} is that of a mock that runs (${other.url}, pid ${other.pid}); end that one, or name another file`,
      )
    renameSync(partial, file)
  } catch (error) {
    if (error instanceof ConfigError) throw error
    throw new ConfigError(`--ready-file ${file} can't be written (${(error as NodeJS.ErrnoException).code})`)
  } finally {
    rmSync(partial, { force: true })
  }
}

/** Unless there is such a file; false too where the file system knows no links. */
function isPutInPlace(partial: string, file: string): boolean {
  try {
    linkSync(partial, file)
    return true
  } catch {
    return false
  }
}

/** Another mock that the file is of, if it still listens: one that was killed leaves its file behind. */
async function mockIn(file: string, ownPort: number): Promise<{ url: string; pid: number } | undefined> {
  try {
    const { url, port, pid } = JSON.parse(readFileSync(file, 'utf8'))
    // In a container the same process may have had the same port before.
    if (port === ownPort) return undefined
    // Signal 0 only asks whether there is such a process; the number may be another program's by now.
    process.kill(pid, 0)
    return (await isListening(new URL(url))) ? { url, pid } : undefined
  } catch {
    return undefined
  }
}

const answerWithinMs = 1_000

async function isListening({ hostname, port }: URL): Promise<boolean> {
  const socket = connect({ host: hostname.replace(/^\[|\]$/g, ''), port: Number(port) })
  try {
    await once(socket, 'connect', { signal: realTimeout(answerWithinMs) })
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Removes it, unless another mock has written its own in the meantime. */
export function removeReadyFile(file: string, port: number): void {
  try {
    const found = JSON.parse(readFileSync(file, 'utf8'))
    if (found.pid === process.pid && found.port === port) rmSync(file, { force: true })
  } catch {
    // It is gone already, or is no longer ours.
  }
}
