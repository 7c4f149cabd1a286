/** Tools that ask a mock what a client did, why it was answered so, and what the state of its world is. */
import { WaitTimeoutError } from '../../base/errors.ts'
import { defined } from '../../base/inputs.ts'
import { countSchema as count, textSchema as text, textsSchema as texts } from '../../base/jsonSchema.ts'
import { redactField } from '../../base/redaction.ts'
import { oneLine, plural } from '../../base/text.ts'
import { entryLine, entryLines, waitsBefore } from '../../client/entryLine.ts'
import type { JournalEntry, JournalFilter, KeyState } from '../../client/mock.ts'
import type { ConductReport, RuleResult } from '../../conduct/report.ts'
import type { Job } from '../../contracts/schemas.ts'
import { VerdictSummary } from '../../contracts/verdict.ts'
import { explanationText } from '../../server/scenarios/explainCommand.ts'
import { defineTool, keyField, mockField } from '../tool.ts'

const readOnly = { readOnlyHint: true, openWorldHint: false } as const

const usualEntries = 20

export const whatHappenedTool = defineTool({
  name: 'what_happened',
  title: 'What did my app do?',
  description:
    'The calls of a client and the webhooks that it was sent, newest last, each with the wait before it. With wait_ms it waits until at_least of them have come.',
  hints: readOnly,
  input: {
    type: 'object',
    additionalProperties: false,
    properties: {
      key: keyField,
      kind: { enum: ['exchange', 'webhook'], description: 'calls, or attempts to deliver a webhook; both by default' },
      route: { type: 'string', description: 'such as "POST /v1/jobs" or "createJob"' },
      status: { type: 'string', description: 'such as "429", or "5xx"' },
      job_id: { type: 'string' },
      since: { type: 'integer', minimum: 0, description: 'only what came after the entry of this seq' },
      limit: { type: 'integer', minimum: 1, maximum: 200, description: `how many to show; ${usualEntries} by default` },
      wait_ms: { type: 'integer', minimum: 0, maximum: 50_000, description: 'how long to wait for them, ms' },
      at_least: { type: 'integer', minimum: 1, maximum: 1000, description: 'how many to wait for; 1 by default' },
      mock: mockField,
    },
  },
  output: {
    type: 'object',
    required: ['count', 'shown', 'last_seq', 'entries'],
    properties: {
      count: { ...count, description: 'how many fit' },
      shown: count,
      last_seq: { type: ['integer', 'null'], description: 'pass it as since to see what comes next' },
      timed_out: { type: 'boolean', description: 'wait_ms is over, and fewer than at_least have come' },
      entries: {
        type: 'array',
        items: {
          type: 'object',
          required: ['seq', 'what', 'status'],
          properties: {
            seq: count,
            what: text,
            status: count,
            request_id: text,
            job_id: text,
            wait_ms: {
              type: 'number',
              description: 'since the entry before it in the same world, by the clock of the mock',
            },
          },
        },
      },
    },
  },
  async run({ mock: url, limit = usualEntries, wait_ms, at_least = 1, job_id, ...rest }, { session }) {
    const { mock } = session.find(url)
    const filter: JournalFilter = defined({ ...rest, jobId: job_id })
    let isLate = false
    if (wait_ms !== undefined)
      await mock.journal.waitFor(filter, { atLeast: at_least, within: wait_ms }).catch(error => {
        if (!(error instanceof WaitTimeoutError)) throw error
        isLate = true
      })
    const all: JournalEntry[] = await mock.journal.entries(filter)
    const waits = waitsBefore(all)
    const entries = all.slice(-limit).map(entry => ({
      seq: entry.seq,
      what: entryLine(entry),
      status: entry.status,
      ...(entry.kind === 'exchange' && { request_id: entry.request_id }),
      ...(entry.job_id !== null && { job_id: entry.job_id }),
      ...defined({ wait_ms: waits.get(entry.seq) }),
    }))
    const lines = entryLines(all).slice(-limit)
    const head = [
      `${plural(all.length, 'entry', 'entries')}${all.length > entries.length ? `, the last ${entries.length} of them` : ''}`,
      ...(isLate ? [`${wait_ms} ms are over, and fewer than ${at_least} have come`] : []),
    ]
    return {
      text: [head.join('; '), ...lines].join('\n'),
      data: {
        count: all.length,
        shown: entries.length,
        last_seq: all.at(-1)?.seq ?? null,
        timed_out: isLate,
        entries,
      },
      whole: { name: 'journal', document: all },
    }
  },
})

