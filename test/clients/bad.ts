/** Clients with one bad habit each: the good one, with one piece of its policy replaced. */
import type { Environment } from './environment.ts'
import { backoffMs, good, isLost, isSigned, isWorthRetrying, type Policy, retryAfterMs } from './policy.ts'
import { none } from './stage.ts'

export interface BadClient {
  name: string
  /** The rule that it breaks, and no other. */
  breaks: string
  /** Rules that say what follows from the habit: they may be broken too. */
  also?: readonly string[]
  /** The scenarios in which that has to show; it may in others too. */
  shownIn: readonly string[]
  habit: Partial<Policy>
}

const failures = [
  'internal-error-once',
  'flaky-third-try-succeeds',
  'processing-failed',
  'timeout-504',
  'outage-of-30s',
]
const lost = ['connection-reset', 'answer-lost-job-created', 'upload-cut']
const longFailures = ['processing-failed', 'timeout-504', 'outage-of-30s', 'no-answer']
const jobCreated = ['answer-lost-job-created', 'timeout-504-job-created', 'internal-error-job-created']

/** A pause that heeds Retry-After as the good one does, and is another one where nothing is asked for. */
const unlessAsked =
  (pauseMs: Policy['pauseMs']): Policy['pauseMs'] =>
  (retry, answer, random) =>
    retryAfterMs(answer) > 0 ? good.pauseMs(retry, answer, random) : pauseMs(retry, answer, random)

/** Good ones too, in ways that differ: none of them may be accused. */
export const goodClients: readonly { name: string; shownIn?: readonly string[]; habit: Partial<Policy> }[] = [
  { name: 'the-good-one', habit: {} },
  // Webhooks are welcome, and yet only polls are believed.
  { name: 'polls-only', habit: { believesHook: () => false } },
  {
    // Always waits as long as one does in the end, exactly as long as it is told to, and doesn't try as often.
    name: 'takes-its-time',
    habit: {
      pauseMs: (_retry, answer, random) => retryAfterMs(answer) || backoffMs(3, random),
      tries: 3,
      pollPauseMs: (_poll, random) => 5_000 + 5_000 * random(),
    },
  },
  {
    // What API.md leaves open, or asks for: a key with every call, one look whether it is done, 402 with backoff (ERR-3).
    name: 'does-as-it-may',
    shownIn: ['insufficient-credits', 'job-slow-progress'],
    habit: {
      sendsKey: () => true,
      asksDownloadFirst: 1,
      isRetried: answer => isWorthRetrying(answer) || answer.status === 402,
    },
  },
]

