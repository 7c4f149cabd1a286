/** What the suite says of broken and different servers, held against what it should say. */

import { isMutant, type Mutant, type Variant } from '../../server/mutants/mutant.ts'
import type { Report } from '../../suite/report.ts'
import { type CheckOptions, check } from '../../suite/runCheck.ts'
import { startMutant } from './start.ts'

const webhookSecret = 'the-secret-of-prove'
/** A sequence of calls has to be met by chance: in so many of them it is. */
const sequences = 400
/** Two uploads of half a gigabyte: for those alone that could be caught by nothing else. */
const large = ['uploads.too-large', 'uploads.largest']

export interface Judgement {
  report: Report
  /** MISSED and FALSE ALARM with their clauses; none where the suite was right. */
  problems: string[]
}

export const isLarge = (server: Mutant | Variant): boolean => isMutant(server) && /large/.test(server.id)

/** Runs the suite against a server, on the clock of its mock. A mutant's clauses have to be accused, and no other. */
export async function judgeServer(
  server: Mutant | Variant,
  { skip = [], ...options }: Pick<CheckOptions, 'seed' | 'only' | 'skip'>,
): Promise<Judgement> {
  const explore = isMutant(server) && server.needs === 'explore' ? sequences : undefined
  // Fast, and slow enough for a job to be seen on its way; of long sequences there are many.
  const mock = await startMutant(server, { speed: explore ? 400 : 10, webhookSecret })
  try {
    const report = await check(mock.url, {
      webhookSecret,
      maxWait: 5_000,
      clock: mock.suiteClock,
      skip: [...skip, ...(isLarge(server) ? [] : large)],
      ...(explore && { explore }),
      ...options,
    })
    const isEmpty = options.only === undefined && report.summary.passed === 0
    return { report, problems: [...problemsOf(server, report), ...(isEmpty ? [`NOTHING HELD: ${report.why}`] : [])] }
  } finally {
    await mock.close()
  }
}

function problemsOf(server: Mutant | Variant, report: Report): string[] {
  const accused = report.clauses.filter(({ verdict }) => verdict === 'failed').map(({ id }) => id)
  const { breaks, also = [] } = isMutant(server) ? server : { breaks: [] }
  const missed = breaks.filter(id => !accused.includes(id))
  const innocent = accused.filter(id => ![...breaks, ...also].some(own => own === id))
  return [
    ...(missed.length > 0 ? [`MISSED ${missed.join(' ')}`] : []),
    ...(innocent.length > 0 ? [`FALSE ALARM ${innocent.join(' ')}`] : []),
  ]
}
