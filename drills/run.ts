/** drill(): one drill against any base URL. What it needs of sockets, files and the mock's help is put together here. */

import { setMaxListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { holdProcess, laterReal, monotonicMs } from '../base/clock.ts'

import { NoAnswer } from '../base/http.ts'
import { baseOf, defined, existing, parseHeaderLines, unsendable } from '../base/inputs.ts'
import { isLoopback } from '../base/loopback.ts'
import { ConfigError, flagOf } from '../base/options.ts'
import { packageRoot } from '../base/paths.ts'
import { trustOf } from '../base/pem.ts'
import { refuseRenamed } from '../base/renamed.ts'
import { SeededRandom, tagOf } from '../base/seed.ts'
import { makeTransport, type Transport } from '../base/send.ts'
import { TargetError } from '../base/targetError.ts'
import { plural } from '../base/text.ts'
import { tlsTrust } from '../base/wire.ts'
import { findDrillControl } from '../client/drillControl.ts'
import { parse } from '../contracts/answers.ts'
import { redactor } from '../contracts/observedExchange.ts'
import { clipAt } from '../media/clip.ts'
import { JobLedger } from './ledger.ts'
import { openThreads } from './load/threads.ts'
import { type LoadResponse, openWire } from './load/wire.ts'
import { commonOptions, type Drill, type LoadPlan } from './named/drill.ts'
import { drills } from './named/index.ts'
import { type DrillOptionName, type DrillSettings, drillOptions } from './options.ts'
import type { DrillName, DrillReport, Jobs } from './report.ts'
import { Sampler } from './sampler.ts'
import { type Complete, DrillSession, elsewhere } from './session.ts'
import { drillReportOf } from './summary.ts'
import { parseThresholds, thresholdsFor } from './thresholds.ts'
import { Workload } from './workload.ts'

export interface DrillOptions extends DrillSettings {
  /** Ends the drill at once; the report then says what was done. */
  signal?: AbortSignal
  /** Called once, before anything is sent, with what the drill does at the most. */
  onPlan?: (plan: DrillPlan) => void
  /** Called once, before the load: for who shows how it goes on. */
  onStart?: (session: DrillSession) => void
}

export interface DrillPlan extends LoadPlan {
  drill: DrillName
  target: string
  seed: string
  /** Bounds that end the drill, where there are any: requests a second, requests, ms. */
  maxRate: number | undefined
  maxRequests: number | undefined
  maxTime: number | undefined
}

/** A drill's target, settings and thresholds, completed from what is given. Throws a ConfigError for what makes no sense. */
export function prepared(name: DrillName, target: string, given: DrillSettings) {
  refuseRenamed(given)
  const kind = drills[name]
  const settings = completed(name, kind, given)
  const thresholds = thresholdsFor(name, kind.thresholds, [...fromFile(settings), ...(settings.threshold ?? [])])
  return { target: baseOf(target), settings, thresholds }
}

/**
 * Runs a drill. Throws a ConfigError for options that make no sense, or a target that isn't loopback without allowRemote,
 * and a TargetError when nobody answers there. Nothing that the report holds is secret.
 */
export async function drill(name: DrillName, target: string, options: DrillOptions = {}): Promise<DrillReport> {
  const { signal: stop, onPlan, onStart, ...given } = options
  const kind = drills[name]
  const { target: base, settings, thresholds } = prepared(name, target, given)
  const isLocal = isLoopback(new URL(base).hostname.replace(/^\[|\]$/g, ''))
  const plan = kind.plan(settings)
  const bounds = boundsOf(settings, isLocal)
  refuse(base, isLocal, settings, plan, bounds)
  const wrong = kind.refuse?.(settings)
  if (wrong !== undefined) throw new ConfigError(wrong)
  const own = parseHeaderLines(settings.header ?? [])
  const trust = trustOf(settings)
  const clip = await clipAt(
    settings.clip === undefined ? join(packageRoot, 'fixtures', 'clips', 'short.mp4') : existing(settings.clip, 'clip'),
  )
  const startedAt = new Date(monotonicMs()).toISOString()
  const startedMs = monotonicMs()
  const tag = (what: string) => tagOf(16, settings.seed, startedAt, what)
  const over = new AbortController()
  // As many listen as wait for something.
  setMaxListeners(0, over.signal)
  const tls = tlsTrust(trust)
  // The one ends with the drill; what is switched on is switched off by the other, and the jobs are counted.
  const transport = makeTransport(trust, over.signal)
  const lasting = makeTransport(trust)
  const { maxConnections, timeout: timeoutMs, generators = 1 } = settings
  const reach = { base, maxConnections, timeoutMs, tls }
  const wire = generators > 1 ? await openThreads(reach, generators) : await openWire(reach)
  const release = holdProcess()
  const end = () => {
    over.abort()
    void wire.close()
  }
  stop?.addEventListener('abort', end, { once: true })
  if (stop?.aborted) end()
  try {
    onPlan?.({ ...plan, drill: name, target: base, seed: settings.seed, ...bounds })
    const health = await reached(transport, base, own, settings, over.signal)
    const { adminToken } = settings
    const mayAsk = settings.control !== false && (isLocal || adminToken !== undefined)
    const control = mayAsk
      ? await findDrillControl({ base, send: lasting.send, tag, headers: own, adminToken })
      : undefined
    const keys = control
      ? await drawnKeys(settings, kind, control)
      : defined({ main: settings.key, second: settings.secondKey })
    if (keys.main === undefined)
      throw new ConfigError(`${base} is not a mock that creates keys; give a valid API key with --key`)
    const redact = redactor({
      API_KEY: keys.main,
      ...(keys.second !== undefined && { SECOND_KEY: keys.second }),
      ...(adminToken !== undefined && { ADMIN_TOKEN: adminToken }),
      ...Object.fromEntries(
        Object.entries(own).map(([header, value]) => [`HEADER_${header.toUpperCase().replace(/\W/g, '_')}`, value]),
      ),
    })
    const session = new DrillSession({
      base,
      settings,
      thresholds,
      keys,
      control,
      wire,
      sampler: new Sampler(settings.sample, base, redact),
      ledger: new JobLedger(tag('ledger')),
      random: new SeededRandom(settings.seed, 'drill'),
      redact,
      signal: over.signal,
      headers: own,
      clip,
      tls,
      // autocannon loses what is underway on a connection that the server closes.
      closesConnections: health.connection?.toLowerCase() === 'close',
      graceMs: isLocal ? 30 : 250,
      maxRate: bounds.maxRate,
      maxRequests: bounds.maxRequests,
      fetch: fetchWith(transport, base, own, settings),
    })
    session.onBound = end
    const cancel =
      bounds.maxTime === undefined ? undefined : laterReal(bounds.maxTime, () => session.bound('--max-time'))
    onStart?.(session)
    const inconclusive = await kind.run(session).catch((error: unknown) => {
      // What it could not get ready for, as it was stopped, is no fault of the target's.
      if (over.signal.aborted && (error instanceof TargetError || error instanceof NoAnswer)) return undefined
      throw error
    })
    cancel?.()
    session.endLoad()
    session.phase = 'counting the jobs'
    const complete = !over.signal.aborted
    await wire.close()
    const jobs = await audit(session, lasting, complete ? settings.timeout : stoppedAuditMs)
    session.phase = 'over'
    return drillReportOf(session, {
      drill: name,
      startedAt,
      ms: monotonicMs() - startedMs,
      complete,
      inconclusive,
      jobs,
    })
  } finally {
    stop?.removeEventListener('abort', end)
    release()
    await wire.close()
    transport.close()
    lasting.close()
  }
}

/** Who stops a drill does not want to wait for a server that hangs. */
const stoppedAuditMs = 800

/** The drill's defaults, then everybody's, under what is given. Throws for what means nothing to this drill. */
function completed(name: DrillName, { takes, defaults }: Drill, given: DrillSettings): Complete {
  const taken = new Set<DrillOptionName>([...takes, ...commonOptions])
  for (const [option, value] of Object.entries(given) as [DrillOptionName, unknown][]) {
    if (value === undefined || taken.has(option)) continue
    const fits = Object.entries(drills).flatMap(([other, { takes }]) => (takes.includes(option) ? other : []))
    const hint = fits.length > 0 ? `it is for ${fits.join(', ')}` : 'see --help'
    throw new ConfigError(`${flagOf(option)} means nothing to ${name}; ${hint}`)
  }
  const general = Object.fromEntries(
    Object.entries(drillOptions).map(([option, row]: [string, { default: () => unknown }]) => [option, row.default()]),
  )
  return defined({ ...general, ...defaults, ...defined(given) }) as Complete
}

function fromFile({ thresholds }: DrillSettings) {
  if (thresholds === undefined) return []
  return parseThresholds(readFileSync(existing(thresholds, 'thresholds'), 'utf8'), thresholds)
}

const remote = { maxRate: 100, maxRequests: 10_000, maxTime: 15 * 60_000 }

function boundsOf({ maxRate, maxRequests, maxTime }: DrillSettings, isLocal: boolean) {
  const usual = isLocal ? { maxRate: undefined, maxRequests: undefined, maxTime: undefined } : remote
  return {
    maxRate: maxRate ?? usual.maxRate,
    maxRequests: maxRequests ?? usual.maxRequests,
    maxTime: maxTime ?? usual.maxTime,
  }
}

function refuse(
  base: string,
  isLocal: boolean,
  settings: DrillSettings,
  plan: LoadPlan,
  bounds: ReturnType<typeof boundsOf>,
): void {
  if (!isLocal && settings.allowRemote !== true)
    throw new ConfigError(
      `${base} is not on this machine, and a drill is load: it wants ${plural(plan.requests, 'request')} and ${plural(plan.jobs, 'job')}; give --allow-remote if you may load it`,
    )
  const { key, secondKey, adminToken, metricsUrl } = settings
  if (metricsUrl !== undefined && settings.allowRemote !== true && !isLoopback(new URL(metricsUrl).hostname))
    throw new ConfigError('--metrics-url is not on this machine; give --allow-remote if you may read it')
  for (const [option, value] of Object.entries({ key, secondKey, adminToken })) {
    if (value !== undefined && unsendable.test(value))
      throw new ConfigError(`${flagOf(option)} has a character that no header can carry, such as a line's end`)
  }
  if (key !== undefined && key === secondKey)
    throw new ConfigError('--second-key is the same key as --key; expected one of another account')
  if (bounds.maxRate !== undefined && plan.rate !== undefined && plan.rate > bounds.maxRate)
    throw new ConfigError(
      `the drill wants ${plan.rate}/s, and --max-rate is ${bounds.maxRate}; lower the one or raise the other`,
    )
  // Without a rate the plan is the most that may be, and the bound ends it.
  if (bounds.maxRequests !== undefined && plan.rate !== undefined && plan.requests > bounds.maxRequests)
    throw new ConfigError(
      `the drill wants ${plural(plan.requests, 'request')}, and --max-requests is ${bounds.maxRequests}; lower the one or raise the other`,
    )
  if (bounds.maxTime !== undefined && plan.rate !== undefined && plan.ms > bounds.maxTime)
    throw new ConfigError(
      `the drill wants ${plan.ms / 1000} s, and --max-time is ${bounds.maxTime / 1000} s; lower the one or raise the other`,
    )
}

/** The headers of its /health. Throws a TargetError where nobody answers at all. */
async function reached(
  { send }: Transport,
  base: string,
  headers: Record<string, string>,
  { timeout }: Complete,
  signal: AbortSignal,
): Promise<Readonly<Record<string, string>>> {
  try {
    const { status, headers: found } = await send({ method: 'GET', url: `${base}/health`, headers, timeoutMs: timeout })
    if (status < 300 || status >= 400) return found
    const to = found.location ?? 'nowhere'
    throw new TargetError(
      `it answers ${status} and redirects to ${to}; give the URL that it redirects to, without /health`,
    )
  } catch (error) {
    if (error instanceof NoAnswer)
      throw new TargetError(signal.aborted ? 'it was stopped before it answered' : error.message)
    throw error
  }
}

async function drawnKeys(
  { key, secondKey }: DrillSettings,
  { limit, takes }: Drill,
  control: NonNullable<Awaited<ReturnType<typeof findDrillControl>>>,
): Promise<{ main?: string; second?: string }> {
  const main = key ?? (await control.freshKey('key', limit))
  const second = takes.includes('secondKey') ? (secondKey ?? (await control.freshKey('second key', limit))) : undefined
  return { main, ...(second !== undefined && { second }) }
}

const mostRedirects = 5

/**
 * GETs of URLs that a server has named. A redirect is followed, extra headers go to the API alone, and without allowRemote
 * no other machine is asked.
 */
function fetchWith({ send }: Transport, base: string, own: Record<string, string>, { timeout, allowRemote }: Complete) {
  const origin = new URL(base).origin
  return async (url: string): Promise<LoadResponse> => {
    const sentAt = monotonicMs()
    const unanswered = (error: string): LoadResponse => {
      const endedAt = monotonicMs()
      return { status: 0, headers: {}, body: Buffer.alloc(0), kept: false, error, sentAt, endedAt, waited: false }
    }
    let next = url
    for (let redirects = 0; redirects <= mostRedirects; redirects++) {
      if (!/^https?:\/\//.test(next) || !URL.canParse(next)) return unanswered('no http URL')
      const { origin: asked, hostname } = new URL(next)
      if (asked !== origin && !isLoopback(hostname.replace(/^\[|\]$/g, '')) && allowRemote !== true)
        return unanswered(elsewhere)
      try {
        const answer = await send({
          method: 'GET',
          url: next,
          headers: asked === origin ? own : {},
          timeoutMs: timeout,
        })
        const { status, headers, bytes } = answer
        const { location } = headers
        if (status >= 300 && status < 400 && location !== undefined && URL.canParse(location, next)) {
          next = new URL(location, next).href
          continue
        }
        return { status, headers, body: Buffer.from(bytes), kept: true, sentAt, endedAt: monotonicMs(), waited: false }
      } catch (error) {
        if (!(error instanceof NoAnswer)) throw error
        return unanswered(error.message)
      }
    }
    return unanswered(`more than ${mostRedirects} redirects`)
  }
}

/** Which jobs are there, read behind the load. What the drill could not read it can't judge. */
async function audit(session: DrillSession, { send }: Transport, timeoutMs: number): Promise<Jobs> {
  const { base, ledger, keys } = session.setup
  const workload = new Workload(session, keys.main ?? '')
  const until = session.stopped ? monotonicMs() + timeoutMs : Number.POSITIVE_INFINITY
  const read = async ({ path, headers }: { path: string; headers: Readonly<Record<string, string>> }) => {
    if (monotonicMs() > until) return undefined
    return send({ method: 'GET', url: base + path, headers, timeoutMs }).catch(error => {
      if (error instanceof NoAnswer) return undefined
      throw error
    })
  }
  return ledger.audit(
    async (limit, offset) => {
      const answer = await read(workload.listCall(limit, offset))
      return answer?.status === 200 ? parse(new TextDecoder().decode(answer.bytes)) : undefined
    },
    async id => {
      const status = (await read(workload.pollCall(id)))?.status
      return status === 200 ? true : status === 404 ? false : undefined
    },
  )
}
