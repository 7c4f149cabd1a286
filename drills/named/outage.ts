/** A server that fails in the midst of the load: what is lost, how long till it is well again, is a job made twice? */

import { spawn } from 'node:child_process'
import { NoAnswer } from '../../base/http.ts'
import { plural } from '../../base/text.ts'

import { usualMix } from '../calls.ts'
import { dueWithin } from '../load/arrivals.ts'
import { drain, openLoad, warmUp } from '../load/openLoad.ts'
import type { LoadResponse } from '../load/wire.ts'
import { backoffMs, isRetried, retryAfterMs } from '../policy.ts'
import { inUnit } from '../reporters/numbers.ts'
import type { DrillSession } from '../session.ts'
import type { Workload } from '../workload.ts'
import { mixPlan, withWorkload } from './common.ts'
import { type Drill, mixOptions } from './drill.ts'

export const outage: Drill = {
  title: 'the server fails during the load: what is lost, how soon does it recover, are jobs duplicated?',
  clauses: ['ERR-3', 'RL-3', 'GO-3', 'GO-5', 'ID-1'],
  takes: ['rate', 'duration', 'scenario', 'outageAt', 'outageFor', 'outageStart', 'outageStop', ...mixOptions],
  defaults: {
    rate: 20,
    duration: 30_000,
    scenario: 'outage-of-30s',
    outageAt: 10_000,
    outageFor: 10_000,
    mix: usualMix,
  },
  thresholds: ['recovery < 5s', 'given_up = 0', 'lost = 0', 'doubled = 0', 'broken = 0'],
  plan({ rate = 0, duration = 0, mix = usualMix }) {
    const plan = mixPlan({ rate, requests: dueWithin(rate, duration), ms: duration + mostRetryMs }, mix)
    // Each create of the outage comes again, a few times.
    return { ...plan, requests: plan.requests + plan.jobs * 5 }
  },
  refuse({ outageAt = 0, outageFor = 0, duration = 0, outageStart, outageStop }) {
    if (outageStart === undefined && outageStop !== undefined)
      return '--outage-stop needs --outage-start, which starts the outage'
    if (outageAt + outageFor < duration) return undefined
    return `the outage ends at ${(outageAt + outageFor) / 1000} s, and the load at ${duration / 1000} s: the recovery would not be seen; expected a longer --duration, or --outage-at and --outage-for within it`
  },
  run: session =>
    withWorkload(session, async (workload, { rate, duration, mix }) => {
      const { outageAt = 0, outageFor = 0 } = session.settings
      const retries: Promise<boolean>[] = []
      workload.onRefused = (n, answered) => retries.push(untilThrough(session, workload, n, answered))
      await warmUp(session, workload, { rate, mix })
      session.beginLoad(`${rate}/s`, duration)
      const span = breakAndMend(session, outageAt, outageFor)
      await Promise.all([openLoad(session, workload, { rate, durationMs: duration, mix }), span])
      session.endLoad()
      session.phase = 'trying again what failed'
      await drain(session)
      // What is underway may still be refused, and then tried again.
      const through = await Promise.all(retries)
      const found = await span
      tell(session, found, through)
      return found?.trouble
    }),
}

/** RL-3 caps at 16 s: four of the longest waits. */
const mostRetryMs = 64_000

/** The same create under the same Idempotency-Key, as RL-3 says; true when it got through. */
async function untilThrough(
  session: DrillSession,
  workload: Workload,
  n: number,
  first: LoadResponse,
): Promise<boolean> {
  const since = session.now()
  let waitMs = retryAfterMs(first)
  let { status } = first
  for (let attempt = 0; isRetried(status) && session.now() - since < mostRetryMs; attempt++) {
    const pauseMs = Math.max(waitMs, backoffMs(session.setup.random, `create ${n}`, attempt))
    if (session.now() - since + pauseMs > mostRetryMs) return false
    await session.sleep(pauseMs)
    if (session.stopped) return false
    const answered = await workload.createAgain(n, 'retry')
    if (answered.status >= 200 && answered.status < 300) return true
    status = answered.status
    waitMs = retryAfterMs(answered)
  }
  return false
}

interface Span {
  from: number
  to: number
  /** What went wrong with causing or ending it: then nothing can be concluded. */
  trouble?: string
}

