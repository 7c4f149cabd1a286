/** checkReceiver(): grades a receiver of webhooks alone, without any client, by what it answers. */
import { setMaxListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { monotonicMs, realDelay } from '../base/clock.ts'
import { defined, existing, parseHeaderLines } from '../base/inputs.ts'
import { isLoopback } from '../base/loopback.ts'
import { ConfigError } from '../base/options.ts'
import { packageVersion } from '../base/paths.ts'
import { trustOf } from '../base/pem.ts'
import { makeTransport } from '../base/send.ts'
import { TargetError } from '../base/targetError.ts'
import { plural } from '../base/text.ts'
import type { Evidence } from '../contracts/evidence.ts'
import { redactor } from '../contracts/observedExchange.ts'
import { countVerdicts, summaryText } from '../contracts/verdict.ts'
import { reportVersion } from '../reports/document.ts'
import { type ReceiverCheck, type ReceiverFinding, receiverChecks } from './checks.ts'
import { type ReceiverSettings, receiverOptions } from './options.ts'
import type { ReceiverReport, ReceiverResult } from './report.ts'
import { type Attempt, Sender } from './sender.ts'

export interface ReceiverOptions extends ReceiverSettings {
  /** Ends the run early; the report then says what is known. */
  signal?: AbortSignal
  /** What it waits by between pieces of a slow body. Default: real time. */
  sleep?: (ms: number) => Promise<void>
  /** Called before and after each check. */
  onProgress?: (progress: { check: string; done: number; of: number; result?: ReceiverResult }) => void
}

/**
 * Sends deliveries, good and bad ones, to a receiver, and grades its answers. Throws a ConfigError for options that make no
 * sense or a host that is neither loopback nor allowed, and a TargetError when nobody answers. Times are in ms.
 */
export async function checkReceiver(target: string, options: ReceiverOptions = {}): Promise<ReceiverReport> {
  const url = urlOf(target, options.allow ?? [])
  const headers = parseHeaderLines(options.header ?? [])
  const trust = trustOf(options)
  const job = options.job === undefined ? {} : jobFieldsIn(existing(options.job, 'job'))
  const { onProgress } = options
  const signal = AbortSignal.any(options.signal === undefined ? [] : [options.signal])
  // A listener for each delivery that is underway.
  setMaxListeners(0, signal)
  const transport = makeTransport(trust, signal)
  const seed = options.seed ?? receiverOptions.seed.default()
  const { secret, nextSecret } = options
  const sender = new Sender({
    url,
    transport,
    headers,
    secret,
    nextSecret,
    job,
    timeoutMs: options.timeout ?? receiverOptions.timeout.default(),
    seed,
    sleep: options.sleep ?? (ms => realDelay(ms, signal)),
  })
  const redact = redactor(
    defined({
      SECRET: secret,
      NEXT_SECRET: nextSecret,
      ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [`HEADER_${name.toUpperCase()}`, value])),
    }),
  )
  const startedAt = monotonicMs()
  const checks: ReceiverResult[] = []
  try {
    for (const check of receiverChecks) {
      if (signal.aborted) break
      onProgress?.({ check: check.id, done: checks.length, of: receiverChecks.length })
      const at = monotonicMs()
      const [valid] = checks
      const left = leftOut(check, options, valid)
      const findings = left === undefined ? await check.run(sender) : []
      if (signal.aborted) break
      if (valid === undefined) requireAnswer(findings)
      const result = resultOf(check, left, findings, monotonicMs() - at, (attempt: Attempt) =>
        exchangeOf(attempt, url, redact),
      )
      checks.push(result)
      onProgress?.({ check: check.id, done: checks.length, of: receiverChecks.length, result })
    }
  } finally {
    transport.close()
  }
  const summary = countVerdicts(checks)
  const failed = checks.filter(({ verdict, level }) => verdict === 'failed' && level === 'must')
  const complete = checks.length === receiverChecks.length
  return {
    schema_version: reportVersion,
    understudy: packageVersion,
    target: redact(url),
    seed,
    started_at: new Date(startedAt).toISOString(),
    ms: Math.round(monotonicMs() - startedAt),
    complete,
    ok: failed.length === 0 && complete,
    why: [
      `${plural(checks.length, 'check')}: ${summaryText(summary)}`,
      ...(failed.length > 0 ? [`must: ${failed.map(({ id }) => id).join(', ')}`] : []),
      ...(complete ? [] : [`it was stopped after ${checks.length} of ${receiverChecks.length}`]),
    ].join('; '),
    summary,
    checks,
  }
}

