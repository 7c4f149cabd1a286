import { fault } from './fault.ts'

export const emptyReply = fault({
  summary: 'answers with the status and an empty body (Content-Length: 0)',
  params: {},
  needsAnswer: true,
  explain: () => 'answers with an empty body',
  change: (_params, answer) => {
    answer.body = ''
    delete answer.headers['content-type']
  },
})
