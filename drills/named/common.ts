/** What the drills over the mix of calls have in common. */
import { type Mix, shareOf, usualMix } from '../calls.ts'
import { warmUpRequests } from '../load/openLoad.ts'
import type { DrillSession } from '../session.ts'
import { Workload } from '../workload.ts'
import type { LoadPlan } from './drill.ts'

/** The load, what is sent to get ready for it, and the jobs among it. */
export const mixPlan = (load: Required<Pick<LoadPlan, 'rate' | 'requests' | 'ms'>>, mix: Mix): LoadPlan => ({
  ...load,
  requests: load.requests + preparation + warmUpRequests(load.rate),
  jobs: Math.ceil((load.requests + warmUpRequests(load.rate)) * shareOf(mix, 'create')) + 1,
})

/** A video, a job, and a few polls of it. */
const preparation = 10

interface MixSettings {
  rate: number
  duration: number
  mix: Mix
}

/** With everything ready for the load; the drill's defaults have filled in what it takes. */
export async function withWorkload(
  session: DrillSession,
  run: (workload: Workload, settings: MixSettings) => Promise<string | undefined>,
): Promise<string | undefined> {
  const { rate = 1, duration = 1_000, mix = usualMix } = session.settings
  const workload = new Workload(session, session.setup.keys.main ?? '')
  await workload.prepare(mix)
  if (session.stopped) return undefined
  return run(workload, { rate, duration, mix })
}
