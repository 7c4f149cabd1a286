/**
 * What any tool wrote of a call, as an entry of our own form. HAR 1.2 leaves nearly all of its fields optional, and tools
 * differ in all else: null for what isn't known, numbers as texts, lists that are empty, fields of their own. None of that
 * makes an entry unreadable; one that can't be understood is told of with its reason.
 */
import { isUtf8 } from 'node:buffer'
import { boundaryOf } from '../base/multipart.ts'
import { jsonValueText } from '../base/text.ts'
import { expectationOf, shown } from '../contracts/expectation.ts'
import { cutOfFailure } from './failures.ts'
import { formParams } from './formText.ts'
import { HarEntry, type HarParam } from './har.ts'
import { isTextType, sentBytes } from './leftOut.ts'

type Fields = Record<string, unknown>
interface Schema {
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly required?: readonly string[]
  readonly properties?: Readonly<Record<string, Schema>>
  readonly items?: Schema
  readonly default?: unknown
}

/** The entry, or why it can't be understood. */
export function understandEntry(raw: unknown): HarEntry | string {
  if (!isFields(raw)) return `it is ${shown(raw)}; expected ${expectationOf(HarEntry)}`
  const found = isFields(raw.request) ? withOwnForm(raw, raw.request) : raw
  const why = whatIsMissing(found)
  if (why !== undefined) return why
  const entry = fittedTo(HarEntry, found) as HarEntry
  const { startedDateTime } = entry
  if (Number.isNaN(Date.parse(startedDateTime)))
    return `/startedDateTime is ${shown(raw.startedDateTime)}; expected a time, ISO 8601`
  return mended(entry, found)
}

const isFields = (value: unknown): value is Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function whatIsMissing({ startedDateTime, request }: Fields): string | undefined {
  const isNone = (value: unknown) => value === undefined || value === null
  if (isNone(startedDateTime)) return '/startedDateTime is missing'
  if (isNone(request)) return '/request is missing'
  if (!isFields(request)) return `/request is ${shown(request)}; expected an object`
  for (const name of ['method', 'url']) {
    if (isNone(request[name])) return `/request/${name} is missing`
    if (typeof request[name] !== 'string') return `/request/${name} is ${shown(request[name])}; expected a string`
  }
  return undefined
}

/** What has another shape elsewhere, before its types are looked at. */
function withOwnForm(raw: Fields, request: Fields): Fields {
  const post = isFields(request.postData) ? withOwnFile(request.postData) : undefined
  const response = isFields(raw.response) ? raw.response : {}
  const content = isFields(response.content) ? withOwnFile(response.content) : undefined
  return {
    ...raw,
    startedDateTime: timeOf(raw.startedDateTime),
    request: { ...request, postData: post === undefined ? undefined : withJsonText(post) },
    response: { ...response, content },
  }
}

/** ms since the epoch are a time too. */
const timeOf = (value: unknown): unknown =>
  typeof value === 'number' && value > 1e11 && value < 8.64e15 ? new Date(value).toISOString() : value

/** Playwright's `_file` is the name of a file beside the recording; before 0.2 ours had that name. */
function withOwnFile(body: Fields): Fields {
  const { _file: file, _body_file: own } = body
  const params = Array.isArray(body.params)
    ? body.params.map(param => (isFields(param) ? withOwnFile(param) : param))
    : undefined
  const kept = isFields(own)
    ? own
    : isFields(file)
      ? file
      : typeof file === 'string' && file !== ''
        ? { path: file }
        : {}
  return { ...body, ...(Object.keys(kept).length > 0 && { _body_file: kept }), ...(params !== undefined && { params }) }
}

/** chrome-har writes the fields of a JSON body as the parameters of a form. */
function withJsonText(post: Fields): Fields {
  const { mimeType, text, params } = post
  if (!/json/i.test(jsonValueText(mimeType)) || (typeof text === 'string' && text !== '') || !Array.isArray(params))
    return post
  const fields: Fields = {}
  for (const { name, value } of params.filter(isFields)) {
    const field = jsonValueText(name)
    const before = fields[field]
    fields[field] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value]
  }
  return params.length === 0 ? post : { ...post, text: JSON.stringify(fields), params: undefined }
}

