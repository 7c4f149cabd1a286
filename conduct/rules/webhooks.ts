/** WH-2, WH-3 and GO-3: how a client's endpoint takes its webhooks. */
import type { Client, ClientCall, ClientWebhook } from '../client.ts'
import { broke, type ConductRule, kept, type RuleFinding, time } from '../rule.ts'

/** WH-3. */
const answerWithinMs = 5_000
/** What an endpoint does about a delivery, it does soon. */
const actsWithinMs = 5_000

/** Some are never sent: lost on purpose, not allowed, or too many. */
const isSent = ({ status, error, endedAt, at }: ClientWebhook): boolean =>
  status > 0 || (error !== undefined && !/^(not sent|dropped)/.test(error)) || endedAt - at >= answerWithinMs

const isLate = ({ at, endedAt, error }: ClientWebhook): boolean =>
  endedAt - at >= answerWithinMs || /no answer within/.test(error ?? '')

/** Refused as what it is; an endpoint that is ill refuses everything. */
const refusals = new Set([400, 401, 403])

const isGood = ({ status }: ClientWebhook): boolean => status >= 200 && status < 300
const isForged = ({ fault }: ClientWebhook): boolean => fault === 'bad_signature'
const isReplayed = ({ fault }: ClientWebhook): boolean => fault === 'replayed'
const isStale = ({ fault }: ClientWebhook): boolean => fault === 'stale'
/** Its time, or a secret that the endpoint may not know yet, is a reason to refuse it. */
const mayBeRefused = (hook: ClientWebhook): boolean =>
  refusals.has(hook.status) && (isStale(hook) || hook.fault === 'rotated_secret')
const named = ({ event, jobId }: ClientWebhook): string => `${event}${jobId === undefined ? '' : ` of ${jobId}`}`
const said = (hook: ClientWebhook): string =>
  `${named(hook)}: ${hook.status > 0 ? `answered ${hook.status}` : (hook.error ?? 'no answer')} after ${time(hook.endedAt - hook.at)}`

export const inTime: ConductRule = {
  id: 'webhooks.in-time',
  level: 'must',
  since: '2026-11',
  clauses: ['WH-3'],
  title: 'The webhook endpoint answers within 5 s',
  advice:
    'Store the delivery, answer 200 at once, and do the work afterwards: what takes longer than 5 s counts as failed and is sent again.',
  provoke: [],
  missing: client => (client.webhooks.length === 0 ? 'no webhook was sent: give a job a webhook_url' : undefined),
  judge: client =>
    client.webhooks.filter(isSent).flatMap(hook => {
      if (isLate(hook)) return [broke(said(hook), hook)]
      return hook.status > 0 ? [kept(said(hook), hook)] : []
    }),
}

export const answers2xx: ConductRule = {
  id: 'webhooks.answers-2xx',
  level: 'must',
  since: '2026-11',
  clauses: ['WH-3'],
  title: 'The webhook endpoint answers a good delivery with 2xx',
  advice:
    'Answer 2xx once the delivery is stored, whatever you make of it later; check that the webhook_url leads to your endpoint.',
  provoke: [],
  missing: client => (client.webhooks.length === 0 ? 'no webhook was sent: give a job a webhook_url' : undefined),
  judge(client, { unsigned }) {
    const taken = new Set(client.webhooks.filter(isGood).map(({ deliveryId }) => deliveryId))
    const seen = new Set<string>()
    return client.webhooks.filter(isSent).flatMap(hook => {
      // A duplicate that is refused is another rule's matter, and a late answer too.
      const isRepeat = seen.has(hook.deliveryId)
      if (isGood(hook)) seen.add(hook.deliveryId)
      // An endpoint that asks for a signature is right to refuse what has none.
      if (isForged(hook) || isLate(hook) || isRepeat || mayBeRefused(hook) || (unsigned && refusals.has(hook.status)))
        return []
      if (isGood(hook)) return [kept(said(hook), hook)]
      return taken.has(hook.deliveryId) ? [] : [broke(said(hook), hook)]
    })
  },
}

export const duplicates: ConductRule = {
  id: 'webhooks.duplicates',
  level: 'must',
  since: '2026-11',
  clauses: ['GO-3', 'WH-2'],
  title: 'A delivery that comes twice is answered 2xx both times, and no second action is seen',
  advice:
    'Keep the X-Webhook-Delivery-Id of what you have taken, and answer a known one with 200 without doing anything again.',
  provoke: ['webhook-duplicate'],
  judge: client =>
    deliveriesOf(client.webhooks).flatMap((hooks): RuleFinding[] => {
      // A copy that comes late may be taken for what it could be: somebody else's.
      if (hooks.some(isReplayed)) return []
      const first = hooks.find(hook => isGood(hook) && !isForged(hook))
      const again = hooks.filter(hook => first !== undefined && hook !== first && hook.at >= first.at && isSent(hook))
      if (first === undefined || again.length === 0) return []
      const refused = again.find(hook => !isGood(hook) && !isLate(hook))
      if (refused !== undefined)
        return [
          broke(`${named(refused)} came again and was answered ${refused.status || 'not at all'}`, first, refused),
        ]
      const twice = actedTwice(client, first, again.at(-1) as ClientWebhook)
      return twice.length > 1
        ? [broke(`${named(first)} came twice, and was acted on twice`, first, again[0] as ClientWebhook, ...twice)]
        : [
            kept(
              `${named(first)} came twice, was answered ${again[0]?.status}, and no second action was seen`,
              first,
              again[0] as ClientWebhook,
            ),
          ]
    }),
}

