/** What the waits of several runs show together: a single run has too few to tell whether they have jitter. */
import { plural } from '../base/text.ts'
import type { ConductReport } from '../conduct/report.ts'
import { isWithoutJitter, type OwnWait, ownWaitsOf, waitsText } from '../conduct/rules/retries.ts'

export interface ScenarioReport {
  scenario: string
  report: ConductReport
}

export interface WaitsTogether {
  /** They are the same in each run. */
  isRigid: boolean
  said: string
  scenarios: string[]
}

/** RL-3: 2 s between polls at first; a little less is a timer's matter. */
const leastPollMs = 1_900

/** Waits of the same call in several runs: without jitter they are the same in each, and a single run has too few. */
export function waitsTogether(
  reports: readonly { scenario: string; report: Pick<ConductReport, 'chains'> }[],
): WaitsTogether | undefined {
  const byCall = new Map<string, { waits: OwnWait[]; scenarios: Set<string> }>()
  for (const { scenario, report } of reports)
    for (const chain of report.chains) {
      const found = byCall.get(chain.operation ?? chain.call) ?? { waits: [], scenarios: new Set() }
      byCall.set(chain.operation ?? chain.call, found)
      // A poll that failed may just wait for the next one's turn.
      const own = ownWaitsOf(chain).filter(({ ms }) => chain.operation !== 'getJob' || ms < leastPollMs)
      found.waits.push(...own)
      if (own.length > 0) found.scenarios.add(scenario)
    }
  const judged = [...byCall].flatMap(([call, { waits, scenarios }]): WaitsTogether[] => {
    const isRigid = isWithoutJitter(waits)
    if (isRigid === undefined) return []
    return [
      {
        isRigid,
        said: `in ${plural(scenarios.size, 'run')}, between tries of ${call}, it ${waitsText(waits)}: always the same`,
        scenarios: [...scenarios],
      },
    ]
  })
  return judged.find(({ isRigid }) => isRigid) ?? judged[0]
}
