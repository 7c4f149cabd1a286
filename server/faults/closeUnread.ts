import { fault } from './fault.ts'
import { sendAndClose } from './wire.ts'

/** What a careful server does not do (RFC 9112, 9.6), and many a real one does: who still sends may lose the answer. */
export const closeUnread = fault({
  summary: 'answers, and closes at once without reading the rest of the request',
  params: {},
  needsAnswer: true,
  explain: () => 'closes at once, with the rest of the request unread',
  send: (_params, answer, wire) => answer && sendAndClose(answer, wire),
})
