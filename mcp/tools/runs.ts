/** Tools that send to an endpoint for a while: each tells how far it is, and ends when its call is cancelled. */
import { laterReal } from '../../base/clock.ts'
import { defined } from '../../base/inputs.ts'
import { countSchema as count, textSchema as text, textsSchema as texts } from '../../base/jsonSchema.ts'
import { tlsFileOptions } from '../../base/options.ts'
import { atTarget } from '../../base/targetError.ts'
import { formatDuration, oneLine, plural, shortenText } from '../../base/text.ts'
import { readVariables } from '../../base/variables.ts'
import { VerdictSummary } from '../../contracts/verdict.ts'
import { drillNames } from '../../drills/report.ts'
import type { DrillSession } from '../../drills/session.ts'
import { parseThreshold } from '../../drills/thresholds.ts'
import { evidenceText } from '../../reports/evidence.ts'
import { profiles } from '../../suite/needs.ts'
import { checkOptions } from '../../suite/options.ts'
import { defineTool, durationIn, type Tell } from '../tool.ts'

/** Keys and secrets come from the environment alone: what a model writes is kept in places that nobody knows. */
const { key, secondKey, emptyAccountKey, webhookSecret, adminToken } = checkOptions
const secretsOf = { key, secondKey, emptyAccountKey, webhookSecret, adminToken, ...tlsFileOptions }

const urlField = { type: 'string', description: 'base URL; the mock that was started last by default' } as const

const mostBroken = 10

export const checkEndpointTool = defineTool({
  name: 'check_endpoint',
  title: 'Is an endpoint as documented?',
  description:
    'Runs the contract suite against a base URL, such as a backend that plays the API, clause by clause. Name a few with `only`: the whole takes up to a minute. Keys come from the variables UNDERSTUDY_CHECK_KEY and the like.',
  hints: { readOnlyHint: false, destructiveHint: false, openWorldHint: true },
  input: {
    type: 'object',
    additionalProperties: false,
    properties: {
      url: urlField,
      only: {
        type: 'array',
        items: { type: 'string' },
        minItems: 1,
        description: 'clauses, checks or themes: "RL-2", "jobs.list", "webhooks"',
      },
      skip: { type: 'array', items: { type: 'string' }, minItems: 1 },
      profile: {
        enum: profiles,
        description:
          'safe spends no credits, quick leaves out bursts and the uploads of 500 MB; full on loopback, else safe',
      },
      max_credits: { type: 'number', minimum: 0, description: 'the most that may be spent' },
      seed: { type: 'string', minLength: 1 },
    },
  },
  output: {
    type: 'object',
    required: ['ok', 'why', 'summary', 'target', 'profile', 'failed', 'skipped'],
    properties: {
      ok: { type: 'boolean' },
      why: text,
      summary: VerdictSummary,
      target: text,
      profile: text,
      failed: {
        type: 'array',
        description: `The broken clauses, ${mostBroken} at the most.`,
        items: {
          type: 'object',
          required: ['id', 'text', 'evidence'],
          properties: {
            id: text,
            text: text,
            evidence: { ...text, description: 'the first: expected, found, and how to see it again' },
          },
        },
      },
      skipped: { ...count, description: 'clauses that were not tried; the whole says why' },
    },
  },
  async run({ url, max_credits, ...given }, { session, signal, tell }) {
    const target = await session.mayReach(url ?? session.find(undefined).mock.url)
    const { check } = await import('../../suite/runCheck.ts')
    const settings = { ...defined(session.tlsFiles), ...readVariables(secretsOf, session.environment, 'check') }
    const running = check(target, {
      ...settings,
      ...defined({ ...given, maxCredits: max_credits }),
      signal,
      onlyLoopback: session.settings.allowRemote !== true,
      onProgress: progress => {
        if (progress.type === 'ended') tell(progress.index, progress.of, `${progress.check}: ${progress.verdict}`)
      },
    })
    const report = await atTarget(target, running)
    const broken = report.clauses.filter(({ verdict }) => verdict === 'failed')
    const failed = broken.slice(0, mostBroken).map(({ id, text: sentence, evidence: [first] }) => ({
      id,
      text: sentence,
      evidence: first === undefined ? '' : evidenceText(report, first),
    }))
    return {
      text: [
        `${report.ok ? 'ok' : 'not ok'}: ${report.why}`,
        ...failed.flatMap(({ id, text: sentence, evidence }) => [`✗ ${id}: ${sentence}`, shortenText(evidence, 1200)]),
      ].join('\n'),
      data: {
        ok: report.ok,
        why: report.why,
        summary: report.summary,
        target: report.target,
        profile: report.profile,
        failed,
        skipped: report.summary.skipped,
      },
      whole: { name: 'check', document: report },
    }
  },
})