function urlOf(target: string, allowed: readonly string[]): string {
  if (!/^https?:\/\//i.test(target) || !URL.canParse(target))
    throw new ConfigError(`${JSON.stringify(target)} is not a URL; expected one such as http://127.0.0.1:3000/webhooks`)
  const { href, hostname } = new URL(target)
  const host = hostname.replace(/^\[|\]$/g, '').toLowerCase()
  if (!isLoopback(host) && !allowed.includes(host))
    throw new ConfigError(
      `${host} is not this machine; name it with --allow ${host} if forged webhooks may be sent there`,
    )
  return href
}

function jobFieldsIn(file: string): Record<string, unknown> {
  let fields: unknown
  try {
    fields = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw new ConfigError(`--job ${file} can't be read: ${(error as Error).message}`)
  }
  if (typeof fields !== 'object' || fields === null || Array.isArray(fields))
    throw new ConfigError(
      `--job ${file} has ${JSON.stringify(fields).slice(0, 80)}; expected an object, such as {"id": "job_1"}`,
    )
  return fields as Record<string, unknown>
}

/** A receiver that answers nothing at all is not there, or not this. */
function requireAnswer(findings: readonly ReceiverFinding[]): void {
  if (findings.some(({ attempt }) => attempt.status > 0)) return
  throw new TargetError(findings[0]?.attempt.text ?? 'nobody answers')
}

interface LeftOut {
  verdict: 'skipped' | 'inconclusive'
  reason: string
  needs?: string
}

/** Why a check proves nothing here. */
function leftOut(
  { needs, wantsRefusal }: ReceiverCheck,
  { secret, nextSecret }: ReceiverSettings,
  valid: ReceiverResult | undefined,
): LeftOut | undefined {
  if (needs !== undefined && secret === undefined)
    return { verdict: 'skipped', reason: 'the secret of the receiver was not given', needs: '--secret' }
  if (needs === 'nextSecret' && nextSecret === undefined)
    return { verdict: 'skipped', reason: 'no second secret was given', needs: '--next-secret' }
  if (wantsRefusal && valid?.verdict === 'failed')
    return { verdict: 'inconclusive', reason: 'a good delivery is not taken either: a refusal proves nothing' }
  return undefined
}

type Exchange = Pick<Evidence, 'request' | 'response' | 'curl'>

/** Of what passed one piece is kept, of what failed three. */
const mostEvidence = { passed: 1, failed: 3 }

function resultOf(
  { id, title, clauses, level, advice }: ReceiverCheck,
  left: LeftOut | undefined,
  findings: readonly ReceiverFinding[],
  ms: number,
  exchange: (attempt: Attempt) => Exchange,
): ReceiverResult {
  const failed = findings.filter(({ passed }) => !passed)
  const shown = failed.length > 0 ? failed.slice(0, mostEvidence.failed) : findings.slice(0, mostEvidence.passed)
  return {
    id,
    title,
    clauses: [...clauses],
    level,
    verdict: left?.verdict ?? (failed.length > 0 ? 'failed' : 'passed'),
    ...(left && { reason: left.reason }),
    ...(left?.needs !== undefined && { needs: left.needs }),
    ...(left?.verdict === 'inconclusive' && { fault: 'target' as const }),
    ms: Math.round(ms),
    advice,
    evidence: shown.map(({ passed, expected, attempt }) => ({
      check: id,
      passed,
      expected,
      found: attempt.status === 0 ? attempt.text : `${attempt.status} in ${Math.round(attempt.ms)} ms`,
      ...exchange(attempt),
    })),
  }
}

const maxShownBody = 2_000

function exchangeOf(
  { delivery, status, headers, text, ms }: Attempt,
  url: string,
  redact: (text: string) => string,
): Exchange {
  const body = redact(delivery.body.slice(0, maxShownBody))
  const lines = Object.entries(delivery.headers).map(([name, value]) => `-H ${quoted(`${name}: ${redact(value)}`)}`)
  return {
    request: { method: 'POST', url: redact(url), headers: { ...delivery.headers }, body },
    response: {
      status,
      headers: Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, redact(value)])),
      ...(status > 0 && { body: redact(text) }),
      ms: Math.round(ms),
    },
    // A long body would not be the signed one any more.
    ...(delivery.body.length <= maxShownBody && {
      curl: ['curl -i', ...lines, `--data ${quoted(body)}`, quoted(redact(url))].join(' \\\n  '),
    }),
  }
}

const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
