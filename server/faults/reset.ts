import { fault } from './fault.ts'
import { resetConnection } from './wire.ts'

export const reset = fault({
  summary: 'resets the connection (RST) at once',
  params: {},
  needsAnswer: false,
  cuts: { when: 'before_head', how: 'reset' },
  explain: () => 'resets the connection',
  send: (_params, _answer, wire) => resetConnection(wire),
})