export const drillTool = defineTool({
  name: 'drill',
  title: 'Does it hold under load?',
  description:
    'Loads an endpoint and says what held: burst (rate limits), sustain, ramp, journey (virtual users), outage, recover, soak. Takes from seconds to minutes: give a short duration first.',
  hints: { readOnlyHint: false, destructiveHint: true, openWorldHint: true },
  input: {
    type: 'object',
    additionalProperties: false,
    required: ['name'],
    properties: {
      name: { enum: drillNames },
      url: urlField,
      rate: { type: 'number', exclusiveMinimum: 0, maximum: 1e6, description: 'requests a second' },
      duration: { type: 'string', description: 'length of the load, such as "10s"' },
      calls: { type: 'integer', minimum: 1, maximum: 1_000_000, description: 'requests in total (burst, recover)' },
      users: { type: 'integer', minimum: 1, maximum: 10_000, description: 'virtual users' },
      scenario: { type: 'string', description: 'scenario of the mock during the outage' },
      thresholds: {
        type: 'array',
        items: { type: 'string' },
        description: 'what has to hold: "p99 < 500ms", "5xx < 0.1%"',
      },
      seed: { type: 'string', minLength: 1 },
    },
  },
  output: {
    type: 'object',
    required: ['ok', 'verdict', 'why', 'sent', 'per_second', 'p99_ms', 'thresholds', 'facts', 'jobs'],
    properties: {
      ok: { type: 'boolean' },
      verdict: text,
      why: text,
      sent: count,
      per_second: { type: 'number' },
      p99_ms: { type: ['number', 'null'] },
      thresholds: { ...texts, description: 'each with its verdict' },
      facts: texts,
      jobs: { ...text, description: 'whether jobs were lost or doubled' },
    },
  },
  async run({ name, url, duration, thresholds, ...given }, { session, signal, tell }) {
    const target = await session.mayReach(url ?? session.find(undefined).mock.url)
    const { drill } = await import('../../drills/run.ts')
    let stopTelling = () => {}
    const running = drill(name, target, {
      ...defined(session.tlsFiles),
      ...readVariables({ key, adminToken, ...tlsFileOptions }, session.environment, 'drill'),
      ...defined({
        ...given,
        duration: durationIn(duration, 'duration'),
        threshold: thresholds?.map(one => parseThreshold(one, 'thresholds')),
        allowRemote: session.settings.allowRemote,
      }),
      signal,
      onStart: load => {
        stopTelling = tellEverySecond(load, tell)
      },
    })
    const report = await atTarget(target, running).finally(() => stopTelling())
    const held = report.thresholds.map(one =>
      oneLine(`${one.verdict}: ${one.text}${one.found === null ? '' : `, found ${one.found}`}`),
    )
    const facts = report.facts.map(({ label, text: told }) => oneLine(`${label}: ${told}`))
    const { sent, per_second } = report.load
    const p99 = report.latency?.p99 ?? null
    const speed = p99 === null ? '' : `, p99 ${formatDuration(p99)}`
    return {
      text: [
        `${report.verdict}: ${report.why}`,
        `${plural(sent, 'request')}, ${per_second.toFixed(1)}/s${speed}`,
        ...held.map(one => `- ${one}`),
        ...facts,
        report.jobs.text,
      ].join('\n'),
      data: {
        ok: report.ok,
        verdict: report.verdict,
        why: report.why,
        sent,
        per_second,
        p99_ms: p99,
        thresholds: held,
        facts,
        jobs: report.jobs.text,
      },
      whole: { name: 'drill', document: report },
    }
  },
})

/** Tells every second how far the load is; gives what ends it. */
function tellEverySecond(load: DrillSession, tell: Tell): () => void {
  let cancel = () => {}
  const look = () => {
    const total = load.plannedMs > 0 ? load.plannedMs : undefined
    tell(Math.min(load.now(), total ?? Number.POSITIVE_INFINITY), total, load.phase)
    cancel = laterReal(1_000, look)
  }
  look()
  return () => cancel()
}
