import { Readable } from 'node:stream'
import { fault } from './fault.ts'

const fields = ['code', 'message', 'request_id', 'error'] as const

export const brokenEnvelope = fault({
  summary: 'answers an error whose envelope lacks a field: each in turn, or the one that is named',
  params: { missing: { enum: fields, description: 'The field that is missing; each in turn by default.' } },
  needsAnswer: true,
  explain: ({ missing }) => `leaves ${missing ?? 'each field in turn'} out of the envelope`,
  change: ({ missing }, answer, n) => {
    const field = missing ?? fields[n % fields.length]
    const isJson = String(answer.headers['content-type']).startsWith('application/json')
    if (answer.body instanceof Readable || !isJson || answer.status < 300) return
    const { error } = Object(JSON.parse(answer.body.toString()))
    if (typeof error !== 'object' || error === null) return
    const { [field as string]: _, ...rest } = error
    answer.body = JSON.stringify(field === 'error' ? error : { error: rest })
  },
})