const retryHabits: readonly BadClient[] = [
  {
    name: 'retries-404',
    breaks: 'errors.client-errors-not-retried',
    shownIn: ['job-not-found'],
    habit: { isRetried: answer => isWorthRetrying(answer) || answer.status === 404 },
  },
  {
    name: 'retries-401',
    breaks: 'errors.client-errors-not-retried',
    shownIn: ['key-revoked-midway'],
    habit: { isRetried: answer => isWorthRetrying(answer) || answer.status === 401 },
  },
  {
    name: 'retries-400',
    breaks: 'errors.client-errors-not-retried',
    shownIn: ['invalid-request', 'upload-rejected'],
    habit: {
      isRetried: (answer, { method }) => isWorthRetrying(answer) || (method === 'POST' && answer.status === 400),
    },
  },
  {
    name: 'never-retries',
    breaks: 'errors.retried',
    shownIn: [...failures, ...lost, 'rate-limited-then-ok', 'proxy-html-502', 'no-answer', 'download-cut'],
    habit: { tries: 1 },
  },
  {
    name: 'gives-up-on-5xx',
    breaks: 'errors.retried',
    shownIn: [...failures, 'proxy-html-502'],
    habit: { isRetried: answer => isWorthRetrying(answer) && answer.status < 500 },
  },
  {
    name: 'gives-up-on-429',
    breaks: 'errors.retried',
    shownIn: ['rate-limited-then-ok', 'rate-limited-burst'],
    habit: { isRetried: answer => isWorthRetrying(answer) && answer.status !== 429 },
  },
  {
    name: 'gives-up-on-lost-answers',
    breaks: 'errors.retried',
    shownIn: [...lost, 'no-answer'],
    habit: { isRetried: answer => isWorthRetrying(answer) && !isLost(answer) },
  },
  {
    name: 'hammers',
    breaks: 'errors.no-hammering',
    shownIn: [...failures, ...lost, 'proxy-html-502'],
    // What comes within half a second may be sent by its library.
    habit: { pauseMs: unlessAsked((retry, _answer, random) => (550 + 300 * random()) * 2 ** retry) },
  },
  {
    name: 'hammers-lost-connections',
    breaks: 'errors.no-hammering',
    // One GET that is sent again at once may be another's, who uses the same key, and what comes within half a second its library's.
    shownIn: lost,
    habit: {
      pauseMs: (retry, answer, random) =>
        retry === 0 && isLost(answer) ? 600 + 200 * random() : good.pauseMs(retry, answer, random),
    },
  },
  {
    name: 'retries-evenly',
    breaks: 'retries.grow',
    shownIn: longFailures,
    habit: { pauseMs: unlessAsked((_retry, _answer, random) => backoffMs(0, random)) },
  },
  {
    name: 'retries-ever-sooner',
    breaks: 'retries.grow',
    shownIn: longFailures,
    habit: { pauseMs: unlessAsked((retry, _answer, random) => backoffMs(3 - retry, random)) },
  },
  {
    name: 'retries-by-the-metronome',
    breaks: 'retries.jitter',
    shownIn: longFailures,
    habit: { pauseMs: unlessAsked(retry => backoffMs(retry, () => 0)) },
  },
  {
    name: 'ignores-retry-after',
    breaks: 'limits.retry-after',
    also: ['limits.http-date', 'limits.no-early-return'],
    shownIn: ['rate-limited-then-ok', 'rate-limited-burst', 'retry-after-on-503', 'retry-after-31s'],
    habit: { pauseMs: (retry, _answer, random) => backoffMs(retry, random) },
  },
  {
    name: 'hurries-back-from-429',
    breaks: 'limits.retry-after',
    // A 429 without Retry-After is one that it hammers.
    also: ['limits.http-date', 'limits.no-early-return', 'errors.no-hammering', 'retries.grow'],
    shownIn: ['rate-limited-then-ok', 'rate-limited-burst', 'go-live'],
    habit: {
      pauseMs: (retry, answer, random) =>
        answer.status === 429 ? 100 + 200 * random() : good.pauseMs(retry, answer, random),
    },
  },
  {
    name: 'reads-no-dates',
    breaks: 'limits.http-date',
    shownIn: ['retry-after-date'],
    habit: {
      pauseMs: (retry, answer, random) =>
        /^\D/.test(answer.headers['retry-after'] ?? '')
          ? backoffMs(retry, random)
          : good.pauseMs(retry, answer, random),
    },
  },
  {
    name: 'caps-every-wait',
    breaks: 'limits.no-early-return',
    shownIn: ['retry-after-61s', 'retry-after-121s', 'retry-after-a-day'],
    habit: {
      isRetried: isWorthRetrying,
      pauseMs: (retry, answer, random) => Math.min(40_000, good.pauseMs(retry, answer, random)),
    },
  },
  {
    name: 'tries-on-and-on',
    breaks: 'retries.bounded',
    shownIn: ['processing-failed', 'timeout-504'],
    habit: { tries: 25 },
  },
  {
    name: 'waits-longer-and-longer',
    breaks: 'retries.total-time',
    shownIn: ['processing-failed', 'timeout-504'],
    habit: {
      tries: 11,
      pauseMs: (retry, answer, random) => Math.max(good.pauseMs(retry, answer, random), 1_000 * 2 ** retry),
    },
  },
  {
    name: 'has-no-time-out',
    breaks: 'calls.time-out',
    shownIn: ['no-answer', 'download-stalls'],
    habit: { timeoutMs: 90_000, tries: 3 },
  },
  {
    name: 'names-each-try-anew',
    breaks: 'idempotency.one-job',
    also: ['idempotency.key-on-retry', 'credits.jobs-per-intent'],
    shownIn: jobCreated,
    habit: { idempotencyKeyOf: (key, attempt) => `${key}, try ${attempt}` },
  },
  {
    name: 'names-no-try',
    breaks: 'idempotency.one-job',
    also: ['idempotency.key-on-retry', 'credits.jobs-per-intent'],
    shownIn: jobCreated,
    habit: { idempotencyKeyOf: () => undefined },
  },
  {
    name: 'hammers-402',
    breaks: 'credits.no-retry',
    shownIn: ['insufficient-credits', 'credits-run-out-midway'],
    habit: {
      isRetried: answer => isWorthRetrying(answer) || answer.status === 402,
      pauseMs: (retry, answer, random) =>
        answer.status === 402 ? 100 + 200 * random() : good.pauseMs(retry, answer, random),
    },
  },
]

