/** The file that tells a script that the mock listens, and where. */
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
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

/** Writes it under another name first, so that who sees it sees all of it. Throws a ConfigError if that can't be done. */
export function writeReadyFile(file: string, { url, port, seed, key, tls }: Ready): void {
  const { pid } = process
  const partial = `${file}.${pid}.tmp`
  try {
    writeFileSync(partial, `${JSON.stringify({ url, port, pid, seed, key, version: packageVersion, tls }, null, 2)}\n`)
    renameSync(partial, file)
  } catch (error) {
    rmSync(partial, { force: true })
    throw new ConfigError(`--ready-file ${file} can't be written (${(error as NodeJS.ErrnoException).code})`)
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
