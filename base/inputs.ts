import { accessSync, constants, existsSync, readFileSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { ConfigError, flagOf } from './options.ts'
/** The base URL without a slash at its end. Throws a ConfigError. */
export function baseOf(target: string): string {
  const wrong = (why: string) =>
    new ConfigError(`${JSON.stringify(target)} ${why}; expected a base URL such as http://127.0.0.1:4010`)
  if (!/^https?:\/\//.test(target) || !URL.canParse(target)) throw wrong('is not a URL')
  const url = new URL(target)
  if (url.username !== '' || url.password !== '')
    throw wrong('has a password in it: give it as --header "Authorization: …"')
  if (url.search !== '' || url.hash !== '') throw wrong('has a query or a fragment')
  return url.href.replace(/\/+$/, '')
}

export function existing(file: string, option: string): string {
  if (isFile(file)) return file
  throw new ConfigError(`${flagOf(option)} is ${JSON.stringify(file)}, which is not a file`)
}

/** A path through what is no folder, or may not be entered, leads to no file either. */
function isFile(path: string): boolean {
  try {
    return !statSync(path).isDirectory()
  } catch {
    return false
  }
}

/** Throws, and says why, unless a file can be written there; the folder has to be there. */
export function requireWritable(file: string): void {
  const isThere = existsSync(file)
  // By the slash it is refused where it is a file.
  accessSync(isThere ? file : `${dirname(file)}/`, constants.W_OK)
  if (isThere && statSync(file).isDirectory()) throw new Error('it is a folder')
}

export function certificateIn(file: string): string {
  const text = readFileSync(file, 'utf8')
  if (text.includes('-----BEGIN CERTIFICATE-----')) return text
  throw new ConfigError(`--ca ${file} holds no certificate; expected a PEM file`)
}

/** What Node refuses to send. */
export const unsendable = /[^\t\x20-\x7e\x80-\xff]/

/** Throws a ConfigError that does not show the line: there may be a secret in it. */
export function parseHeaderLines(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line, i) => {
      const [, name = '', value = ''] = /^([\w!#$%&'*+.^`|~-]+):(.*)$/s.exec(line) ?? []
      const which = lines.length > 1 ? ` number ${i + 1}` : ''
      if (name === '') throw new ConfigError(`--header${which} is not of the form "Name: value"`)
      if (unsendable.test(value.trim()))
        throw new ConfigError(
          `--header${which} (${name}) has a character that no header can carry, such as a line's end`,
        )
      return [name, value.trim()]
    }),
  )
}

/** Without what is undefined: an option that is given so is not given. */
export function defined<T extends object>(values: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never
}
