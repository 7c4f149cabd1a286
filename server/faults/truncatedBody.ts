import { afterBytes, fault } from './fault.ts'
import { closeConnection, sendPart } from './wire.ts'

/** On a download it breaks off at byte N; the file itself is whole, so a range request resumes it (DL-3). */
export const truncatedBody = fault({
  summary: 'announces the full Content-Length, sends a part of the body, then closes (FIN)',
  params: { after_bytes: afterBytes },
  needsAnswer: true,
  cuts: { when: 'in_body', how: 'closed' },
  explain: ({ after_bytes }) => `closes the connection after ${after_bytes ?? 'half of the'} bytes of the body`,
  send: ({ after_bytes }, answer, wire) => answer && sendPart(answer, wire, after_bytes, closeConnection),
})
