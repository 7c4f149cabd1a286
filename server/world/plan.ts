/** How a job will go: what its video's name asks for, and over that what a scenario says. Decided when it is created. */
import type { WebhookEventName } from '../../contracts/schemas.ts'
import { findVideoMagic } from '../magic.ts'

/** What is wrong with the delivery of one event (WH-1 to WH-3). */
export type WebhookFault =
  | { type: 'lost' }
  | { type: 'duplicate'; copies: number }
  | { type: 'late'; lateMs: number }
  | { type: 'out_of_order' }
  | { type: 'bad_signature' }

export interface JobPlan {
  /** stuck: it stays in processing for good. */
  outcome: 'completed' | 'failed' | 'stuck'
  /** What a failed job's `error` says (JOB-5). */
  error: string
  /** Milliseconds in the queue and in processing, by the world's clock; undefined draws them from the seed. */
  queueMs: number | undefined
  processingMs: number | undefined
  /** How many times longer the drawn processing takes. */
  slower: number
  /** What a stuck job's progress stays at. */
  stuckAt: number
  /** The progress that is shown from so many ms of processing on; without any it grows evenly. */
  points: readonly { atMs: number; progress: number }[] | undefined
  webhooks: Partial<Record<WebhookEventName, WebhookFault>>
}

/** The part of a plan that a scenario says; what it doesn't say stays as the video's name asks. */
export type PlanChanges = Partial<JobPlan>

export const planOf = (videoUrl: string, changes: PlanChanges | undefined): JobPlan => {
  const { outcome, slower } = findVideoMagic(videoUrl)
  return {
    outcome,
    error: 'Processing failed',
    queueMs: undefined,
    processingMs: undefined,
    slower,
    stuckAt: 42,
    points: undefined,
    webhooks: {},
    ...changes,
  }
}
