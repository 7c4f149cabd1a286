/** A server that fails in the midst of the load: what is lost, how long till it is well again, is a job made twice? */
import { spawn } from 'node:child_process'
import { ConfigError } from '../../server/config.ts'
import { usualMix } from '../calls.ts'
import { dueWithin } from '../load/arrivals.ts'
import { drain, openLoad, warmUp } from '../load/openLoad.ts'
import type { Answered } from '../load/wire.ts'
import { backoffMs, isRetried, retryAfterMs } from '../policy.ts'
import { inUnit } from '../reporters/numbers.ts'
import type { Session } from '../session.ts'
import type { Workload } from '../workload.ts'
import { mixPlan, withWorkload } from './common.ts'
import { type Drill, mixOptions } from './drill.ts'

export const outage: Drill = {
  title: 'the server fails in the midst of the load: what is lost, how soon is it well again, are jobs doubled?',
  clauses: ['ERR-3', 'RL-3', 'GO-3', 'GO-5', 'ID-1'],
  takes: ['rate', 'duration', 'scenario', 'outageAt', 'outageFor', 'breakWith', 'mendWith', ...mixOptions],
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
  run: session =>
    withWorkload(session, async (workload, { rate, duration, mix }) => {
      const { outageAt = 0, outageFor = 0 } = session.settings
      if (outageAt + outageFor > duration)
        throw new ConfigError(
          `the outage ends at ${(outageAt + outageFor) / 1000} s, behind the load's ${duration / 1000} s; expected a longer --duration, or --outage-at and --outage-for within it`,
        )
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
      tell(session, await span, through)
      return undefined
    }),
}

/** RL-3 caps at 16 s: four of the longest waits. */
const mostRetryMs = 64_000

/** The same create under the same Idempotency-Key, as RL-3 says; true when it got through. */
async function untilThrough(session: Session, workload: Workload, n: number, first: Answered): Promise<boolean> {
  const since = session.now()
  let waitMs = retryAfterMs(first)
  let { status } = first
  for (let attempt = 0; isRetried(status) && session.now() - since < mostRetryMs; attempt++) {
    await session.sleep(Math.max(waitMs, backoffMs(session.kit.chance, `create ${n}`, attempt)))
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
}

/** Causes the outage and ends it; undefined where nobody here can. */
async function breakAndMend(session: Session, atMs: number, forMs: number): Promise<Span | undefined> {
  const { control, keys } = session.kit
  const { scenario = '', breakWith, mendWith } = session.settings
  const by = breakWith !== undefined ? 'a command' : control ? `the scenario ${scenario}` : undefined
  if (by === undefined) {
    session.note(
      'nobody here can cause an outage of this target: whatever failed, failed by itself (--break-with and --mend-with take commands)',
    )
    return undefined
  }
  await session.sleep(atMs)
  if (session.stopped) return undefined
  const from = session.now()
  session.phase = `outage: ${by}`
  if (breakWith !== undefined) await shell(breakWith, '--break-with')
  else {
    const refusal = await control?.startScenario(scenario, keys.main ?? '')
    if (refusal !== undefined) throw new ConfigError(`the mock can't play ${JSON.stringify(scenario)}: ${refusal}`)
  }
  // Stopped or not, what was broken is mended.
  await session.sleep(forMs)
  if (breakWith === undefined) await control?.endScenario(keys.main ?? '')
  else if (mendWith !== undefined) await shell(mendWith, '--mend-with')
  const to = session.now()
  session.phase = 'after the outage'
  session.marks.push({ label: `outage: ${by}`, from_ms: Math.round(from), to_ms: Math.round(to), kind: 'outage' })
  return { from, to }
}

/** Runs a command of the user's own; what it prints goes to stderr. */
function shell(command: string, option: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, { shell: true, stdio: ['ignore', process.stderr, process.stderr] })
    child.on('error', reject)
    child.on('close', code =>
      code === 0
        ? resolve()
        : reject(new ConfigError(`${option} ${JSON.stringify(command)} ended with exit code ${code}`)),
    )
  })
}

const failing = ['5xx', 'none', '429', '4xx'] as const

function tell(session: Session, span: Span | undefined, through: readonly boolean[]): void {
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
    session.fact('failed', 'failed in the outage', `${all - during['2xx']} of ${all} requests`, all - during['2xx'], '')
    const last = records.span(failing, span.to)?.last
    const recovery = last === undefined ? 0 : Math.max(0, last - span.to)
    found.set('recovery', recovery)
    session.fact('recovery', 'well again', `${inUnit(recovery, 'ms')} behind the end of the outage`, recovery, 'ms')
    session.marks.push({ label: 'well again', from_ms: Math.round(span.to + recovery), kind: 'well' })
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
