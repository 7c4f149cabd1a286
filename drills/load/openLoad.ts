/** The open model over the mix of calls, as sustain, outage, soak and each step of a ramp use it. */
import { monotonicMs } from '../../base/clock.ts'
import { interleaved, type Mix } from '../calls.ts'
import type { DrillSession } from '../session.ts'
import type { Workload } from '../workload.ts'
import { arrive, dueWithin } from './arrivals.ts'

/** Makes the load, and waits for what is underway at its end. */
export async function openLoad(
  session: DrillSession,
  workload: Workload,
  { rate, durationMs, mix }: { rate: number; durationMs: number; mix: Mix },
): Promise<void> {
  const next = interleaved(mix)
  const { signal } = session.setup
  await arrive({ rate, durationMs, startAt: monotonicMs(), signal }, (_n, dueAt, lagMs) =>
    workload.fire(next(), { dueAt, lagMs }),
  )
}

const warmUpMs = 500
/** At a lower rate there is nothing to warm up for. */
const warmUpFrom = 100

export const warmUpRequests = (rate: number): number => (rate < warmUpFrom ? 0 : dueWithin(rate, warmUpMs))

/**
 * Half a second of the same load that is counted nowhere, so that the first requests don't tell of connections being made
 * and of code being compiled, here and there. Its jobs are looked for behind the load like all others.
 */
export async function warmUp(
  session: DrillSession,
  workload: Workload,
  { rate, mix }: { rate: number; mix: Mix },
): Promise<void> {
  if (rate < warmUpFrom) return
  session.phase = 'warming up'
  const next = interleaved(mix)
  const { signal } = session.setup
  await arrive({ rate, durationMs: warmUpMs, startAt: monotonicMs(), signal }, () =>
    workload.fire(next(), { counts: false }),
  )
  await drain(session)
}

/** Waits until nothing is underway, or for as long as an answer may take. */
export async function drain(session: DrillSession): Promise<void> {
  const until = monotonicMs() + session.settings.timeout + 1_000
  while (session.setup.wire.inFlight > 0 && !session.stopped && monotonicMs() < until) await session.sleep(10)
}
