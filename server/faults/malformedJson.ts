import { Readable } from 'node:stream'
import { fault } from './fault.ts'

export const malformedJson = fault({
  summary: 'answers 200 with JSON that breaks off in the middle; its Content-Length fits',
  params: {},
  needsAnswer: true,
  setsStatus: true,
  explain: () => 'answers 200 with malformed JSON',
  change: (_params, answer) => {
    const whole = answer.body instanceof Readable ? '{"success": true}' : answer.body.toString()
    answer.status = 200
    answer.headers['content-type'] = 'application/json; charset=utf-8'
    answer.body = whole.slice(0, Math.max(1, Math.floor(whole.length / 2)))
  },
})
