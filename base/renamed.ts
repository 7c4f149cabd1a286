/** Names that have changed. An old name is an error that says the new one, as an option, a variable or a field of the API. */
import type { Environment } from './commandIo.ts'
import { ConfigError, flagOf, variableOf } from './options.ts'

/** Old name of an option, and its new name. */
export const renamed: Readonly<Record<string, string>> = {
  poorKey: 'emptyAccountKey',
  breakWith: 'outageStart',
  mendWith: 'outageStop',
  patience: 'maxPollTime',
  patienceMs: 'maxPollTimeMs',
}

/** Options of `serve` that other verbs have too: their variables without a verb are those of `serve`, and no mistake. */
export const serveToo: ReadonlySet<string> = new Set([
  'adminToken',
  'credits',
  'host',
  'jobLimit',
  'port',
  'rateLimit',
  'scenario',
  'scenarios',
  'seed',
  'speed',
  'tls',
  'webhookSecret',
])

/** The new name of a flag, such as --empty-account-key for --poor-key. */
export function renamedFlag(flag: string): string | undefined {
  const found = Object.entries(renamed).find(([old]) => flagOf(old) === flag)
  return found && flagOf(found[1])
}

/** Throws a ConfigError for an option of the API that has another name now. */
export function refuseRenamed(given: object): void {
  for (const name of Object.keys(given))
    if (Object.hasOwn(renamed, name)) throw new ConfigError(`The option ${name} is now called ${renamed[name]}`)
}

/** Throws a ConfigError for a variable without the verb in its name, which no verb reads any more. */
export function refuseOldVariables(names: readonly string[], environment: Environment, verb: string): void {
  for (const name of names) {
    const oldNames = Object.keys(renamed).filter(old => renamed[old] === name)
    for (const old of [name, ...oldNames])
      if (!serveToo.has(old) && environment[variableOf(old)])
        throw new ConfigError(`${variableOf(old)} is now called ${variableOf(name, verb)}`)
  }
}
