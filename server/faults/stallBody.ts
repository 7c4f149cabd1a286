import { afterBytes, fault } from './fault.ts'
import { sendPart } from './wire.ts'

/** It tells a client's time-outs apart: one for the head is over by then, one for each read is not, nor one for all. */
export const stallBody = fault({
  summary: 'sends the head and a part of the body, then nothing more: the connection stays open',
  params: { after_bytes: afterBytes },
  needsAnswer: true,
  cuts: { when: 'in_body', how: 'silence' },
  explain: ({ after_bytes }) => `falls silent after ${after_bytes ?? 'half of the'} bytes of the body`,
  send: ({ after_bytes }, answer, wire) => answer && sendPart(answer, wire, after_bytes, () => {}),
})