function deliveriesOf(hooks: readonly ClientWebhook[]): ClientWebhook[][] {
  const groups = new Map<string, ClientWebhook[]>()
  for (const hook of hooks) groups.set(hook.deliveryId, [...(groups.get(hook.deliveryId) ?? []), hook])
  return [...groups.values()]
}

/** The output fetched again, or the job started again, each time right behind a copy. */
function actedTwice(client: Client, first: ClientWebhook, last: ClientWebhook): ClientCall[] {
  const soon = (hook: ClientWebhook) => (call: ClientCall) =>
    call.at >= hook.at && call.at <= hook.endedAt + actsWithinMs
  const after = client.ofJob(first.jobId).filter(call => soon(first)(call) || soon(last)(call))
  // A download that broke off is rightly begun again.
  if (after.some(({ operation, isGood }) => operation === 'getOutputFile' && !isGood)) return []
  for (const operation of ['getDownload', 'startJob'] as const) {
    const acts = after.filter(call => call.operation === operation && call.isGood)
    if (acts.length > 1 && acts.some(soon(last))) return acts
  }
  return []
}

export const signature: ConductRule = {
  id: 'webhooks.signature',
  level: 'must',
  since: '2026-11',
  clauses: ['WH-2'],
  title: 'A delivery with a wrong signature is refused',
  advice:
    'Compute "sha256=" + hex HMAC-SHA256(secret, timestamp + "." + raw body), compare it with X-Webhook-Signature in constant time, and answer 401 without acting when they differ.',
  provoke: ['webhook-bad-signature'],
  judge: (client, { unsigned }) =>
    client.webhooks.flatMap((hook): RuleFinding[] => {
      // Without a secret nobody can check.
      if (unsigned || !isForged(hook)) return []
      const told = `${named(hook)} was wrongly signed, and answered ${hook.status}`
      if (isGood(hook)) return [broke(told, hook)]
      return refusals.has(hook.status) ? [kept(told, hook)] : []
    }),
  reason: client =>
    client.webhooks.some(isForged)
      ? 'what it says of a wrong signature was not seen: start the mock with --webhook-secret, and have the endpoint answer 401'
      : undefined,
}

export const fresh: ConductRule = {
  id: 'webhooks.fresh',
  level: 'should',
  since: '2026-12',
  clauses: ['WH-2'],
  title: 'A delivery whose timestamp is minutes old is refused, however good its signature',
  advice:
    'Compare X-Webhook-Timestamp with your clock before you believe the signature, and answer 401 where they are more than 5 min apart: it may be a copy that somebody has kept.',
  provoke: ['webhook-stale'],
  judge: (client, { unsigned }) =>
    client.webhooks.flatMap((hook): RuleFinding[] => {
      if (unsigned || !isStale(hook)) return []
      const told = `${named(hook)} had an old timestamp, and was answered ${hook.status}`
      if (isGood(hook)) return [broke(told, hook)]
      return refusals.has(hook.status) ? [kept(told, hook)] : []
    }),
}

export const replay: ConductRule = {
  id: 'webhooks.replay',
  level: 'must',
  since: '2026-12',
  clauses: ['GO-3', 'WH-2'],
  title: 'A delivery that comes again later, to the byte, brings nothing about a second time',
  advice:
    'Keep the X-Webhook-Delivery-Id of what you have taken for longer than a timestamp is good, and do nothing for one that you know.',
  provoke: ['webhook-replayed'],
  judge: client =>
    deliveriesOf(client.webhooks).flatMap((hooks): RuleFinding[] => {
      const [first, ...again] = hooks.filter(hook => isReplayed(hook) && isSent(hook))
      const last = again.at(-1)
      if (first === undefined || last === undefined || !isGood(first)) return []
      const twice = actedTwice(client, first, last)
      return twice.length > 1
        ? [broke(`${named(first)} was replayed, and acted on twice`, first, last, ...twice)]
        : [kept(`${named(first)} was replayed, answered ${last.status}, and no second action was seen`, first, last)]
    }),
}

export const fallback: ConductRule = {
  id: 'webhooks.fallback',
  level: 'must',
  since: '2026-12',
  clauses: ['WH-3', 'RL-3'],
  title: 'A job whose webhooks do not come is asked for',
  advice: 'Poll as a fallback, if only every 10 s: a webhook that is lost is never sent again.',
  provoke: ['webhook-lost'],
  judge: (client, { now }) => {
    const lost = client.webhooks.filter(({ fault, event }) => fault === 'lost' && event !== 'job.started')
    return lost.flatMap((hook): RuleFinding[] => {
      const isLook = ({ operation, jobId }: ClientCall) =>
        operation === 'listJobs' || (jobId === hook.jobId && operation !== 'createJob')
      const look = client.calls.find(isLook)
      if (look !== undefined) return [kept(`asked for ${hook.jobId} when no webhook came`, hook, look)]
      return now === Number.POSITIVE_INFINITY
        ? [broke(`never asked for ${hook.jobId}, though its ${hook.event} was lost`, hook)]
        : []
    })
  },
}