/** A value as its schema has it; undefined where it isn't known, or is something else altogether. */
export function fittedTo(schema: Schema, value: unknown): unknown {
  const found = value === null || value === undefined ? schema.default : value
  if (found === undefined) return undefined
  if (schema.enum !== undefined) return schema.enum.includes(found) ? found : undefined
  if (schema.type === 'string') return typeof found === 'string' ? found : jsonValueText(found)
  if (schema.type === 'number') return numberOf(found) ?? schema.default
  if (schema.type === 'array') return listOf(schema, found) ?? schema.default
  return schema.type === 'object' ? fieldsOf(schema, found) : found
}

function numberOf(value: unknown): number | undefined {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value
  return typeof number === 'number' && Number.isFinite(number) ? number : undefined
}

function listOf({ items }: Schema, value: unknown): unknown[] | undefined {
  // Headers as a map: one entry for each of a name's values.
  const list = Array.isArray(value)
    ? value.flatMap(spread)
    : isFields(value) && items !== undefined
      ? Object.entries(value).flatMap(named)
      : undefined
  if (list === undefined || items === undefined) return list
  return list.map(one => fittedTo(items, one)).filter(one => one !== undefined)
}

const named = ([name, value]: [string, unknown]): Fields[] => spread({ name, value })
const spread = (pair: unknown): Fields[] =>
  isFields(pair) && Array.isArray(pair.value) && typeof pair.name === 'string'
    ? pair.value.map(value => ({ ...pair, value }))
    : [pair as Fields]

const listed = new WeakMap<Schema, [string, Schema][]>()

/** A recording has thousands of entries, and each has a dozen objects: their fields are listed once. */
function propertiesOf(schema: Schema): [string, Schema][] {
  const known = listed.get(schema)
  if (known !== undefined) return known
  const properties = Object.entries(schema.properties ?? {})
  listed.set(schema, properties)
  return properties
}

function fieldsOf(schema: Schema, value: unknown): Fields | undefined {
  if (!isFields(value)) return undefined
  const { required = [] } = schema
  // A field that isn't ours stays as it is.
  const fields: Fields = { ...value }
  for (const [name, one] of propertiesOf(schema)) {
    const found = fittedTo(one, value[name])
    if (found !== undefined) fields[name] = found
    // Most of what isn't known was never there, and an object that a field is taken out of is slow from then on.
    else if (name in fields) delete fields[name]
  }
  return required.every(name => fields[name] !== undefined) ? fields : undefined
}

/** What is in the right form, and says something else than was sent or answered. */
function mended(entry: HarEntry, raw: Fields): HarEntry {
  const { request, response } = entry
  const postData = postOf(entry)
  const { content } = response
  const cut = entry._cut ?? cutOfFailure(raw, entry)
  return {
    ...entry,
    request: { ...request, method: methodOf(request.method), ...(postData !== undefined && { postData }) },
    response: { ...response, ...(content !== undefined && { content: contentOf(content, response) }) },
    ...(cut !== undefined && { _cut: cut }),
  }
}

const methodOf = (method: string): string =>
  /^(get|post|put|patch|delete|head|options)$/i.test(method) ? method.toUpperCase() : method

type Post = NonNullable<HarEntry['request']['postData']>
type Content = NonNullable<HarEntry['response']['content']>

