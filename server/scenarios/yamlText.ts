/** YAML for what has no text of its own: in a file by itself, loaded when somebody asks. */
import { stringify } from 'yaml'

export const yamlTextOf = (value: unknown): string => stringify(value)
