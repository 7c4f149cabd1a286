import { basename } from 'node:path'
import { monotonicMs } from '../base/clock.ts'
import { ConfigError } from '../base/options.ts'
import { packageVersion } from '../base/paths.ts'
import { clauses } from '../contracts/clauses.ts'
import type { ObservedExchange } from '../contracts/observedExchange.ts'
import type { HarEntry } from '../recordings/har.ts'
import { observations, RecordingSecrets, read } from '../recordings/observations.ts'
import { type HarSource, openHar } from '../recordings/read.ts'
import type { RecordedCall, RecordedWebhook } from '../recordings/traffic.ts'
import { compare } from './baseline.ts'
import { readExpectedClauses, withExpectedClauses } from './expected.ts'
import type { Report } from './report.ts'
import { type Filter, isFilterName, TrafficEvaluator } from './traffic/trafficEvaluator.ts'

export interface CheckRecordingOptions extends Filter {
  /** What is in front of the documented routes; by default it is told by most of the calls. */
  base?: string
  require?: readonly string[]
  /** A report of before: what changed since is in the new one. */
  baseline?: Report
  /** A file of clauses that are known to be broken: they are shown and fail nothing; one that passes does. */
  expectedFailures?: string
}

/**
 * Judges a recording (HAR 1.2) of any size. Throws a ConfigError for a file that can't be read, or that holds no call of
 * the API. Nothing that the report holds is secret.
 */
export function checkRecording(file: string, options: CheckRecordingOptions = {}): Report {
  refuse(options)
  const { expectedFailures } = options
  const list = expectedFailures === undefined ? undefined : readExpectedClauses(expectedFailures)
  const startedMs = monotonicMs()
  const source = openHar(file, options.base === undefined ? {} : { base: options.base })
  try {
    source.requireTraffic()
    const evaluator = new TrafficEvaluator(options)
    const secrets = new RecordingSecrets()
    let ours = 0
    for (const { entry, index, seen: exchange, webhook } of observations(source)) {
      secrets.add(entry)
      if (isByHand(entry)) evaluator.forget()
      if (webhook) evaluator.webhook(webhook, index)
      if (exchange?.isOurs) ours++
      if (exchange) evaluator.call(exchange)
    }
    evaluator.end()
    if (ours === 0)
      throw new ConfigError(`${file} holds no call below ${source.base}; say another base URL with --base`)
    const exchanges = evidenceOf(source, evaluator.wanted())
    const judged = evaluator.report({
      understudy: packageVersion,
      target: `${basename(file)} (${source.base})`,
      startedAt: new Date(startedMs).toISOString(),
      ms: monotonicMs() - startedMs,
      redact: secrets.redactIn([...exchanges.values()]),
      exchanges,
      ...(options.require && { require: options.require }),
    })
    const report = withExpectedClauses(judged, list)
    const { _incomplete: incomplete } = source.log
    return {
      ...report,
      ...(incomplete !== undefined && { incomplete }),
      ...(options.baseline && { changes: compare(options.baseline, report) }),
    }
  } finally {
    source.close()
  }
}

function refuse({ only = [], skip = [], require = [] }: CheckRecordingOptions): void {
  for (const [flag, names] of Object.entries({ only, skip })) {
    const wrong = names.find(name => !isFilterName(name))
    if (wrong !== undefined)
      throw new ConfigError(
        `--${flag} names ${JSON.stringify(wrong)}; expected clauses or what recordings are looked at for, as --list FILE.har shows them`,
      )
  }
  const wrong = require.find(name => name !== 'core' && !(name.toUpperCase() in clauses))
  if (wrong !== undefined)
    throw new ConfigError(`--require names ${JSON.stringify(wrong)}; expected "core", or clauses such as ERR-1`)
}

/** The mock was changed from outside: what it was before says nothing of what it is now. */
const isByHand = ({ request }: HarEntry): boolean =>
  request.method !== 'GET' && /\/__mock\/(reset|restore|snapshot|jobs|clock)\b/.test(request.url)

/** Read once more: only now it is known which of them are evidence. */
const evidenceOf = (source: HarSource, wanted: Set<number>): Map<number, ObservedExchange> =>
  new Map([...wanted].map(index => [index, seenOf(read(source.at(index), index, source), source.at(index))]))

/** Longer bodies are cut for the report anyway. */
const maxText = 64 * 1024

function seenOf(traffic: RecordedCall | RecordedWebhook, entry: HarEntry): ObservedExchange {
  if (traffic.kind === 'call') return { ...traffic, text: traffic.text.slice(0, maxText), json: undefined }
  const { url, headers, body, status } = traffic
  const sent = { method: 'POST', url, headers, body: body.slice(0, maxText) }
  return {
    sent,
    operation: undefined,
    status,
    headers: {},
    text: '',
    json: undefined,
    bytes: new Uint8Array(),
    ms: entry.time ?? 0,
  }
}
