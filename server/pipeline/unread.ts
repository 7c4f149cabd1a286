/**
 * A call that is refused before its body is read, by a limit or by a scenario: the answer does not wait, and the journal
 * gets what was sent as soon as it is there. Without it nobody could tell a retry from another call.
 */
import type { FastifyRequest } from 'fastify'
import { type OperationId, operations } from '../../contracts/operations.ts'
import { maxBodyBytes } from '../journal.ts'
import { isStillWaiting } from './expect.ts'

/** Operations whose body is JSON, and small. */
const readsJson: ReadonlySet<string> = new Set(
  (Object.keys(operations) as OperationId[]).filter(id => 'body' in operations[id] && operations[id].tag !== 'uploads'),
)

/** To be called when the exchange is in the journal. */
export function keepUnread({ exchange, context, raw }: FastifyRequest): void {
  const { operation, seq } = exchange
  if (operation === undefined || exchange.requestBody !== undefined || !readsJson.has(operation)) return
  if (raw.readableDidRead || raw.destroyed || isStillWaiting(raw)) return
  const chunks: Buffer[] = []
  let bytes = 0
  raw.on('data', (chunk: Buffer) => {
    bytes += chunk.length
    if (bytes <= maxBodyBytes) chunks.push(chunk)
  })
  raw.once('end', () => {
    if (bytes > 0)
      context.world.journal.amend(seq, entry => {
        entry.requestBody = Buffer.concat(chunks).toString()
      })
  })
}
