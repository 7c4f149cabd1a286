/**
 * The format of a recording: HAR 1.2 (as browsers' tools write and read it), and fields of our own with an underscore.
 * What other tools write is brought into this form first (understand.ts): a `default` stands for what is missing.
 */
import type { FromSchema } from 'json-schema-to-ts'

const text = { type: 'string' } as const
const number = { type: 'number' } as const
const pairs = {
  type: 'array',
  items: { type: 'object', required: ['name', 'value'], properties: { name: text, value: { ...text, default: '' } } },
} as const

const headers = { ...pairs, default: [] } as const

const file = {
  type: 'object',
  description: 'A large body, or an uploaded file: kept beside the recording.',
  properties: {
    size: { ...number, description: 'Bytes.' },
    sha256: { ...text, description: 'Of what Understudy recorded; other tools have none.' },
    path: {
      ...text,
      description: 'Where its bytes are, from the folder of the recording; missing: they were not kept.',
    },
  },
} as const

/** How an exchange ended without a whole answer. */
const cutSchema = {
  type: 'object',
  required: ['by', 'when', 'how'],
  properties: {
    by: { enum: ['server', 'client'] },
    when: {
      enum: ['before_head', 'in_body', 'in_request'],
      description: "Before anything was answered, in the answer's body, or while the request's body was sent.",
    },
    how: {
      enum: ['reset', 'closed', 'silence', 'no_connection'],
      description: 'silence: the connection stayed open until the client gave up. no_connection: there never was one.',
    },
    bytes: { ...number, description: "Bytes of the answer's body, or of the request's, that had arrived." },
    message: text,
  },
} as const

export const HarEntry = {
  type: 'object',
  required: ['startedDateTime', 'request', 'response'],
  properties: {
    startedDateTime: { ...text, description: 'ISO 8601; of the mock: by the clock of its world.' },
    time: { ...number, description: 'ms from the start to the end.' },
    request: {
      type: 'object',
      required: ['method', 'url', 'headers'],
      properties: {
        method: text,
        url: { ...text, description: 'Absolute.' },
        httpVersion: text,
        headers,
        queryString: pairs,
        cookies: { type: 'array' },
        headersSize: number,
        bodySize: number,
        postData: {
          type: 'object',
          properties: {
            mimeType: text,
            text: text,
            params: {
              type: 'array',
              items: {
                type: 'object',
                required: ['name'],
                properties: {
                  name: text,
                  value: text,
                  fileName: text,
                  contentType: text,
                  _body_file: file,
                },
              },
            },
            encoding: { ...text, description: '"base64" where the text is.' },
            _body_file: file,
          },
        },
      },
    },
    response: {
      type: 'object',
      default: {},
      required: ['status', 'headers'],
      properties: {
        status: { ...number, default: 0, description: '0 or less: no answer came.' },
        statusText: text,
        httpVersion: text,
        headers,
        cookies: { type: 'array' },
        redirectURL: text,
        headersSize: number,
        bodySize: number,
        content: {
          type: 'object',
          properties: {
            size: number,
            mimeType: text,
            text: text,
            encoding: { ...text, description: '"base64" where the text is.' },
            _body_file: file,
          },
        },
      },
    },
    cache: { type: 'object' },
    timings: { type: 'object', properties: { blocked: number, send: number, wait: number, receive: number } },
    serverIPAddress: text,
    connection: text,
    comment: text,
    _number: { ...number, description: 'Its place in the order in which the calls began, from 1.' },
    _kind: { enum: ['call', 'webhook'], description: "webhook: the server's call of the client (WH-1)." },
    _world: { ...text, description: 'The fingerprint of the key; "anonymous" without one.' },
    _key_in: {
      type: 'array',
      items: { enum: ['url', 'body', 'header'] },
      description: 'Where the key was, beside X-Api-Key.',
    },
    _started_ms: {
      ...number,
      description: 'startedDateTime in ms since the epoch, with the fraction that it leaves out.',
    },
    _real_ms: {
      ...number,
      description: "When it began by the machine's own clock, ms since the epoch, where that is another.",
    },
    _request_id: text,
    _job_id: text,
    _scenario: text,
    _rule: text,
    _fault: text,
    _delay_ms: number,
    _connection_request: {
      ...number,
      description:
        'Which request of its connection it was, from 1: a library may send again by itself what a kept connection has lost.',
    },
    _credits: { ...number, description: 'What the call reserved of the account.' },
    _is_open: { type: 'boolean', description: 'Its client was still waiting when this was written.' },
    _cut: cutSchema,
    _delivery: {
      type: 'object',
      description: 'Of a webhook: what it was, and what is known of its fate.',
      required: ['id', 'event'],
      properties: { id: text, event: text, attempt: number, error: text },
    },
  },
} as const

export const HarLog = {
  type: 'object',
  required: ['log'],
  properties: {
    log: {
      type: 'object',
      required: ['entries'],
      properties: {
        version: text,
        creator: { type: 'object', properties: { name: text, version: text } },
        entries: { type: 'array' },
        comment: text,
        _target: { ...text, description: 'The base URL of what was recorded.' },
        _seed: text,
        _incomplete: { ...text, description: 'Why not all that happened is in it.' },
      },
    },
  },
} as const

export type HarEntry = FromSchema<typeof HarEntry>
export type HarLog = FromSchema<typeof HarLog>
export type HarFile = FromSchema<typeof file>
export type HarParam = NonNullable<NonNullable<HarEntry['request']['postData']>['params']>[number]
export type Cut = FromSchema<typeof cutSchema>
