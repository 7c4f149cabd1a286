/** A constant arrival rate over the real mix of calls. */
import { usualMix } from '../calls.ts'
import { dueWithin } from '../load/arrivals.ts'
import { drain, openLoad, warmUp } from '../load/openLoad.ts'
import { mixPlan, withWorkload } from './common.ts'
import { type Drill, mixOptions } from './drill.ts'

export const sustain: Drill = {
  title: 'a constant rate of a realistic mix of calls, however slow the responses are: does the endpoint sustain it?',
  clauses: ['GO-5', 'ERR-1', 'JOB-5'],
  takes: ['rate', 'duration', ...mixOptions],
  defaults: { rate: 50, duration: 30_000, mix: usualMix },
  thresholds: ['p99 < 500ms', 'errors < 1%', '429 < 1%', 'completed >= 99%', 'lost = 0', 'doubled = 0', 'broken = 0'],
  plan: ({ rate = 0, duration = 0, mix = usualMix }) =>
    mixPlan({ rate, requests: dueWithin(rate, duration), ms: duration }, mix),
  run: session =>
    withWorkload(session, async (workload, { rate, duration, mix }) => {
      await warmUp(session, workload, { rate, mix })
      session.beginLoad(`${rate}/s`, duration)
      await openLoad(session, workload, { rate, durationMs: duration, mix })
      session.endLoad()
      session.phase = 'waiting for the last answers'
      await drain(session)
      return undefined
    }),
}
