/** One job from clip to file, with the account before and after: walked once, and looked at by several checks. */

import { NoAnswer } from '../../base/http.ts'
import type { ObservedExchange } from '../../contracts/observedExchange.ts'
import type { Job } from '../../contracts/schemas.ts'
import { listedIds, listIn } from '../../contracts/shapes.ts'
import type { Video } from '../../media/clip.ts'
import { type CallOptions, type Polled, type Price, type Probe, priceOf } from '../probe.ts'
import { NotTried } from '../session.ts'

export type UsageTotals = Awaited<ReturnType<Probe['usage']>>

export interface Journey {
  id: string
  created: ObservedExchange
  polled: Polled
  job: Job
  fields: Record<string, unknown>
  /** What it was made of, where that is one of the suite's clips. */
  clip: Video | undefined
  /** The calls of the job as /v1/usage/events has them, right behind its creation and at its end. */
  events: Record<string, unknown>[]
  /** Whether those at the end have all that there were at first. */
  isWhole: boolean
  /** What the account's totals grew by. */
  grown: UsageTotals
  /** Whether nobody else made a job meanwhile: only then the totals speak of this one. */
  isAlone: boolean
  /** CR-1: what it may cost, by the billed duration that the job shows. */
  price: Price
}

/** A job of the short clip. What is a default is said all the same: whether defaults are right is another matter. */
export const sharedJourney = (t: Probe): Promise<Journey> =>
  t.run.once('journey', () =>
    walk(t, t.environment.clips.short, {
      model: 'original',
      output_format: 'webm',
      bg_type: 'transparent',
      metadata: { ...t.mark, project: 'journey' },
    }),
  )

/**
 * A job of the longer clip with the model light, in the format that will ship: long enough to tell 45 credits a minute
 * from 60, however an endpoint rounds.
 */
export const longerJourney = (t: Probe): Promise<Journey> =>
  t.run.once('longer journey', () => walk(t, t.environment.clips.longer, shippedAs(t)))

/** The model light and the format that will ship. */
export const shippedAs = ({ environment }: Probe): Record<string, unknown> => ({
  model: 'light',
  output_format: environment.outputFormat,
  ...(environment.outputFormat === 'mp4' && { bg_type: 'green' }),
})

/** A job of the video that this endpoint is known to fail on; its length is unknown, so a minute is put aside for it. */
export const failure = (t: Probe): Promise<Journey> =>
  t.run.once('failure', () =>
    measured(t, {}, () => t.create({ video_url: t.environment.failingUrl ?? t.need('failingUrl') }, { seconds: 60 })),
  )

/** Uploads the clip, makes a job of it, and waits for its end. */
export async function walk(t: Probe, clip: Video, fields: Record<string, unknown>): Promise<Journey> {
  const { url } = clip === t.environment.clips.short ? await t.video() : await t.uploaded(clip)
  return measured(t, fields, async () => t.create({ video_url: url, ...fields }, { seconds: clip.seconds }), {
    seconds: clip.seconds,
    clip,
  })
}

/** Measures what the job that `make` starts does to the account; `known` is its id, where that is not in the answer, and how long its video is. */
export async function measured(
  t: Probe,
  fields: Record<string, unknown>,
  make: () => Promise<ObservedExchange>,
  known: { id?: string; seconds?: number; clip?: Video } = {},
): Promise<Journey> {
  await t.watchDraft()
  t.must(!t.run.draftsStart, 'drafts start by themselves here (JOB-3): what one job does can not be told')
  const before = await t.usage()
  const listed = await newest(t)
  const created = await make()
  const id = known.id ?? t.idOf(created)
  // Now, as only the last 100 calls are kept, and a poll is one; and at the end, when all is charged.
  const first = await eventsOf(t, id)
  const polled = await t.finish(id)
  const { job } = polled
  const price = job.status === 'completed' ? priceOf(job.model ?? fields.model, secondsOf(t, job, known.seconds)) : free
  const grown = await settled(t, before, price)
  t.run.charged(grown.credits_used, price.exact)
  const last = await eventsOf(t, id)
  const isWhole = first.every(({ request_id }) => last.some(event => event.request_id === request_id))
  const isAlone = (await newcomers(t, listed)).strangers.length === 0
  return {
    id,
    created,
    polled,
    job,
    fields,
    clip: known.clip,
    events: [...first, ...last],
    isWhole,
    grown,
    isAlone,
    price,
  }
}

/** The billed duration; the clip's own where the job says none that is one. */
export const secondsOf = (t: Probe, { duration_seconds: seconds }: Job, own?: number): number =>
  typeof seconds === 'number' ? seconds : (own ?? t.environment.clips.short.seconds)

async function eventsOf(t: Probe, id: string): Promise<Record<string, unknown>[]> {
  const exchange = await t.get('/v1/usage/events?limit=100').catch(error => {
    // That they are not answered is US-2's matter, and none of the job's.
    if (error instanceof NoAnswer) return undefined
    throw error
  })
  return eventsIn(exchange?.json).filter(({ job_id }) => job_id === id)
}

export const eventsIn = (json: unknown): Record<string, unknown>[] => (listIn(json) ?? []).filter(isObject)

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

/** The ids of the account's newest jobs. */
export async function newest(t: Probe, options?: CallOptions): Promise<ReadonlySet<string>> {
  const exchange = t.prepared(await t.get('/v1/jobs?limit=20', options), 'the jobs could not be listed')
  return new Set(listedIds(exchange.json))
}

/**
 * Jobs that came since and that the suite got no id of. With the suite's own mark they are doubles of what it made;
 * without, somebody else uses the account.
 */
export async function newcomers(
  t: Probe,
  before: ReadonlySet<string>,
): Promise<{ doubles: string[]; strangers: string[] }> {
  const found = { doubles: [] as string[], strangers: [] as string[] }
  for (const id of await newest(t)) {
    if (before.has(id) || t.run.jobIds.has(id)) continue
    const { json } = await t.job(id)
    const isOurs =
      (json as { metadata?: { understudy?: unknown } } | undefined)?.metadata?.understudy === t.mark.understudy
    found[isOurs ? 'doubles' : 'strangers'].push(id)
  }
  // What runs must not be charged in the middle of another check.
  for (const id of found.doubles) await t.finish(id).catch(unlessNeverEnding)
  return found
}

function unlessNeverEnding(error: unknown): void {
  if (!(error instanceof NotTried)) throw error
}

const free: Price = { exact: 0, below: 0 }
const looks = 5

/** The totals may follow a moment later than the job's end. */
async function settled(t: Probe, before: UsageTotals, price: Price): Promise<UsageTotals> {
  for (let look = 1; ; look++) {
    const now = await t.usage()
    const grown = difference(now, before)
    if (look === looks || isPriceKept(grown.credits_used, price)) return grown
    await t.sleep(t.environment.pollMs)
  }
}

export function difference(now: UsageTotals, before: UsageTotals): UsageTotals {
  const by = (name: keyof UsageTotals) => now[name] - before[name]
  return {
    total_jobs: by('total_jobs'),
    completed_jobs: by('completed_jobs'),
    failed_jobs: by('failed_jobs'),
    credits_used: by('credits_used'),
  }
}

/** CR-1: not less than exact, and less than a whole credit more than both roundings give. */
export const isPriceKept = (credits: number, { exact, below }: Price): boolean =>
  isSameCredits(credits, exact) || (credits > exact && credits < below)

/** Equal as money is: a hundredth of a credit is a matter of rounding. */
export const isSameCredits = (a: number, b: number): boolean => Math.abs(a - b) <= 0.0101
