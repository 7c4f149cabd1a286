/** How a job will go: what its video's name asks for, and over that what a scenario says. Decided when it is created. */
import type { WebhookEventName } from '../../contracts/schemas.ts'
import { findTestVideo, type TestVideo } from '../testValues.ts'

/** What is wrong with the delivery of one event (WH-1 to WH-3). */
export type WebhookFault =
  | { type: 'lost' }
  | { type: 'duplicate'; copies: number }
  | { type: 'late'; lateMs: number }
  | { type: 'out_of_order' }
  | { type: 'bad_signature' }
  | { type: 'rotated_secret' }
  | { type: 'stale'; lateMs: number }
  | { type: 'replayed'; lateMs: number }
  | { type: 'changed_retry' }
  | { type: 'without_id' }

export interface JobPlan {
  /** stuck: it stays in processing for good. */
  readonly outcome: 'completed' | 'failed' | 'stuck'
  /** What a failed job's `error` says (JOB-5). */
  readonly error: string
  /** Milliseconds in the queue and in processing, by the world's clock; undefined draws them from the seed. */
  readonly queueMs: number | undefined
  readonly processingMs: number | undefined
  /** How many times longer the drawn processing takes. */
  readonly slower: number
  /** What a stuck job's progress stays at. */
  readonly stuckAt: number
  /** The progress that is shown from so many ms of processing on; without any it grows evenly. */
  readonly points: readonly { atMs: number; progress: number }[] | undefined
  readonly webhooks: Partial<Record<WebhookEventName, WebhookFault>>
}

/** The part of a plan that a scenario says; what it doesn't say stays as the video's name asks. */
export type PlanChanges = Partial<JobPlan>

/** Without changes, all videos whose name means the same share one plan: most jobs need no other. */
export function jobPlanOf(videoUrl: string, changes: PlanChanges | undefined): JobPlan {
  const testKey = findTestVideo(videoUrl)
  let plan = plans.get(testKey)
  if (plan === undefined) {
    const { outcome, slower } = testKey
    plan = { ...ordinary, outcome, slower }
    plans.set(testKey, plan)
  }
  return changes === undefined ? plan : { ...plan, ...changes }
}

const plans = new Map<TestVideo, JobPlan>()

const ordinary = {
  error: 'Processing failed',
  queueMs: undefined,
  processingMs: undefined,
  stuckAt: 42,
  points: undefined,
  webhooks: {},
}
