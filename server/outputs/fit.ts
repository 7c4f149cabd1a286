import { join } from 'node:path'
import { outputsFolder } from '../../base/paths.ts'
import type { OutputFormat } from '../../contracts/schemas.ts'
import { outputName } from '../world/jobs.ts'

export async function fitCanned(format: OutputFormat, _durationMs: number, _folder: string): Promise<string> {
  return join(outputsFolder, outputName(format))
}