function postOf({ request, response }: HarEntry): Post | undefined {
  const { postData: post, headers } = request
  if (post === undefined) return undefined
  const size = sentBytes(request)
  const { params = [], ...rest } = post
  const body = decoded(rest, size)
  const isLeftOut = body.text === '' && size !== 0 && size !== undefined
  if (isLeftOut) delete body.text
  const type = headers.find(({ name }) => /^content-type$/i.test(name))?.value ?? post.mimeType ?? ''
  const isForm = /^multipart\//i.test(type)
  if (!isForm) return params.length === 0 || (body.text !== undefined && body.text !== '') ? body : { ...body, params }
  // Chrome writes "(binary)" for a file in the parameters, and its name in the text beside them.
  const own = params.some(({ value }) => value === '(binary)') ? [] : params
  if (body.text === undefined || body.text === '' || body.encoding !== undefined)
    return own.length === 0 ? body : { ...body, params: own.map(withoutEmptyFile) }
  const lacking = lackingParts(body.text, boundaryOf(type), size, response.status)
  if (lacking === undefined) return body
  delete body.text
  const parts = lacking.length === 0 ? own.map(withoutEmptyFile) : lacking
  return parts.length === 0 ? body : { ...body, params: parts }
}

/** The known parts of a form whose text can't be what was sent: a browser leaves the files' bytes out, or mangles them. */
function lackingParts(
  text: string,
  boundary: string | undefined,
  size: number | undefined,
  status: number,
): HarParam[] | undefined {
  const params = formParams(text, boundary)
  // A client's own object in the place of the form that it became: nothing of that is known.
  if (params === undefined && status >= 200 && status < 300) return []
  const files = params?.filter(({ fileName }) => fileName !== undefined) ?? []
  if (params === undefined || files.length === 0) return undefined
  const isWrong = size !== undefined && size !== Buffer.byteLength(text)
  const isEmpty = files.some(({ value }) => value === '') && status >= 200 && status < 300
  if (!isWrong && !isEmpty && !text.includes('\ufffd')) return undefined
  return params.map(param => (param.fileName === undefined ? param : { ...param, value: undefined }) as HarParam)
}

/** A file's own value is written as '' where its bytes lie elsewhere: some readers ask for a value. */
function withoutEmptyFile(param: HarParam): HarParam {
  if (param.fileName === undefined || param.value !== '') return param
  const { value: _none, ...rest } = param
  return rest
}

function contentOf(given: Content, { headers, status }: HarEntry['response']): Content {
  const type = given.mimeType || headers.find(({ name }) => /^content-type$/i.test(name))?.value
  const content = type === undefined ? given : { ...given, mimeType: type }
  const isPacked = headers.some(({ name }) => /^content-encoding$/i.test(name))
  const length = Number(headers.find(({ name }) => /^content-length$/i.test(name))?.value ?? Number.NaN)
  const size = !isPacked && length >= 0 ? length : (content.size ?? -1) > 0 ? content.size : undefined
  const body = decoded(content, size)
  // Some tools blank what they leave out, and say how much it was.
  if (body.text === '' && status > 0 && ((content.size ?? 0) > 0 || length > 0)) delete body.text
  return body
}

/** A text with its characters, whatever form it was written in: packed as base64, or with a character for each byte. */
function decoded<T extends { text?: string; encoding?: string; mimeType?: string }>(
  body: T,
  size: number | undefined,
): T {
  const { text, encoding, ...rest } = body
  if (text === undefined || text === '') return { ...body }
  const bytes = encoding === 'base64' ? Buffer.from(text, 'base64') : bytesOfCharacters(text, size)
  if (bytes === undefined) return { ...body }
  const isText = isTextType(body.mimeType) && isUtf8(bytes)
  return {
    ...rest,
    ...(isText ? { text: bytes.toString() } : { text: bytes.toString('base64'), encoding: 'base64' }),
  } as T
}

/** mitmproxy writes a form with one character a byte: it is as long as its bytes were, and longer as UTF-8. */
function bytesOfCharacters(text: string, size: number | undefined): Buffer | undefined {
  if (size !== text.length || Buffer.byteLength(text) === size) return undefined
  // biome-ignore lint/suspicious/noControlCharactersInRegex: all that one byte can be
  return /^[\x00-\xff]*$/.test(text) ? Buffer.from(text, 'latin1') : undefined
}
