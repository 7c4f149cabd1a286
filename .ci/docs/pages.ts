/** Which pages there are. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../base/paths.ts'

/** README.md and all below docs/, as paths from the top. */
export const pages = (): string[] => [
  'README.md',
  ...readdirSync(join(packageRoot, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.md'))
    .map(name => `docs/${name}`)
    .sort(),
]
