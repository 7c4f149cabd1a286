/** What a named drill is. A new one is a file beside this one, and a line in index.ts. */

import type { Limit } from '../../client/drillControl.ts'
import type { ClauseId } from '../../contracts/clauses.ts'
import type { DrillOptionName, DrillSettings } from '../options.ts'
import type { DrillSession } from '../session.ts'

export interface Drill {
  /** One line, as `drill list` shows it. */
  title: string
  clauses: readonly ClauseId[]
  /** Options that mean something to it, beside those that each drill takes. */
  takes: readonly DrillOptionName[]
  /** Its own defaults of those. */
  defaults: DrillSettings
  /** What has to hold unless the user says otherwise. */
  thresholds: readonly string[]
  /** The most that it does, before anything is sent. */
  plan(settings: DrillSettings): LoadPlan
  /** Why these settings make no sense together, before anything is sent. */
  refuse?(settings: DrillSettings): string | undefined
  /** The limit of the keys that are drawn for it on the mock; none without it. */
  limit?: Limit | 'default'
  /** Runs it; says why nothing can be concluded, where it found that out. */
  run(session: DrillSession): Promise<string | undefined>
}

export interface LoadPlan {
  /** Requests a second at the most; undefined where the server's own pace decides. */
  rate?: number
  requests: number
  ms: number
  /** Jobs that are made, each of which costs credits. */
  jobs: number
}

/** What every drill takes. */
export const commonOptions = [
  'key',
  'threshold',
  'thresholds',
  'sample',
  'timeout',
  'seed',
  'header',
  'insecure',
  'ca',
  'clientCert',
  'clientKey',
  'adminToken',
  'control',
  'allowRemote',
  'maxRate',
  'maxRequests',
  'maxTime',
] as const satisfies readonly DrillOptionName[]

/** What every drill over the real mix of calls takes. */
export const mixOptions = [
  'mix',
  'clip',
  'jobTimeout',
  'maxConnections',
  'generators',
] as const satisfies readonly DrillOptionName[]
