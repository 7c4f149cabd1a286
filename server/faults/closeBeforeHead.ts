import { fault } from './fault.ts'
import { closeConnection } from './wire.ts'

export const closeBeforeHead = fault({
  summary: 'closes the connection (FIN) before the first byte of the head',
  params: {},
  needsAnswer: false,
  cuts: { when: 'before_head', how: 'closed' },
  explain: () => 'closes the connection before the head',
  send: (_params, _answer, wire) => closeConnection(wire),
})
