/**
 * By what a call is known again: method, path, query and JSON body, with the secrets taken out on both sides as in every
 * recording, and whatever base URL it has.
 */
import { hash } from 'node:crypto'
import stringify from 'safe-stable-stringify'
import { redactField, redactText, redactUrl, withoutSecrets } from '../../base/redaction.ts'

type Secrets = readonly (string | undefined)[]

/** "GET /v1/jobs?limit=2&offset=0": below the base, the query in an order of its own. */
export function requestKeyOf(method: string, path: string, secrets: Secrets): string {
  const shown = withoutSecrets(redactUrl(path), secrets) as string
  const [target = ''] = shown.split('#', 1)
  const at = target.indexOf('?')
  if (at === -1) return `${method} ${target}`
  const query = new URLSearchParams(target.slice(at + 1))
  query.sort()
  return `${method} ${target.slice(0, at)}?${query}`
}

export interface BodyKey {
  readonly exact: string
  /** Without its webhook_url: a client's own address is another one in every run. The same as `exact` without one. */
  readonly loose: string
}

export const noBody: BodyKey = { exact: '', loose: '' }

/** Of a body that is text; `bases` are the URLs that are all the same to it. */
export function bodyKeyOf(text: string, bases: readonly string[], secrets: Secrets): BodyKey {
  if (text === '') return noBody
  const placed = (name: string, value: unknown): unknown => withoutBase(redactField(name, value), bases)
  let parsed: unknown
  try {
    parsed = withoutSecrets(JSON.parse(text, placed), secrets)
  } catch {
    const exact = short(withoutSecrets(redactText(text), secrets) as string)
    return { exact, loose: exact }
  }
  const exact = short(stringify(parsed) ?? '')
  if (typeof parsed !== 'object' || parsed === null || !('webhook_url' in parsed)) return { exact, loose: exact }
  return { exact, loose: short(stringify({ ...parsed, webhook_url: undefined }) ?? '') }
}

const withoutBase = (value: unknown, bases: readonly string[]): unknown => {
  if (typeof value !== 'string') return value
  const base = bases.find(one => value.startsWith(`${one}/`))
  return base === undefined ? value : `base:${value.slice(base.length)}`
}

const short = (text: string): string => hash('sha256', text, 'base64').slice(0, 22)
