import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Library, Registry } from './libraries.ts'
import type { Measurements } from './main.ts'

const endings: Record<Registry, string> = { npm: '.mjs', pypi: '.py', go: '/main.go', crates: '.rs', maven: '.java', system: '.sh' }
export const sourceOf = ({ registry, program }: Library): string =>
  readFileSync(join(import.meta.dirname, registry, program + endings[registry]), 'utf8')
export const hasCareful = (library: Library): boolean => sourceOf(library).includes('<careful>')
export const clientsPage = (found: Measurements): string => `${Object.keys(found.rows).length}\n`
