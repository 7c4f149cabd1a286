/** The envelope and its request_id (ERR-1, ERR-6, GO-4), and what cases are answered with (ERR-4). */
import {
  changeJournal,
  type Json,
  type MutableAnswer,
  onAnswer,
  onCase,
  restatus,
  restatusCase,
  rewriteErrors,
} from './change.ts'
import type { Mutant } from './mutant.ts'
import type { Mutation } from './mutation.ts'

const rewriteAll = (mutation: Mutation, change: (error: Json, answer: MutableAnswer) => void) =>
  rewriteErrors(mutation, '*', undefined, change)

export const errorMutants: readonly Mutant[] = [
  {
    id: 'envelope-request-id-renamed',
    breaks: ['ERR-1'],
    also: ['ERR-6', 'GO-4'],
    what: 'request_id is called requestId',
    apply: mutation =>
      rewriteAll(mutation, (error, answer) => {
        const { request_id: requestId, ...rest } = error
        answer.body = { error: { ...rest, requestId } }
      }),
  },
  {
    id: 'envelope-message-missing',
    breaks: ['ERR-1'],
    what: 'there is no message',
    apply: mutation =>
      rewriteAll(mutation, error => {
        delete error.message
      }),
  },
  {
    id: 'envelope-message-object',
    breaks: ['ERR-1'],
    what: 'message is an object, a text by language',
    apply: mutation =>
      rewriteAll(mutation, error => {
        error.message = { en: error.message }
      }),
  },
  {
    id: 'envelope-code-missing-on-404',
    breaks: ['ERR-1'],
    what: 'Job not found has no code',
    apply: mutation =>
      onCase(mutation, 'getJob', 'job_not_found', ({ body }) => {
        delete body.error.code
      }),
  },
  {
    id: 'envelope-request-id-number',
    breaks: ['ERR-1'],
    also: ['ERR-6', 'GO-4'],
    what: 'request_id is a number',
    apply(mutation) {
      let n = 100
      rewriteAll(mutation, error => {
        error.request_id = n++
      })
    },
  },
  {
    id: 'envelope-extra-field',
    breaks: ['ERR-1'],
    what: 'the status stands in the envelope too',
    apply: mutation =>
      rewriteAll(mutation, (error, { status }) => {
        error.status = status
      }),
  },
  {
    id: 'envelope-extra-top-level',
    breaks: ['ERR-1'],
    what: 'success: false stands beside error',
    apply: mutation =>
      rewriteAll(mutation, (error, answer) => {
        answer.body = { success: false, error }
      }),
  },
  {
    id: 'envelope-flat-on-download',
    breaks: ['ERR-1'],
    also: ['ERR-6'],
    what: 'the download route answers code, message and request_id without the error around them',
    apply: mutation =>
      rewriteErrors(mutation, 'getDownload', undefined, (error, answer) => {
        answer.body = error
      }),
  },
  {
    id: 'envelope-as-html',
    breaks: ['ERR-1'],
    what: 'errors are labelled text/html',
    apply: mutation =>
      rewriteAll(mutation, (_error, { headers }) => {
        headers['content-type'] = 'text/html; charset=utf-8'
      }),
  },
  {
    id: 'unknown-route-html',
    breaks: ['ERR-1'],
    also: ['ERR-6'],
    what: 'a route that nobody knows is answered with a web page',
    apply: mutation =>
      onCase(mutation, '*', 'route_not_found', answer => {
        answer.headers['content-type'] = 'text/html; charset=utf-8'
        answer.body = '<!doctype html><title>404</title><h1>Not Found</h1>'
      }),
  },
  {
    id: 'broken-json-framework-error',
    breaks: ['ERR-1'],
    also: ['ERR-6', 'ERR-5'],
    what: "a body that is not JSON gets the framework's own error",
    apply: mutation =>
      onCase(mutation, '*', 'invalid_json', answer => {
        answer.body = { statusCode: 400, error: 'Bad Request', message: answer.body.error.message }
      }),
  },
  {
    id: 'unauthorized-bare',
    breaks: ['ERR-1'],
    also: ['AUTH-1', 'ERR-5', 'ERR-6', 'GO-4'],
    what: '401 comes from another layer: {"message": "Unauthorized"}',
    apply: mutation =>
      onAnswer(mutation, '*', answer => {
        if (answer.status === 401) answer.body = { message: 'Unauthorized' }
      }),
  },
  {
    id: 'rate-limited-plain-text',
    breaks: ['ERR-1'],
    also: ['ERR-5', 'ERR-6', 'GO-4'],
    what: "429 is the gateway's: a plain text",
    apply: mutation =>
      onAnswer(mutation, '*', answer => {
        if (answer.status !== 429) return
        answer.headers['content-type'] = 'text/plain'
        answer.body = 'Too Many Requests'
      }),
  },
  {
    id: 'request-id-constant',
    breaks: ['ERR-6'],
    also: ['GO-4'],
    what: 'every answer has the same request_id',
    apply: mutation =>
      rewriteAll(mutation, error => {
        error.request_id = 'req_123456'
      }),
  },
  {
    id: 'request-id-per-key',
    breaks: ['ERR-6'],
    also: ['GO-4'],
    what: "all errors of a key have its first one's request_id",
    apply(mutation) {
      const first = new WeakMap<object, string>()
      rewriteErrors(mutation, '*', undefined, (error, _answer, { exchange }) => {
        const { world } = exchange
        if (!first.has(world)) first.set(world, error.request_id)
        error.request_id = first.get(world)
      })
    },
  },
  {
    id: 'request-id-empty',
    breaks: ['ERR-6'],
    also: ['GO-4'],
    what: 'request_id is empty',
    apply: mutation =>
      rewriteAll(mutation, error => {
        error.request_id = ''
      }),
  },
  {
    id: 'request-id-not-logged',
    breaks: ['ERR-6'],
    also: ['GO-4'],
    what: 'request_id is made up for the answer: no log knows it',
    apply(mutation) {
      let n = 0
      rewriteAll(mutation, error => {
        error.request_id = `req_00000000-0000-4000-8000-${String(n++).padStart(12, '0')}`
      })
    },
  },
  {
    id: 'journal-without-request-ids',
    breaks: ['GO-4'],
    also: ['ERR-6'],
    what: 'the journal forgets the request_ids of calls that failed',
    apply: mutation =>
      changeJournal(mutation, entries => entries.filter(({ kind, status }) => kind === 'webhook' || status < 400)),
  },
  {
    id: 'journal-without-job-ids',
    breaks: ['GO-4'],
    what: "the journal's entries have no job_id",
    apply: mutation => changeJournal(mutation, entries => entries.map(entry => ({ ...entry, job_id: null }))),
  },
  {
    id: 'unknown-job-400',
    breaks: ['ERR-4'],
    also: ['AUTH-3'],
    what: 'GET of an unknown job is answered 400',
    apply: mutation =>
      onCase(mutation, 'getJob', 'job_not_found', answer => {
        answer.status = 400
        answer.body.error.code = 'invalid_request'
      }),
  },
  {
    id: 'unknown-job-200',
    breaks: ['ERR-4'],
    also: ['AUTH-3', 'ERR-1', 'JOB-5', 'GO-7'],
    what: 'GET of an unknown job is answered 200, with an error in it',
    apply: mutation => restatusCase(mutation, 'getJob', 'job_not_found', 200),
  },
  {
    id: 'processing-failed-502',
    breaks: ['ERR-4'],
    also: ['ERR-5'],
    what: 'Processing failed at POST /v1/jobs is answered 502',
    apply: mutation => restatusCase(mutation, 'createJob', 'processing_failed', 502),
  },
  {
    id: 'processing-failed-200',
    breaks: ['ERR-4'],
    also: ['JOB-2', 'ERR-5'],
    what: 'Processing failed at POST /v1/jobs is answered 200 with success: false',
    apply: mutation =>
      onCase(mutation, 'createJob', 'processing_failed', answer => {
        answer.status = 200
        answer.body = { success: false, message: 'Processing failed' }
      }),
  },
  {
    id: 'internal-error-503',
    breaks: ['ERR-5'],
    also: ['ERR-4'],
    what: 'internal_error is answered 503',
    apply: mutation => restatus(mutation, '*', 'internal_error', 503),
  },
]
