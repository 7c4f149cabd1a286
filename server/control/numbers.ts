/** GET /__mock/numbers: what the desk draws. */
import { monotonicMs } from '../../base/clock.ts'
import type { MockNumbers } from '../../client/desk.ts'
import { jobStates } from '../../contracts/schemas.ts'
import type { Mock } from '../mock.ts'
import { stepMs } from '../recent.ts'
import { accountIn } from './keys.ts'

export function numbersOf(mock: Mock): MockNumbers {
  const { worlds, metrics } = mock
  const now = monotonicMs()
  const jobs = Object.fromEntries(jobStates.map(state => [state, 0])) as MockNumbers['jobs']
  const credits = { available: 0, reserved: 0, charged: 0 }
  for (const world of worlds) {
    world.clock.catchUp()
    for (const state of jobStates) jobs[state] += world.jobs.count(state)
    const account = accountIn(mock, world).credits
    credits.available += account.available / 1000
    credits.reserved += (account.balance - account.available) / 1000
    credits.charged += world.usage.summary(90, world.clock.now()).credits_used
  }
  return {
    now: new Date(now).toISOString(),
    step_ms: stepMs,
    points: metrics.recent.points(now),
    jobs,
    credits,
    rate_limited: metrics.rateLimited,
    webhooks: metrics.webhooks,
  }
}
