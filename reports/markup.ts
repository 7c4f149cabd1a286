/** HTML and XML from templates in which nothing can be forgotten to be escaped. */
import { visible } from '../base/text.ts'

/** Text that is markup already. */
export interface Markup {
  readonly markup: string
}

type Insert = string | number | Markup | readonly Markup[]

/** What is inserted is escaped, for content and for attributes in quotes alike, unless it is markup itself. */
export const markup = (parts: TemplateStringsArray, ...inserts: Insert[]): Markup =>
  raw(parts.map((part, i) => part + insert(inserts[i] ?? '')).join(''))

/** Only for markup that this program wrote itself. */
export const raw = (text: string): Markup => ({ markup: text })

export const nothing = raw('')

/** The text, escaped for HTML and XML. All that XML 1.0 forbids is among what `visible` writes as escapes. */
export const escapeMarkup = (text: string): string =>
  visible(text).replace(/[&<>"'`]/g, sign => `&#${sign.charCodeAt(0)};`)

function insert(value: Insert): string {
  if (typeof value === 'string' || typeof value === 'number') return escapeMarkup(String(value))
  return 'markup' in value ? value.markup : value.map(({ markup }) => markup).join('')
}
