import { fault } from './fault.ts'

export const wrongStatus = fault({
  summary: 'sends the right body under a wrong status',
  params: {
    status: { type: 'integer', minimum: 200, maximum: 599, default: 500, description: 'HTTP status; 500 by default.' },
  },
  needsAnswer: true,
  setsStatus: true,
  explain: ({ status }) => `answers with status ${status}`,
  change: ({ status }, answer) => {
    answer.status = status
  },
})
