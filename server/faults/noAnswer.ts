import { fault } from './fault.ts'

/** The connection stays open and silent until the client gives up, or the mock closes. */
export const noAnswer = fault({
  summary: 'never answers; the connection stays open until the client gives up',
  params: {},
  needsAnswer: false,
  cuts: { when: 'before_head', how: 'silence' },
  explain: () => 'never answers',
  send() {},
})
