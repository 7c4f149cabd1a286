/** GO-3, ID-1: the same Idempotency-Key with the same body gets the same job; with another body, 422. */

import { hash53 } from '../../base/fingerprint.ts'
import { redacted } from '../../base/redaction.ts'
import { describeResponse, field, parse } from '../../contracts/answers.ts'
import { operations } from '../../contracts/operations.ts'
import type { RecordedCall } from '../../recordings/traffic.ts'
import { own } from './ledger.ts'
import { isAfter, isTold, type Observer } from './observer.ts'

/** How long a server remembers a key is not documented; a day is usual, so an hour is safe. */
const rememberedMs = 3_600_000

interface First {
  /** Of the text as it was sent, and of what it says however it is written. */
  body: number
  meaning: number
  id: string
  endedAt: number
}

export const idempotency: Observer = {
  id: 'traffic.idempotency',
  title: 'the same request with the same Idempotency-Key has one effect',
  clauses: ['GO-3', 'ID-1'],
  watch(look) {
    const firsts = new Map<string, First>()
    return {
      call({ call, index, isWhole, isGood, hasBody }) {
        const { operation, idempotencyKey, key } = call
        if (!operation || !idempotencyKey || idempotencyKey === redacted || !isTold(key)) return
        if (!('idempotent' in operations[operation])) return
        const body = bodyOf(call)
        if (body === undefined || body.includes(redacted)) return
        const name = `${key} ${call.path.split('?', 1)[0]} ${idempotencyKey}`
        const first = firsts.get(name)
        const isLater = first && isAfter(call, first) && call.at - first.endedAt < rememberedMs
        const id = idOf(call)
        if (first === undefined) {
          // After an error the key may be used again.
          if (isGood && hasBody && id !== undefined)
            firsts.set(own(name), {
              body: hash53(body),
              meaning: hash53(meaningOf(body)),
              id: own(id),
              endedAt: call.endedAt,
            })
          return
        }
        if (!isLater || !isWhole) return
        const said = describeResponse(call)
        if (hash53(body) === first.body) {
          if (isGood && hasBody && id !== undefined)
            look(index, ['ID-1', 'GO-3'], id === first.id, `the first answer again, with ${first.id}`, id)
          else if (call.status === 422) look(index, 'ID-1', false, 'the first answer again: the body is the same', said)
        } else if (hash53(meaningOf(body)) !== first.meaning) {
          if (isGood || call.status === 422)
            look(index, 'ID-1', call.status === 422, '422, as the body is another', said)
        }
      },
    }
  },
}

const idOf = (call: RecordedCall): string | undefined => {
  const id = field(call, call.operation === 'uploadVideo' ? 'video_id' : 'id')
  return typeof id === 'string' && id !== '' ? id : undefined
}

/** What is compared: of an upload, the file's bytes and name. undefined where the recording does not have it all. */
function bodyOf({ sent, operation }: RecordedCall): string | undefined {
  const [part] = sent.form ?? []
  if (operation === 'uploadVideo') return part?.sha256 === undefined ? undefined : `${part.sha256} ${part.filename}`
  if (sent.body?.endsWith(cutMark)) return undefined
  // A start needs no body; of anything else it was not written down.
  return sent.body ?? (operation === 'startJob' && !isSent(sent.headers) ? '' : undefined)
}

const isSent = (headers: Readonly<Record<string, string>>): boolean =>
  Object.entries(headers).some(([name, value]) => /^content-length$/i.test(name) && value !== '0')

/** The journal of the mock keeps the beginning of a long body. */
const cutMark = '… (cut)'

/** JSON with its fields in one order. */
const meaningOf = (text: string): string => {
  const value = parse(text)
  return value === undefined ? text : JSON.stringify(sorted(value))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, item]) => [name, sorted(item)]),
  )
}
