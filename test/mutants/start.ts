/** A mutant or a variant on a port, with its clock as the suite's. */
import { pino } from 'pino'
import type { RunningMock } from '../../client/mock.ts'
import { type App, buildApp } from '../../server/app.ts'
import { completeConfig, type MockOptions } from '../../server/config.ts'
import { applyMutant, type Mutated } from '../../server/mutants/index.ts'
import type { Mutation } from '../../server/mutants/mutation.ts'
import { listen } from '../../server/start.ts'
import type { SuiteClock } from '../../suite/environment.ts'

/** How far the mock's clock is stepped before what falls due may happen. */
const stepMs = 20

/**
 * The mock's clock as the suite's: who waits steps it, and goes on once the webhooks that fell due are delivered. Between
 * the waits it runs as time does.
 */
export const steppedClock = ({ mock }: App): SuiteClock => ({
  now: () => mock.clock.now(),
  async sleep(ms, signal) {
    for (let left = ms; left > 0 && !signal?.aborted; left -= stepMs) {
      mock.clock.step(Math.min(left, stepMs))
      await mock.webhooks.settled()
      await new Promise(setImmediate)
    }
  },
})

/** Starts a mutant or a variant on a free port of loopback, silent, as startMock() starts the mock. */
export async function startMutant(
  { id = 'none', apply }: { id?: string; apply: Mutated['apply'] },
  options: MockOptions = {},
): Promise<RunningMock & { suiteClock: SuiteClock; mutation: Mutation }> {
  const config = completeConfig({ port: 0, logLevel: 'silent', mockHeaders: false, outputs: 'canned', ...options })
  const app = buildApp(config, pino({ level: config.logLevel }))
  const mutation = applyMutant(app, { id, apply })
  return { ...(await listen(app)), suiteClock: steppedClock(app), mutation }
}
