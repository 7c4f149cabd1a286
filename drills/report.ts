/**
 * What a drill says, as one JSON document. The schema is published (drills/report.schema.json), the types are derived from
 * it, and every reporter, the comparison and the live view's last line write this and nothing else. All times are in ms,
 * counted from the drill's start where they are moments.
 */

import type { FromSchema } from 'json-schema-to-ts'
import { countSchema as count, textSchema as text } from '../base/jsonSchema.ts'
import { Evidence } from '../contracts/evidence.ts'
import { inconclusiveFaults, VerdictSummary, verdicts } from '../contracts/verdict.ts'
import { documentFields } from '../reports/document.ts'

/** How an exchange ended; 429 is none of the 4xx, and `none` is no HTTP answer at all. */
export const statusClasses = ['2xx', '3xx', '4xx', '429', '5xx', 'none'] as const
export type StatusClass = (typeof statusClasses)[number]

export const drillNames = ['burst', 'sustain', 'ramp', 'journey', 'outage', 'recover', 'soak'] as const
export type DrillName = (typeof drillNames)[number]

/** What a metric is counted in; '' for a bare count, 'x' for a ratio. */
export const units = ['ms', '%', '/s', 'x', ''] as const
export type Unit = (typeof units)[number]

const number = { type: 'number' } as const
const orNull = { type: ['number', 'null'] } as const
const unit = { enum: units, description: "'' is a bare count, x a ratio." } as const

const statuses = {
  type: 'object',
  required: statusClasses,
  additionalProperties: false,
  properties: { '2xx': count, '3xx': count, '4xx': count, '429': count, '5xx': count, none: count },
  description: 'Answers by class; 429 is none of the 4xx, none is no HTTP answer.',
} as const

const percentiles = {
  type: 'object',
  required: ['count', 'min', 'mean', 'p50', 'p90', 'p95', 'p99', 'p999', 'max'],
  additionalProperties: false,
  properties: {
    count,
    min: number,
    mean: number,
    p50: number,
    p90: number,
    p95: number,
    p99: number,
    p999: number,
    max: number,
  },
} as const

const point = {
  type: 'object',
  required: ['at_ms', 'due', 'sent', 'completed', 'in_flight', 'p50', 'p90', 'p99', 'max', 'statuses'],
  additionalProperties: false,
  properties: {
    at_ms: { ...count, description: 'The start of the interval.' },
    due: { ...count, description: 'Requests that were due in the interval.' },
    sent: { ...count, description: 'Requests that were sent in it.' },
    completed: { ...count, description: 'Requests that ended in it, with an answer or without.' },
    in_flight: { ...count, description: 'Requests on their way at its end.' },
    p50: { ...orNull, description: 'Latency of those that were due in it; null where none was.' },
    p90: orNull,
    p99: orNull,
    max: orNull,
    statuses: { ...statuses, description: 'How those that were due in it ended.' },
  },
} as const

const fault = { enum: inconclusiveFaults, description: 'Of inconclusive: whose fault it is.' } as const

const threshold = {
  type: 'object',
  required: ['text', 'metric', 'op', 'limit', 'unit', 'found', 'verdict', 'said'],
  additionalProperties: false,
  properties: {
    text: { ...text, description: 'As it is written in an option: create.p99 < 500ms' },
    metric: text,
    call: { ...text, description: 'The call that it is about; all of them without it.' },
    op: { enum: ['<', '<=', '>', '>=', '='] },
    limit: number,
    unit,
    found: orNull,
    verdict: {
      enum: verdicts,
      description:
        'skipped: the drill found nothing to measure. inconclusive: it would have passed but for the load generator.',
    },
    fault,
    reason: { ...text, description: 'Of skipped: why.' },
    at_ms: { ...number, description: 'Of a failed one: the interval in which it first failed.' },
    said: { ...text, description: 'What was found, when, and by how much it is over or under.' },
  },
} as const

const breach = {
  type: 'object',
  required: ['clauses', 'count', 'at_ms', 'evidence'],
  additionalProperties: false,
  properties: {
    clauses: { type: 'array', items: text },
    count: { ...count, description: 'How many of the answers looked at had the same.' },
    at_ms: { ...number, description: 'When it was first seen.' },
    evidence: Evidence,
  },
} as const