const jobHabits: readonly BadClient[] = [
  {
    name: 'polls-twice-a-second',
    breaks: 'polling.pace',
    shownIn: ['webhook-lost', 'job-slow-progress', 'job-stuck'],
    habit: { pollPauseMs: (poll, random) => Math.min(500 * 1.5 ** Math.max(0, poll - 8), 8_000) * (1 + random() / 4) },
  },
  {
    name: 'polls-at-one-pace',
    breaks: 'polling.slows-down',
    shownIn: ['job-slow-progress', 'job-stuck'],
    habit: { pollPauseMs: (_poll, random) => good.pollPauseMs(0, random) },
  },
  {
    name: 'polls-on',
    breaks: 'polling.stops',
    // Elsewhere a webhook tells of the end, and one poll to make sure is no bad habit; nor is one for the details.
    shownIn: ['webhook-lost', 'webhook-late'],
    habit: { pollsAfterEnd: 3 },
  },
  {
    name: 'never-gives-up',
    breaks: 'polling.gives-up',
    shownIn: ['job-stuck'],
    habit: { patienceMs: Number.POSITIVE_INFINITY },
  },
  {
    name: 'asks-for-the-download-first',
    breaks: 'download.after-completion',
    shownIn: [none, 'job-slow-progress', 'job-stuck'],
    habit: { asksDownloadFirst: 2 },
  },
  {
    name: 'uploads-a-text',
    breaks: 'uploads.acceptable',
    shownIn: [none],
    habit: {
      fileOf: ({ filename }) => ({
        filename: `${filename}.txt`,
        type: 'text/plain',
        bytes: Buffer.from(`Remember to upload ${filename}`),
      }),
    },
  },
  {
    name: 'uploads-a-picture',
    breaks: 'uploads.acceptable',
    shownIn: [none],
    habit: {
      fileOf: ({ filename }) => ({
        filename: `${filename}.png`,
        type: 'image/png',
        bytes: Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.from(filename)]),
      }),
    },
  },
  {
    name: 'uploads-too-much',
    breaks: 'uploads.acceptable',
    shownIn: [none],
    habit: { fileOf: clip => ({ ...clip, announcedBytes: 600 * 1024 * 1024 + clip.bytes.length }) },
  },
]

