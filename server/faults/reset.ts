import { fault } from './fault.ts'

export const reset = fault({
  summary: 'resets the connection (RST) at once',
  params: {},
  needsAnswer: false,
  explain: () => 'resets the connection',
  send: (_params, _answer, { response }) => void response.socket?.resetAndDestroy(),
})