/** The id of the published schema. */
export const drillReportSchemaId = 'understudy-mock/drills/report.schema.json'

export const DrillReport = {
  title: 'DrillReport',
  description: 'What a run of `understudy drill` found. Times in ms; moments count from the start of the load.',
  type: 'object',
  required: [
    'schema_version',
    'understudy',
    'drill',
    'target',
    'seed',
    'started_at',
    'ms',
    'complete',
    'ok',
    'verdict',
    'why',
    'summary',
    'settings',
    'load',
    'latency',
    'service',
    'curve',
    'calls',
    'statuses',
    'failures',
    'series',
    'marks',
    'facts',
    'thresholds',
    'contract',
    'jobs',
    'generator',
    'notes',
  ],
  additionalProperties: false,
  properties: {
    ...documentFields,
    understudy: { ...text, description: 'The version that made it.' },
    drill: { enum: drillNames },
    target: { ...text, description: 'The base URL.' },
    seed: { ...text, description: 'What all chance of the run was drawn from.' },
    started_at: { ...text, description: 'UTC, ISO 8601.' },
    ms: { ...number, description: 'How long it took, with what goes before and after the load.' },
    complete: { type: 'boolean', description: 'false: it was stopped before its end.' },
    ok: { type: 'boolean', description: 'Whether the run is green; the command then exits 0.' },
    verdict: {
      enum: verdicts,
      description:
        'passed: no threshold failed. inconclusive: the run proves nothing, for instance as this machine could not make the load.',
    },
    fault,
    why: { ...text, description: 'The verdict in a sentence.' },
    summary: { ...VerdictSummary, description: 'How many of the thresholds have each verdict.' },
    settings: {
      type: 'object',
      additionalProperties: text,
      description: 'What the drill was run with, each as its option is written.',
    },
    load: {
      type: 'object',
      required: [
        'model',
        'ms',
        'due',
        'sent',
        'completed',
        'late',
        'waited',
        'unfinished',
        'per_second',
        'bytes_sent',
        'bytes_received',
      ],
      additionalProperties: false,
      properties: {
        model: {
          enum: ['open', 'closed', 'users'],
          description:
            'open: requests are due at moments fixed beforehand, however slow the answers are. closed: each connection sends when the last answer is in. users: each virtual user goes its way, with its pauses.',
        },
        ms: { ...number, description: 'How long the load itself was on.' },
        due: count,
        sent: count,
        completed: { ...count, description: 'Ended, with an answer or without one.' },
        late: { ...count, description: 'Sent more than 25 ms after they were due, whoever is to blame.' },
        waited: { ...count, description: 'Of those: they waited for a connection, as all were in use.' },
        unfinished: { ...count, description: 'Due, but neither answered nor failed when the drill ended.' },
        per_second: { ...number, description: 'Completed requests a second while the load was on.' },
        bytes_sent: count,
        bytes_received: count,
      },
    },
    latency: {
      anyOf: [percentiles, { type: 'null' }],
      description: 'From the moment that a request was due to the end of its answer.',
    },
    service: {
      anyOf: [percentiles, { type: 'null' }],
      description:
        'From the moment that a request was sent: what a load generator that waits for answers would call latency.',
    },
    curve: {
      type: 'array',
      items: { type: 'array', items: number, minItems: 2, maxItems: 2 },
      description: 'The percentile curve: [percentile 0..100, latency].',
    },
    calls: {
      type: 'array',
      items: {
        type: 'object',
        required: ['call', 'statuses', 'latency'],
        additionalProperties: false,
        properties: { call: text, statuses, latency: { anyOf: [percentiles, { type: 'null' }] } },
      },
    },
    statuses,
    failures: {
      type: 'array',
      description: 'What failed, grouped: the status and code, or why no answer came.',
      items: {
        type: 'object',
        required: ['call', 'what', 'count', 'at_ms'],
        additionalProperties: false,
        properties: { call: text, what: text, count, at_ms: number },
      },
    },
    series: {
      type: 'object',
      required: ['every_ms', 'points', 'gauges'],
      additionalProperties: false,
      properties: {
        every_ms: count,
        points: { type: 'array', items: point },
        gauges: {
          type: 'array',
          description: "The server's own numbers over time, from its /metrics.",
          items: {
            type: 'object',
            required: ['name', 'unit', 'points'],
            additionalProperties: false,
            properties: {
              name: text,
              unit: text,
              points: {
                type: 'array',
                items: { type: 'array', items: number, minItems: 2, maxItems: 2 },
                description: '[ms from the start, value]',
              },
            },
          },
        },
      },
    },
    marks: {
      type: 'array',
      description: 'Moments and spans worth seeing in a picture: the outage, a step, a wait.',
      items: {
        type: 'object',
        required: ['label', 'from_ms'],
        additionalProperties: false,
        properties: {
          label: text,
          from_ms: number,
          to_ms: number,
          kind: { enum: ['outage', 'step', 'wait', 'well'] },
        },
      },
    },
    facts: {
      type: 'array',
      description: "The drill's own findings: the limit, the knee, how long till it was well again.",
      items: {
        type: 'object',
        required: ['id', 'label', 'text'],
        additionalProperties: false,
        properties: {
          id: { ...text, description: 'Stable: the metric of the same name, where there is one.' },
          label: text,
          text: { ...text, description: 'The value as a person reads it.' },
          value: number,
          unit,
        },
      },
    },
    thresholds: { type: 'array', items: threshold },
    contract: {
      type: 'object',
      required: ['judged', 'of', 'breaches'],
      additionalProperties: false,
      description: 'The contract under load: answers held against the same schemas as the suite does.',
      properties: {
        judged: { ...count, description: 'Answers that were looked at.' },
        of: { ...count, description: 'Answers in all.' },
        breaches: { type: 'array', items: breach },
      },
    },
    jobs: {
      type: 'object',
      required: ['intended', 'accepted', 'refused', 'unanswered', 'lost', 'doubled', 'checked', 'text'],
      additionalProperties: false,
      description: 'Every job that the drill wanted to have, counted after the load in the list of jobs.',
      properties: {
        intended: { ...count, description: 'Creates that were sent, retries not counted.' },
        accepted: { ...count, description: 'Answered 2xx in the end.' },
        refused: { ...count, description: 'Answered otherwise in the end.' },
        unanswered: { ...count, description: 'No answer came, so that a client can not know.' },
        lost: { type: 'array', items: text, description: 'Ids that were answered, of jobs that are not there.' },
        doubled: { type: 'array', items: text, description: 'Ids of jobs beyond the first of one create.' },
        checked: { type: 'boolean', description: 'false: nobody could look; text says why.' },
        text: { ...text, description: 'The same in a sentence.' },
      },
    },
    generator: {
      type: 'object',
      required: ['late', 'late_share', 'loop_p99_ms', 'loop_max_ms', 'utilization', 'bottleneck', 'text'],
      additionalProperties: false,
      description: 'Whether the machine that made the load kept up: where it did not, the drill blames no server.',
      properties: {
        late: { ...count, description: 'Requests that this process began too late by its own fault.' },
        late_share: { ...number, description: 'The same, of those due: 0 to 1.' },
        loop_p99_ms: { ...number, description: "Delay of this process's event loop." },
        loop_max_ms: number,
        utilization: { ...number, description: 'Of its event loop: 0 to 1.' },
        bottleneck: { type: 'boolean' },
        text,
      },
    },
    notes: { type: 'array', items: text, description: 'What could not be tried, and what a reader should know.' },
  },
} as const

export type DrillReport = FromSchema<typeof DrillReport>
export type Percentiles = NonNullable<DrillReport['latency']>
export type DrillPoint = DrillReport['series']['points'][number]
export type Statuses = DrillReport['statuses']
export type ThresholdResult = DrillReport['thresholds'][number]
export type Breach = DrillReport['contract']['breaches'][number]
export type DrillFact = DrillReport['facts'][number]
export type Mark = DrillReport['marks'][number]
export type Jobs = DrillReport['jobs']
export type Generator = DrillReport['generator']
