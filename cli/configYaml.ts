/** Loaded for a configuration file in YAML alone. */
export { parse as parseYaml } from 'yaml'
