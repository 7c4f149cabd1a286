/** All that one mock is made of, handed to routes and hooks; two in one process share none of it. */

import type { ServerResponse } from 'node:http'
import type { Clock } from '../base/clock.ts'
import type { OpenedIncident } from '../client/desk.ts'
import type { Config } from './config.ts'
import type { Exchange, Feed } from './journal.ts'
import type { JournalReader } from './journalView.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Outputs } from './outputs/outputs.ts'
import type { RequestContext } from './pipeline/context.ts'
import type { Playback } from './playback/playback.ts'
import type { ActiveScenarios } from './scenarios/activeScenarios.ts'
import type { SpanSender } from './spans.ts'
import type { TlsGate } from './tls/gate.ts'
import type { Uploads } from './uploads.ts'
import type { Webhooks } from './webhooks.ts'
import type { Worlds } from './world/worlds.ts'

export interface Mock {
  readonly config: Config
  readonly clock: Clock
  readonly worlds: Worlds
  readonly feed: Feed
  readonly journal: JournalReader
  readonly uploads: Uploads
  readonly outputs: Outputs
  readonly webhooks: Webhooks
  readonly metrics: Metrics
  readonly scenarios: ActiveScenarios
  readonly log: Log
  /** The recording that answers in place of the routes; undefined without one. */
  readonly playback: Playback | undefined
  /** Calls so far that were none of the API's; their request_ids count on it. */
  internalCalls: number
  /** Files that were opened to be read like the journal, by their ids, the oldest first. */
  readonly incidents: Map<string, OpenedIncident>
  nextIncident: number
  /** Connections that a fault has taken over: nobody else ends them. */
  readonly held: Set<ServerResponse>
  /** The way in, for a mock that speaks TLS. */
  readonly tls: TlsGate | undefined
  /** Sends what happens as spans; undefined without --otlp. */
  readonly spans: SpanSender | undefined
}

declare module 'fastify' {
  interface FastifyRequest {
    /** The request and its answer, as the journal will have it. */
    exchange: Exchange
    /** What the steps of the request share beside that. */
    context: RequestContext
  }
}
