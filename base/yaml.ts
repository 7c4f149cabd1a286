/** YAML's parser and writer, loaded by who first needs it, and at once: most runs have no YAML, and all would wait for it. */
import { createRequire } from 'node:module'
import type * as Yaml from 'yaml'

export const loadYaml = (): typeof Yaml => createRequire(import.meta.url)('yaml')
