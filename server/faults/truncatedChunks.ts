import { afterBytes, fault } from './fault.ts'
import { closeConnection, sendPart } from './wire.ts'

export const truncatedChunks = fault({
  summary: 'sends a part of the body in chunks, without a Content-Length, then closes (FIN) before the last chunk',
  params: { after_bytes: afterBytes },
  needsAnswer: true,
  cuts: { when: 'in_body', how: 'closed' },
  explain: ({ after_bytes }) => `closes the connection after ${after_bytes ?? 'half of the'} bytes in chunks`,
  send: ({ after_bytes }, answer, wire) => answer && sendPart(answer, wire, after_bytes, closeConnection, 'chunked'),
})
