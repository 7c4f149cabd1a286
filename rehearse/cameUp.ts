/** Whether a scenario has done anything to a program: one that never fired says nothing of it. */
import type { JournalEntry } from '../client/mock.ts'
import type { Scenario } from '../server/scenarios/compiledScenario.ts'

/** Whether a call or a webhook has met what the scenario is about. */
export function hasComeUp({ rules, account, jobs }: Scenario, entries: readonly JournalEntry[]): boolean {
  const calls = entries.filter(entry => entry.kind === 'exchange')
  const answered = (status: number) => calls.some(call => call.status === status)
  const hooks = jobs?.webhooks === undefined ? [] : Object.values(jobs.webhooks)
  const isOfJobs = Object.keys(jobs ?? {}).some(name => name !== 'webhooks')
  return (
    (rules.length > 0 && calls.some(({ rule }) => rule !== undefined)) ||
    (account.credits !== undefined && answered(402)) ||
    ((account.requests !== undefined || account.jobs !== undefined) && answered(429)) ||
    ((account.revokedAfterCalls !== undefined || account.revokedAfterMs !== undefined) && answered(401)) ||
    (hooks.length > 0 && entries.some(entry => entry.kind === 'webhook' && entry.fault !== undefined)) ||
    (isOfJobs && calls.some(({ route, status }) => route === 'POST /v1/jobs' && status === 200))
  )
}
