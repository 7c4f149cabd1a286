/** What of two answers to one call matters: status, code, a cut, the schema, Retry-After, the kind of content. */
import { shown } from '../contracts/expectation.ts'
import { codeOf, isUtc, judge } from '../contracts/judge.ts'
import type { ObservedExchange } from '../contracts/observedExchange.ts'
import { type OperationId, operations } from '../contracts/operations.ts'
import type { Cut } from '../recordings/har.ts'
import { type Ids, isIdName } from './ids.ts'
import type { DifferenceKind } from './report.ts'

/** An answer, recorded or new. The status is what had arrived of it, or 0. */
export interface ReplayedResponse extends ObservedExchange {
  /** How it ended without a whole answer. */
  cut: Cut | undefined
  /** Whether all of its body is known: a recorder may have cut a long one, or kept none. */
  hasBody: boolean
}

export interface ResponseDifference {
  what: DifferenceKind
  pointer?: string
  expected: string
  found: string
}

const noAnswer = 'no answer'

/** What two answers have to have in common to be answers to one call. A cut before the head is one while sending too. */
export function signatureOf(answer: ReplayedResponse): string {
  const { cut } = answer
  if (cut !== undefined && cut.when !== 'in_body') return noAnswer
  return [cut === undefined ? '' : 'in_body', answer.status, codeOf(answer) ?? ''].join(' ')
}

/** undefined where both are alike in what decides how a client goes on. */
export function outcomeDifference(recorded: ReplayedResponse, found: ReplayedResponse): ResponseDifference | undefined {
  // A body that was left out of the recording has an error's code in it, which nobody knows.
  const isKnown = recorded.hasBody || recorded.cut !== undefined
  const known = (answer: ReplayedResponse) => signatureOf(isKnown ? answer : { ...answer, json: undefined })
  if (known(recorded) === known(found)) return undefined
  const told = { expected: inShort(recorded), found: inShort(found) }
  const [before, now] = [recorded.cut, found.cut].map(cut =>
    cut === undefined ? '' : cut.when === 'in_body' ? 'b' : 'h',
  )
  if (before !== now) return { what: 'cut', ...told }
  if (recorded.status !== found.status) return { what: 'status', ...told }
  return { what: 'code', pointer: '/error/code', ...told }
}

const cutWords: Record<Cut['when'], string> = {
  before_head: noAnswer,
  in_body: "cut in the answer's body",
  in_request: "cut in the request's body",
}

/** "429 rate_limited", "no answer (reset)". */
export function inShort(answer: ReplayedResponse): string {
  const { cut, status } = answer
  if (cut !== undefined) {
    const how = `${cutWords[cut.when]} (${cut.message ?? cut.how.replaceAll('_', ' ')})`
    return cut.when === 'in_body' ? `${status}, ${how}` : how
  }
  const code = codeOf(answer)
  return code === undefined ? String(status) : `${status} ${code}`
}

/** The rest, of two answers of one outcome. */
export function contentDifferences(
  operation: OperationId | undefined,
  recorded: ReplayedResponse,
  found: ReplayedResponse,
  { ids, strict }: { ids: Ids; strict: boolean },
): ResponseDifference[] {
  const differences: ResponseDifference[] = []
  // What a server made of it nobody was told.
  if (signatureOf(recorded) === noAnswer) return differences
  const [before, now] = [recorded, found].map(({ headers }) => headers['retry-after'] !== undefined)
  if (before !== now) {
    differences.push({
      what: 'retry_after',
      pointer: 'header Retry-After',
      expected: recorded.headers['retry-after'] ?? 'none',
      found: found.headers['retry-after'] ?? 'none',
    })
  }
  const kinds = [recorded, found].map(answer => kindOf(answer, operation))
  if (kinds[0] !== undefined && kinds[0] !== kinds[1]) {
    differences.push({
      what: 'content_type',
      pointer: 'header Content-Type',
      expected: kinds[0],
      found: kinds[1] ?? 'none',
    })
  }
  if (recorded.cut !== undefined || !recorded.hasBody || !found.hasBody) return differences
  const headers = new Set(differences.map(({ pointer }) => pointer))
  differences.push(...schemaDifferences(operation, recorded, found).filter(({ pointer }) => !headers.has(pointer)))
  if (!strict || recorded.json === undefined) return differences
  const seen = new Set(differences.map(({ pointer }) => pointer))
  return [
    ...differences,
    ...fieldDifferences(ids.json(recorded.json), found.json).filter(one => !seen.has(one.pointer)),
  ]
}

/** Of a file its type; of all else whether it is JSON, a page, or something else. */
function kindOf({ headers }: ReplayedResponse, operation: OperationId | undefined): string | undefined {
  const type = headers['content-type']?.split(';', 1)[0]?.trim().toLowerCase()
  if (type === undefined || type === '') return undefined
  if (/[/+]json$/.test(type)) return 'json'
  if (/^(text|application)\/(html|xhtml\+xml)$/.test(type)) return 'html'
  const isFile = operation !== undefined && operations[operation].tag === 'files'
  return isFile ? type : (type.split('/', 1)[0] as string)
}

/** A break of the documented schema that the recorded answer did not have. */
function schemaDifferences(
  operation: OperationId | undefined,
  recorded: ReplayedResponse,
  found: ReplayedResponse,
): ResponseDifference[] {
  // A file's errors are the envelope too; it is a file's success that has no schema.
  const broken = (answer: ReplayedResponse) => judge({ ...answer, operation }, new Map()).filter(({ holds }) => !holds)
  const placeOf = (pointer = '') => pointer.replace(/\/\d+(?=\/|$)/g, '/*')
  const known = new Set(broken(recorded).map(({ pointer, expected }) => `${placeOf(pointer)} ${expected}`))
  const told = new Set<string>()
  return broken(found).flatMap(({ pointer, expected, found }) => {
    const id = `${placeOf(pointer)} ${expected}`
    if (known.has(id) || told.has(id)) return []
    told.add(id)
    return [{ what: 'schema' as const, ...(pointer !== undefined && { pointer }), expected, found }]
  })
}

const most = 20

/** Field by field; times, request_ids and new ids are another matter. */
function fieldDifferences(recorded: unknown, found: unknown, pointer = '', name = ''): ResponseDifference[] {
  if (recorded === found || name === 'request_id') return []
  const differ = [{ what: 'body' as const, pointer, expected: shown(recorded), found: shown(found) }]
  if (typeof recorded === 'string' && typeof found === 'string')
    return (isTime(recorded) && isTime(found)) || (isIdName(name) && !name.startsWith('webhook')) ? [] : differ
  if (typeof recorded !== 'object' || typeof found !== 'object' || recorded === null || found === null) return differ
  if (Array.isArray(recorded) !== Array.isArray(found)) return differ
  const [before, now] = [recorded, found] as Record<string, unknown>[] as [
    Record<string, unknown>,
    Record<string, unknown>,
  ]
  const names = [...new Set([...Object.keys(before), ...Object.keys(now)])]
  return names
    .flatMap(key => fieldDifferences(before[key], now[key], `${pointer}/${key}`, Array.isArray(recorded) ? name : key))
    .slice(0, most)
}

const isTime = (text: string): boolean => isUtc(text) || /^\d{4}-\d{2}-\d{2}([T ][\d:.,+Zz-]+)?$/.test(text)