export const whyAnsweredTool = defineTool({
  name: 'why_answered',
  title: 'Why was this answered so?',
  description:
    'Why a request was answered as it was: the scenario, each rule with its conditions, and the nearest miss.',
  hints: readOnly,
  input: {
    type: 'object',
    additionalProperties: false,
    required: ['request_id'],
    properties: {
      request_id: { type: 'string', minLength: 1, description: 'of the answer; what_happened shows it' },
      mock: mockField,
    },
  },
  output: {
    type: 'object',
    required: ['request_id', 'route', 'status', 'scenario', 'why', 'rule', 'reasons'],
    properties: {
      request_id: text,
      route: { type: ['string', 'null'] },
      status: count,
      scenario: { type: ['string', 'null'] },
      why: text,
      rule: { type: ['string', 'null'], description: 'the one that fired' },
      reasons: texts,
    },
  },
  async run({ request_id, mock: url }, { session }) {
    const explanation = await session.find(url).mock.explain(request_id)
    const { route, status, scenario, why, rule, reasons } = explanation
    return {
      text: explanationText(explanation),
      data: { request_id, route, status, scenario, why, rule, reasons },
      whole: { name: 'explanation', document: explanation },
    }
  },
})

const mostJobs = 20

export const worldStateTool = defineTool({
  name: 'world_state',
  title: 'What is the state of a world?',
  description: "A key's credits, limits and jobs, newest last; without a key, a line for each world that was called.",
  hints: readOnly,
  input: { type: 'object', additionalProperties: false, properties: { key: keyField, mock: mockField } },
  output: {
    type: 'object',
    required: ['worlds', 'jobs'],
    properties: {
      worlds: {
        type: 'array',
        items: {
          type: 'object',
          required: ['key_fingerprint', 'credits', 'reserved', 'revoked', 'scenario', 'jobs'],
          properties: {
            key_fingerprint: text,
            credits: { type: 'number', description: 'available' },
            reserved: { type: 'number', description: 'held for jobs that run' },
            revoked: { type: 'boolean' },
            scenario: { type: ['string', 'null'] },
            jobs: { type: 'object', additionalProperties: count, description: 'how many are in each state' },
          },
        },
      },
      jobs: {
        type: 'array',
        description: `Of one key: the last ${mostJobs}.`,
        items: {
          type: 'object',
          required: ['id', 'status', 'progress'],
          properties: { id: text, status: text, progress: { type: 'number' }, error: text },
        },
      },
    },
  },
  async run({ key, mock: url }, { session }) {
    const { mock, read } = session.find(url)
    const query = key === undefined ? '' : `?key=${encodeURIComponent(key)}`
    const { keys } = await read<{ keys: KeyState[] }>(`keys${query}`)
    const found =
      key !== undefined && keys.length > 0 ? (await mock.snapshot(key)).jobs.map(({ view }) => view as Job) : []
    const jobs = found.slice(-mostJobs).map(({ id, status, progress, error }) => ({
      id,
      status,
      progress,
      ...(typeof error === 'string' && { error }),
    }))
    const worlds = keys.map(({ key_fingerprint, credits, revoked, scenario, jobs }) => ({
      key_fingerprint,
      credits: credits.available,
      reserved: credits.reserved,
      revoked,
      scenario,
      jobs,
    }))
    const lines = worlds.map(world => {
      const states = Object.entries(world.jobs).flatMap(([state, n]) => (n > 0 ? [`${n} ${state}`] : []))
      const told = [
        `${world.credits} credits`,
        `${world.reserved} reserved`,
        states.length === 0 ? 'no jobs' : `jobs: ${states.join(', ')}`,
        ...(world.revoked ? ['revoked'] : []),
        ...(world.scenario === null ? [] : [`scenario ${world.scenario}`]),
      ]
      return `${world.key_fingerprint}: ${told.join('; ')}`
    })
    return {
      text: [
        ...(lines.length === 0 ? ['Nothing was called yet'] : lines),
        ...jobs.map(({ id, status, progress, error }) => oneLine(`- ${id} ${status} ${progress} % ${error ?? ''}`)),
      ].join('\n'),
      data: { worlds, jobs },
      whole: { name: 'world', document: JSON.parse(JSON.stringify({ keys, jobs: found }), redactField) },
    }
  },
})