/** Causes the outage and ends it, whatever happens in between; undefined where nobody here can. */
async function breakAndMend(session: DrillSession, atMs: number, forMs: number): Promise<Span | undefined> {
  const { control, keys, signal } = session.setup
  const { scenario = '', outageStart, outageStop } = session.settings
  const by = outageStart !== undefined ? 'a command' : control ? `the scenario ${scenario}` : undefined
  if (by === undefined) {
    session.note('no outage was caused: the target is not a mock, and --outage-start was not given')
    return undefined
  }
  await session.sleep(atMs)
  if (session.stopped) return undefined
  const from = session.now()
  session.phase = `outage: ${by}`
  const key = keys.main ?? ''
  const broken =
    outageStart !== undefined
      ? await shell(outageStart, '--outage-start', signal)
      : await control?.startScenario(scenario, key).catch(unreachable)
  if (broken === undefined) await session.sleep(forMs)
  const mended =
    outageStart === undefined
      ? await control?.endScenario(key).catch(unreachable)
      : outageStop === undefined
        ? undefined
        : await shell(outageStop, '--outage-stop')
  const to = session.now()
  session.phase = 'after the outage'
  session.marks.push({ label: `outage: ${by}`, from_ms: Math.round(from), to_ms: Math.round(to), kind: 'outage' })
  const told = [
    ...(broken === undefined ? [] : [`the outage could not be caused: ${broken}`]),
    ...(mended === undefined ? [] : [`the outage could not be ended, and may still be on: ${mended}`]),
  ]
  return { from, to, ...(told.length > 0 && { trouble: told.join('; ') }) }
}

function unreachable(error: unknown): string {
  if (error instanceof NoAnswer) return error.message
  throw error
}

const stderrFd = 2

/**
 * Runs a command of the user's own; what it prints goes to stderr. Says how it failed. It has a process group of its own:
 * Ctrl-C is for the drill, which then ends the command and mends what it broke.
 */
function shell(command: string, option: string, signal?: AbortSignal): Promise<string | undefined> {
  return new Promise(resolve => {
    const child = spawn(command, { shell: true, detached: true, stdio: ['ignore', stderrFd, stderrFd] })
    const end = () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGTERM')
      } catch {
        // It has ended by itself.
      }
    }
    signal?.addEventListener('abort', end, { once: true })
    child.on('error', error => resolve(`${option} ${JSON.stringify(command)}: ${error.message}`))
    child.on('close', (code, by) => {
      signal?.removeEventListener('abort', end)
      const how = code === null ? `was ended by ${by}` : `ended with exit code ${code}`
      resolve(code === 0 ? undefined : `${option} ${JSON.stringify(command)} ${how}`)
    })
  })
}

const failing = ['5xx', 'none', '429', '4xx'] as const

function tell(session: DrillSession, span: Span | undefined, through: readonly boolean[]): void {
  const { records, found } = session
  const failures = records.span(failing)
  if (failures) {
    const { first, last } = failures
    session.fact('failing', 'failing', `from ${inUnit(first, 'ms')} to ${inUnit(last, 'ms')} of the load`)
  } else session.fact('failing', 'failing', 'nothing failed')
  if (span) {
    session.fact('outage', 'outage', `from ${inUnit(span.from, 'ms')} to ${inUnit(span.to, 'ms')} of the load`)
    const during = records.statuses(span)
    const all = Object.values(during).reduce((sum, count) => sum + count, 0)
    session.fact(
      'failed',
      'failed in the outage',
      `${all - during['2xx']} of ${plural(all, 'request')}`,
      all - during['2xx'],
      '',
    )
    tellRecovery(session, span)
  }
  const givenUp = through.filter(done => !done).length
  // Stopped by our own hand, none was given up.
  if (!session.stopped) found.set('given_up', givenUp)
  session.fact(
    'retried',
    'creates tried again',
    `${through.length}, under the same Idempotency-Key; ${through.length - givenUp} got through`,
    through.length,
    '',
  )
}

/** How long after the end of the outage the last failure was; a server that never came back has not recovered. */
function tellRecovery(session: DrillSession, { to }: Span): void {
  const { records, found, setup } = session
  const last = records.span(failing, to)?.last
  const good = records.span(['2xx'], to)?.last
  if (good === undefined || (last !== undefined && last > good)) {
    const said = last === undefined ? 'nothing was due after the outage' : 'it was not well again when the load ended'
    session.fact('recovery', 'well again', said)
    for (const threshold of setup.thresholds)
      if (threshold.metric === 'recovery')
        session.judged.set(threshold, { found: null, said, holds: last === undefined ? null : false })
    return
  }
  const recovery = last === undefined ? 0 : Math.max(0, last - to)
  found.set('recovery', recovery)
  session.fact('recovery', 'well again', `${inUnit(recovery, 'ms')} after the end of the outage`, recovery, 'ms')
  session.marks.push({ label: 'well again', from_ms: Math.round(to + recovery), kind: 'well' })
}
