/**
 * What of a call must not be kept, and the one placeholder that stands for it: wherever a secret was, every output has
 * the same text, so that two recordings of one call are equal.
 */
/** Stands for every secret. */
export const redacted = '[redacted]'

const secretHeaders: ReadonlySet<string> = new Set([
  'x-api-key',
  'x-admin-token',
  'authorization',
  'proxy-authorization',
  'cookie',
  'set-cookie',
  'x-webhook-signature',
])

/** Names of fields and parameters that carry secrets. */
const secretName =
  /(^|[^a-z]|api|access|secret|private)key(_?id)?$|(token|secret|signature|credential|password|passphrase|authorization)s?$|^(pass|passwd|pwd|jwt|bearer|auth|sess|session(_?id)?|x-session(-id)?)$/i
/** Parameters by which a URL is known to be signed: whoever has it, has what it leads to. */
const signatureName = /(^|[^a-z])(signature|sig|hmac|security-token)$/i

/** Also x-auth-token, api-key and the like, which other APIs and proxies use. */
export const isSecretHeader = (name: string): boolean =>
  secretHeaders.has(name.toLowerCase()) || (secretName.test(name) && !/^idempotency-key$/i.test(name))

/** Whether a header, a parameter or a field carries a secret, by its name. */
export const isSecretName = (name: string): boolean => isSecretHeader(name)

/** Takes secrets out of a URL: the parameters that are named like one, all of a signed URL's, and a user's password. */
export function redactUrl(url: string): string {
  const bare = url.replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#@]*@/i, `$1${redacted}@`)
  const query = bare.indexOf('?')
  if (query === -1) return bare
  return bare.slice(0, query + 1) + redactForm(bare.slice(query + 1), isSigned(bare.slice(query + 1)))
}

const isSigned = (query: string): boolean => namesIn(query).some(name => signatureName.test(name))

const namesIn = (query: string): string[] => query.split('&').map(pair => decoded(pair.split('=', 1)[0] as string))

/** The same for parameters: those of a query, or of a body that is application/x-www-form-urlencoded. */
export const redactForm = (text: string, all = false): string =>
  text.replace(/(^|&)([^=&#]+)=([^&#]*)/g, (whole, sign: string, name: string) =>
    all || secretName.test(decoded(name)) ? `${sign}${name}=${redacted}` : whole,
  )

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** A JSON field, as JSON.parse's second argument. */
export function redactField(name: string, value: unknown): unknown {
  if (secretName.test(name)) return redacted
  return typeof value === 'string' && value.includes('://') ? redactUrl(value) : value
}

/** The same for what can't be parsed: broken JSON, or the beginning of a long one. */
export const redactText = (text: string): string =>
  text.replace(
    /("([^"\\]*)"\s*:\s*)"((?:[^"\\]|\\.)*)("?)/g,
    (_, before: string, name: string, value: string, end: string) => `${before}"${redactField(name, value)}${end}`,
  )

/** A shorter text is too common to be taken out wherever it stands. */
const minSecretLength = 8

/** A copy without the secrets, in values and in field names; what was an object stays one. */
export function withoutSecrets(value: unknown, secrets: readonly (string | undefined)[]): unknown {
  const known = secrets.filter(secret => secret !== undefined && secret.length >= minSecretLength) as string[]
  return known.length === 0 ? value : without(value, known)
}

function without(value: unknown, secrets: readonly string[]): unknown {
  if (typeof value === 'string') return secrets.reduce((text, secret) => text.replaceAll(secret, redacted), value)
  if (Array.isArray(value)) return value.map(item => without(item, secrets))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [without(name, secrets), without(item, secrets)]),
  )
}

/** Named like a secret, but none: it says that two calls are one. */
const isHarmless = (name: string): boolean => /^idempotency-key$/i.test(name)

/** Whether a header's value must not be shown, by its name: also of headers that this API does not know. */
export const carriesSecret = (header: string): boolean => isSecretName(header) && !isHarmless(header)

/** A text's URLs, absolute or not, with what they carry of secrets taken out. */
const redactLinks = (text: string): string =>
  text.replace(/(?:(?<![a-z0-9+.-])[a-z][a-z0-9+.-]{0,20}:\/)?\/[^\s"'<>\\^`{|}]+/gi, url => redactUrl(url))

/**
 * A body's text without what its fields, parameters and URLs carry of secrets, by their names; `clean` takes out of each
 * text what is secret by its value. JSON that has none stays as it is, to the letter.
 */
export function redactBody(text: string, type: string, clean: (text: string) => string = same): string {
  if (/urlencoded/i.test(type)) return redactLinks(redactForm(text))
  const start = text.trimStart()[0]
  if (start === '{' || start === '[' || /json/i.test(type)) {
    try {
      const plain = JSON.stringify(JSON.parse(text))
      const without = JSON.stringify(
        JSON.parse(text, (name, value) => {
          const left = redactField(name, value)
          return typeof left === 'string' ? clean(redactLinks(left)) : left
        }),
      )
      return plain === without ? text : without
    } catch {
      // Escapes would hide where a parameter of a URL begins.
      return redactLinks(redactText(text.replaceAll('\\/', '/').replace(/\\u0026/gi, '&')))
    }
  }
  return redactLinks(redactText(text))
}

const same = (text: string): string => text

/** The JSON fields that are named like secrets, with their values. */
export function secretsInJson(text: string): { name: string; value: string }[] {
  const found: { name: string; value: string }[] = []
  try {
    JSON.parse(text, (name, value) => {
      if (secretName.test(name) && typeof value === 'string' && !isHarmless(name.replaceAll('_', '-')))
        found.push({ name, value })
      return value
    })
  } catch {
    // What can't be parsed is told by its names alone.
  }
  return found
}