/** What a failed rule says: also of a rehearsal's. */
export const failedRuleSchema = {
  type: 'object',
  required: ['id', 'clause', 'title', 'said', 'advice'],
  properties: {
    id: text,
    clause: text,
    title: { ...text, description: 'what a good client does' },
    said: { ...texts, description: 'what this one did' },
    advice: { ...text, description: 'what to do about it' },
  },
} as const

const mostSaid = 3

export const failedRules = (rules: readonly RuleResult[]) =>
  rules
    .filter(({ verdict }) => verdict === 'failed')
    .map(({ id, clause, title, advice, evidence }) => ({
      id,
      clause,
      title,
      said: evidence.slice(0, mostSaid).map(({ said, entries }) => {
        const seen = entries.map(({ number, what }) => `#${number} ${what}`).join('; ')
        return oneLine(seen === '' ? said : `${said}: ${seen}`)
      }),
      advice,
    }))

export const ruleLines = (failed: ReturnType<typeof failedRules>): string[] =>
  failed.flatMap(({ id, clause, title, said, advice }) => [
    `✗ ${id} (${clause}): ${title}`,
    ...said.map(one => `    ${one}`),
    `    → ${advice}`,
  ])

export const conductTool = defineTool({
  name: 'conduct',
  title: 'Does my client behave?',
  description:
    'Grades a client by what the mock saw of it: which rules of conduct it broke, by which calls, and what to do. Say ended: true when the client has finished.',
  hints: readOnly,
  input: {
    type: 'object',
    additionalProperties: false,
    properties: {
      key: { ...keyField, description: `${keyField.description}; every client by default` },
      require: {
        type: 'array',
        items: { type: 'string' },
        description: 'clauses or rules that must have passed: "ERR-3"',
      },
      ended: { type: 'boolean', description: 'the client has finished: what it has not done by now it never does' },
      mock: mockField,
    },
  },
  output: {
    type: 'object',
    required: ['ok', 'why', 'summary', 'failed', 'passed', 'not_tried'],
    properties: {
      ok: { type: 'boolean' },
      why: text,
      summary: VerdictSummary,
      failed: { type: 'array', items: failedRuleSchema },
      passed: texts,
      not_tried: {
        type: 'array',
        description: 'Rules whose situation never arose, with scenarios that bring it about.',
        items: { type: 'object', required: ['id', 'provoke'], properties: { id: text, provoke: texts } },
      },
    },
  },
  async run({ key, require, ended, mock: url }, { session }) {
    const given = defined({ require: require as never, ended })
    const report: ConductReport = await session.find(url).mock.conduct(key, given)
    const failed = failedRules(report.rules)
    const withVerdict = (verdict: string) => report.rules.filter(rule => rule.verdict === verdict)
    const untried = withVerdict('skipped').map(({ id, provoke }) => ({ id, provoke: [...provoke] }))
    return {
      text: [
        `${report.ok ? 'ok' : 'not ok'}: ${report.why}`,
        ...ruleLines(failed),
        ...(untried.length === 0 ? [] : [`not tried: ${untried.map(({ id }) => id).join(', ')}`]),
      ].join('\n'),
      data: {
        ok: report.ok,
        why: report.why,
        summary: report.summary,
        failed,
        passed: withVerdict('passed').map(({ id }) => id),
        not_tried: untried,
      },
      whole: { name: 'conduct', document: report },
    }
  },
})