const secretHabits: readonly BadClient[] = [
  {
    name: 'puts-the-key-into-the-url',
    breaks: 'secrets.key-not-in-url',
    shownIn: [none],
    habit: {
      urlOf: (environment, path) =>
        path.startsWith('/v1/jobs/')
          ? `${environment.base}${path}?api_key=${environment.key}`
          : good.urlOf(environment, path),
    },
  },
  {
    name: 'puts-the-key-into-metadata',
    breaks: 'secrets.key-not-in-body',
    shownIn: [none],
    habit: { metadataOf: ({ key }) => ({ project: 'spring campaign', api_key: key }) },
  },
]

/** Runs whose endpoint has been slow once. */
const warm = new WeakSet<Environment>()

/** When each delivery first came, by its run. */
const firstSeen = new WeakMap<Environment, Map<string, number>>()

const hookHabits: readonly BadClient[] = [
  {
    name: 'answers-hooks-late',
    breaks: 'webhooks.in-time',
    shownIn: [none, 'job-fails', 'webhook-late'],
    habit: {
      // The mock waits in real time, so it is kept waiting once a run.
      answerHook(delivery, isKnown, environment) {
        if (warm.has(environment)) return good.answerHook(delivery, isKnown, environment)
        warm.add(environment)
        return undefined
      },
    },
  },
  {
    name: 'answers-hooks-500',
    breaks: 'webhooks.answers-2xx',
    shownIn: [none, 'job-fails', 'webhook-duplicate'],
    habit: { answerHook: () => 500 },
  },
  {
    name: 'knows-no-start',
    breaks: 'webhooks.answers-2xx',
    shownIn: [none],
    habit: {
      answerHook: (delivery, isKnown, environment) =>
        delivery.event === 'job.started' ? 400 : good.answerHook(delivery, isKnown, environment),
    },
  },
  {
    name: 'acts-on-duplicates',
    breaks: 'webhooks.duplicates',
    shownIn: ['webhook-duplicate'],
    also: ['webhooks.replay'],
    habit: { believesHook: (delivery, _isKnown, { webhookSecret }) => isSigned(delivery, webhookSecret) },
  },
  {
    name: 'acts-on-replays',
    breaks: 'webhooks.replay',
    shownIn: ['webhook-replayed'],
    habit: {
      // It knows a delivery for a few seconds, and no longer.
      believesHook(delivery, isKnown, environment) {
        const times = firstSeen.get(environment) ?? new Map<string, number>()
        firstSeen.set(environment, times)
        const firstAt = times.get(delivery.id) ?? environment.now()
        times.set(delivery.id, firstAt)
        return good.believesHook(delivery, isKnown && environment.now() - firstAt < 5_000, environment)
      },
    },
  },
  {
    name: 'believes-old-hooks',
    breaks: 'webhooks.fresh',
    shownIn: ['webhook-stale'],
    habit: {
      answerHook: (delivery, _isKnown, { webhookSecret }) => (isSigned(delivery, webhookSecret) ? 204 : 401),
      believesHook: (delivery, isKnown, { webhookSecret }) => !isKnown && isSigned(delivery, webhookSecret),
    },
  },
  {
    name: 'waits-for-hooks-alone',
    breaks: 'webhooks.fallback',
    shownIn: ['webhook-lost'],
    habit: { pollPauseMs: () => 3 * 60 * 60_000 },
  },
  {
    name: 'refuses-duplicates',
    breaks: 'webhooks.duplicates',
    shownIn: ['webhook-duplicate'],
    habit: {
      answerHook: (delivery, isKnown, environment) => (isKnown ? 409 : good.answerHook(delivery, isKnown, environment)),
    },
  },
  {
    name: 'believes-any-signature',
    breaks: 'webhooks.signature',
    also: ['webhooks.fresh'],
    shownIn: ['webhook-bad-signature'],
    habit: { answerHook: () => 204, believesHook: (_delivery, isKnown) => !isKnown },
  },
]

export const badClients: Readonly<Record<string, readonly BadClient[]>> = {
  retries: retryHabits,
  jobs: jobHabits,
  secrets: secretHabits,
  webhooks: hookHabits,
}
