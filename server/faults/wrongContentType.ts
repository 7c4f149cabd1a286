import { fault } from './fault.ts'

export const wrongContentType = fault({
  summary: 'sends the right body under a wrong Content-Type',
  params: {
    content_type: {
      type: 'string',
      pattern: '^[\\w.+-]+/[\\w.+-]+(; ?[\\w-]+=[\\w-]+)*$',
      default: 'text/html',
      description: 'What the answer claims to be; text/html by default.',
    },
  },
  needsAnswer: true,
  explain: ({ content_type }) => `claims to be ${content_type}`,
  change: ({ content_type }, answer) => {
    answer.headers['content-type'] = content_type
  },
})
