/**
 * Keys and video names with a special meaning, like a payment API's test cards: an unmodified client reaches the
 * unhappy paths with them. The README's table is made from here.
 */

/** Keys of the mock start with this; each gets a world of its own on first use. */
export const testKeyPrefix = 'test_'

export interface TestKey {
  prefix: string
  effect: string
  /** The key is answered 401. */
  invalid?: true
  /** Credits that its world starts with. */
  credits?: number
  /** A window of its own for requests; it starts used up, so that the first call meets the 429. */
  requests?: { limit: number; windowMs: number }
}

export const testKeys: readonly TestKey[] = [
  { prefix: 'test_invalid', invalid: true, effect: '401 `invalid_api_key` on every call (AUTH-1)' },
  { prefix: 'test_no_credits', credits: 0, effect: 'an account without credits: 402 `insufficient_credits` (CR-3)' },
  {
    prefix: 'test_rate_limited',
    requests: { limit: 1, windowMs: 2000 },
    effect: '429 `rate_limited` on the first call, then one call every 2 s gets through (RL-2)',
  },
]

export const findTestKey = (key: string): TestKey | undefined =>
  scenarioOfKey(key) === undefined ? testKeys.find(({ prefix }) => key.startsWith(prefix)) : undefined

/** The scenario that a key asks for by its name, test_<scenario>__anything: then it means nothing else. */
export const scenarioOfKey = (key: string): string | undefined => /^test_([A-Za-z0-9-]+)__/.exec(key)?.[1]

export interface TestVideo {
  /** The last part of the video_url, or the upload's file name, without its extension. */
  name: string
  effect: string
  outcome: 'completed' | 'failed' | 'stuck'
  /** How many times longer than another job's processing. */
  slower: number
}

export const testVideos: readonly TestVideo[] = [
  { name: 'fail', outcome: 'failed', slower: 1, effect: 'the job fails midway; nothing is charged (JOB-4, CR-3)' },
  { name: 'stuck', outcome: 'stuck', slower: 1, effect: 'the job stays in `processing` for good' },
  { name: 'slow', outcome: 'completed', slower: 10, effect: 'processing takes ten times as long' },
]

const ordinary: TestVideo = { name: '', effect: '', outcome: 'completed', slower: 1 }

/** What a video_url's name asks for. */
export function findTestVideo(videoUrl: string): TestVideo {
  const path = videoUrl.split(/[?#]/, 1)[0] as string
  const file = path.slice(path.lastIndexOf('/') + 1)
  const dot = file.lastIndexOf('.')
  const name = dot === -1 ? file : file.slice(0, dot)
  return testVideos.find(one => one.name === name) ?? ordinary
}
