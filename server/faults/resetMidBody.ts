import { afterBytes, fault } from './fault.ts'
import { resetWhenSent, sendPart } from './wire.ts'

export const resetMidBody = fault({
  summary: 'sends the head and a part of the body, then resets the connection (RST)',
  params: { after_bytes: afterBytes },
  needsAnswer: true,
  cuts: { when: 'in_body', how: 'reset' },
  explain: ({ after_bytes }) => `resets the connection after ${after_bytes ?? 'half of the'} bytes of the body`,
  send: ({ after_bytes }, answer, wire) => answer && sendPart(answer, wire, after_bytes, resetWhenSent),
})
