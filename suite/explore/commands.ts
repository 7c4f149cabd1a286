/** The calls that sequences are made of: valid, boundary and hostile, drawn from the contract's own lists. */

import fc, { type AsyncCommand } from 'fast-check'
import { plural } from '../../base/text.ts'
import { describeResponse, field, isGood, isRefused } from '../../contracts/answers.ts'
import type { ClauseId } from '../../contracts/clauses.ts'
import type { ObservedExchange } from '../../contracts/observedExchange.ts'
import { backgroundTypes, models, outputFormats } from '../../contracts/schemas.ts'
import { listedIds } from '../../contracts/shapes.ts'
import { usesLegacyKeys } from '../checks/auth.ts'
import { asFile } from '../upload.ts'
import {
  type ApiModel,
  alphaOf,
  expectJob,
  expectSpent,
  type ModelJob,
  modelKey,
  type Real,
  settle,
  textFile,
  type Who,
} from './model.ts'

export type Command = AsyncCommand<ApiModel, Real>
type Fields = Record<string, unknown>

const command = (
  name: string,
  run: (model: ApiModel, real: Real) => Promise<void>,
  check: (model: ApiModel) => boolean = () => true,
): Command => ({
  check,
  run,
  toString: () => name,
})

/** The same, kept to be sent again where it has an Idempotency-Key. */
const retried = (name: string, hasKey: boolean, run: (model: ApiModel, real: Real) => Promise<void>): Command =>
  command(name, async (model, real) => {
    if (hasKey) model.repeatable.push(run)
    await run(model, real)
  })

const again = (n: number): Command =>
  command(
    `the retryable call ${n} once more`,
    (model, real) => (model.repeatable[n % model.repeatable.length] as (typeof model.repeatable)[number])(model, real),
    model => model.repeatable.length > 0,
  )

const who = fc.constantFrom<Who>('main', 'main', 'main', 'second')
/** Mostly none; few keys, so that they meet. */
const idem = fc.option(fc.integer({ min: 0, max: 1 }), { freq: 2 })
const which = fc.nat({ max: 1 })

const validInputs = fc.record(
  {
    model: fc.constantFrom(...models),
    output_format: fc.constantFrom(...outputFormats),
    bg_type: fc.constantFrom(
      ...backgroundTypes.filter(type => type !== 'custom' && type !== 'color' && type !== 'image'),
    ),
    text_prompt: fc.constantFrom('', 'the dancer', 'Ünïcödé 🎬', '"quoted" \\ $HOME'),
  },
  { requiredKeys: [] },
)
const metadata = fc.constantFrom<Fields>({}, { user_id: 'u_1' }, { nested: { deep: [1, 2, 3] } })

/** Each of these has to be refused, whatever else is right. */
const wrongInputs = fc.constantFrom<Fields>(
  { model: 'nonsense' },
  { model: 7 },
  { output_format: 'exe' },
  { bg_type: 'plaid' },
  { bg_type: 'custom', bg_color: [1, 2] },
  { video_url: 12 },
)

const keyHeader = (key: string | undefined): Record<string, string> =>
  key === undefined ? {} : { 'Idempotency-Key': key }

/** The same again: what an Idempotency-Key was answered before. */
function expectReplay(
  real: Real,
  model: ApiModel,
  key: string | undefined,
  sent: string,
  by: Who,
  exchange: ObservedExchange,
  id: unknown,
): 'new' | 'replay' | 'refused' {
  const { t } = real
  const before = key === undefined ? undefined : model.answers.get(`${by} ${key}`)
  if (before === undefined) return 'new'
  if (before.sent !== sent) {
    t.expectStatus('ID-1', exchange, [422], 'another body with the same Idempotency-Key')
    return 'refused'
  }
  const clauses: readonly ClauseId[] = ['ID-1', 'GO-3']
  if (t.expectStatus(clauses, exchange, [before.status], 'the first answer again')) {
    t.expect(clauses, id === before.id, before.id, id, { exchange })
  }
  return 'replay'
}

function remember(
  model: ApiModel,
  key: string | undefined,
  sent: string,
  by: Who,
  exchange: ObservedExchange,
  id: string,
): void {
  if (key !== undefined) model.answers.set(`${by} ${key}`, { sent, id, status: exchange.status, who: by })
}

const create = (by: Who, fields: Fields, isDraft: boolean, n: number | null) =>
  retried(
    `create ${JSON.stringify({ ...fields, auto_start: !isDraft })} by ${by}${n === null ? '' : ` with key ${n}`}`,
    n !== null,
    async (model, real) => {
      const { t } = real
      if (real.keys[by] === undefined) return
      const draft = isDraft || !real.mayStart || by !== 'main'
      const key = n === null ? undefined : `create ${real.idem(n)}`
      // Without a key each is another request: an endpoint may take the same one for a retry (GO-3).
      const unique = key === undefined ? { n: model.jobs.length } : {}
      const metadata = { ...t.mark, ...(fields.metadata as Fields | undefined), ...unique }
      const body = { ...fields, metadata, auto_start: !draft }
      const sent = JSON.stringify(body)
      const isKnown = key !== undefined && model.answers.has(`${by} ${key}`)
      const headers = keyHeader(key)
      const exchange = await t.create(
        { video_url: real.videoUrl, ...body },
        { ...modelKey(real, by), headers, paid: isKnown },
      )
      const id = field(exchange, 'id')
      const kind = expectReplay(real, model, key, sent, by, exchange, id)
      if (kind !== 'new') return expectSpent(real, model, ['ID-1', 'GO-3'])
      const alpha = alphaOf(fields)
      if (alpha === 'wrong' || (alpha === 'open' && isRefused(exchange))) {
        t.expect('JOB-7', isRefused(exchange), '4xx: MP4 has no alpha', describeResponse(exchange), {
          exchange,
        })
        return expectSpent(real, model, 'CR-1')
      }
      if (!t.expectStatus('JOB-1', exchange, [200, 201, 202], 'a create')) return
      if (typeof id !== 'string') return
      t.expect('ID-1', !model.jobs.some(job => job.id === id), 'a new job, as the request is new', `${id}, as before`, {
        exchange,
      })
      const job: ModelJob = {
        id,
        owner: by,
        inputs: { ...fields, metadata: body.metadata },
        isStarted: !draft,
        status: undefined,
        progress: 0,
      }
      model.jobs.push(job)
      remember(model, key, sent, by, exchange, id)
      if (!draft) await settle(real, model, job)
      await expectSpent(real, model, 'CR-1')
    },
  )

const createWrong = (fields: Fields, n: number | null) =>
  command(
    `create ${JSON.stringify(fields)}, which is wrong${n === null ? '' : `, with key ${n}`}`,
    async (model, real) => {
      const { t } = real
      const key = n === null ? undefined : `create ${real.idem(n)}`
      const body = { video_url: real.videoUrl, ...fields, auto_start: false }
      const exchange = await t.create(body, { ...modelKey(real, 'main'), headers: keyHeader(key) })
      // With a key that was used already, it is another body as well.
      const isUsed = key !== undefined && model.answers.has(`main ${key}`)
      t.expect('JOB-1', exchange.status >= 400, 'a refusal', describeResponse(exchange), { exchange })
      if (!isUsed && exchange.status >= 400) t.expectStatus('ERR-5', exchange, [400], 'a create with a wrong field')
      await expectSpent(real, model, 'CR-1')
    },
  )

const start = (n: number, by: Who, fields: Fields | undefined, key: number | null, peeks: boolean) =>
  command(
    `start job ${n} by ${by} with ${JSON.stringify(fields ?? {})}${key === null ? '' : ` and key ${key}`}${peeks ? ', and ask for its download at once' : ''}`,
    async (model, real) => {
      const { t } = real
      const job = model.jobs[n % model.jobs.length] as ModelJob
      if (real.keys[by] === undefined) return
      // Only the main key pays; without a budget only what is refused may be sent.
      const isOwn = job.owner === by
      const alpha = alphaOf({ ...job.inputs, ...fields })
      if (isOwn && (by !== 'main' || (!real.mayStart && alpha !== 'wrong'))) return
      const idemKey = key === null ? undefined : `start ${job.id} ${real.idem(key)}`
      const headers = keyHeader(idemKey)
      const sent = JSON.stringify(fields ?? null)
      const exchange = await t.start(job.id, fields, { ...modelKey(real, by), headers, paid: !isOwn || job.isStarted })
      if (!isOwn) {
        t.expectStatus('AUTH-3', exchange, [404], "a start of another key's job")
        return
      }
      const kind = expectReplay(real, model, idemKey, sent, by, exchange, field(exchange, 'id'))
      if (kind !== 'new') return expectSpent(real, model, ['ID-1', 'GO-3'])
      if (job.isStarted) {
        const good = isGood(exchange) || (exchange.status >= 400 && exchange.status < 500)
        t.expect('JOB-3', good, 'the job as it is, or a 4xx', describeResponse(exchange), { exchange })
        if (isGood(exchange)) remember(model, idemKey, sent, by, exchange, job.id)
        expectJob(t, job, await t.job(job.id, modelKey(real, by)), ['JOB-3', 'GO-3'])
        return expectSpent(real, model, ['JOB-3', 'GO-3'])
      }
      if (alpha === 'wrong' || (alpha === 'open' && isRefused(exchange))) {
        t.expect('JOB-7', isRefused(exchange), '4xx: MP4 has no alpha', describeResponse(exchange), {
          exchange,
        })
        expectJob(t, job, await t.job(job.id, modelKey(real, by)))
        return expectSpent(real, model, 'CR-1')
      }
      const isStarted = isGood(exchange)
      if (
        !t.expect('JOB-3', isStarted, 'the start of a draft is answered 2xx', describeResponse(exchange), { exchange })
      )
        return
      job.inputs = { ...job.inputs, ...fields }
      job.isStarted = true
      remember(model, idemKey, sent, by, exchange, job.id)
      // Asked for on its way: refused or, where it is done already, given.
      if (peeks) await t.download(job.id, modelKey(real, by))
      await settle(real, model, job)
      await expectSpent(real, model, ['JOB-3', 'CR-1'])
    },
    model => model.jobs.length > 0,
  )

const get = (n: number, by: Who) =>
  command(
    `read job ${n} by ${by}`,
    async (model, real) => {
      const job = model.jobs[n % model.jobs.length] as ModelJob
      if (real.keys[by] === undefined) return
      const exchange = await real.t.job(job.id, modelKey(real, by))
      if (job.owner === by) expectJob(real.t, job, exchange)
      else real.t.expectStatus('AUTH-3', exchange, [404], "another key's job")
    },
    model => model.jobs.length > 0,
  )

const download = (n: number, by: Who) =>
  command(
    `download of job ${n} by ${by}`,
    async (model, real) => {
      const { t } = real
      const job = model.jobs[n % model.jobs.length] as ModelJob
      if (real.keys[by] === undefined) return
      const exchange = await t.download(job.id, modelKey(real, by))
      if (job.owner !== by) {
        // Where no key is looked at on /api/*, whose it is can't count.
        if (await usesLegacyKeys(t, job.id))
          t.expectStatus('AUTH-3', exchange, [404], "the download of another key's job")
        return
      }
      if (job.status === 'completed')
        return void t.expectStatus('DL-1', exchange, [200], 'the download of a completed job')
      t.expectStatus('DL-2', exchange, [400], 'the download of a job that is not completed')
    },
    model => model.jobs.length > 0,
  )

const list = (by: Who, limit: number, offset: number, status: string | null) =>
  command(`list by ${by}: ${limit} from ${offset}${status === null ? '' : `, ${status}`}`, async (model, real) => {
    const { t } = real
    if (real.keys[by] === undefined) return
    const query = `limit=${limit}&offset=${offset}${status === null ? '' : `&status=${status}`}`
    const exchange = await t.get(`/v1/jobs?${query}`, modelKey(real, by))
    if (!t.expectStatus('JOB-6', exchange, [200], `the list with ${query}`)) return
    const shown = listedIds(exchange.json)
    const foreign = model.jobs.find(job => job.owner !== by && shown.includes(job.id))
    t.expect('AUTH-3', foreign === undefined, "only the key's own jobs", foreign?.id ?? 'only those', {
      exchange,
      pointer: '/jobs',
    })
    t.expect('JOB-6', shown.length <= limit, `at most ${plural(limit, 'job')}`, shown.length, {
      exchange,
      pointer: '/jobs',
    })
    t.expect('JOB-6', new Set(shown).size === shown.length, 'each job once', shown.join(', '), {
      exchange,
      pointer: '/jobs',
    })
    if (!real.isAlone || status !== null) return
    const own = model.jobs
      .filter(job => job.owner === by)
      .map(job => job.id)
      .toReversed()
    const due = own.slice(offset, offset + limit)
    t.expect('JOB-6', due.join() === shown.join(), due.join(', ') || 'no job', shown.join(', ') || 'no job', {
      exchange,
      pointer: '/jobs',
    })
    const total = field(exchange, 'total')
    if (typeof total === 'number')
      t.expect('JOB-6', total === own.length, String(own.length), total, { exchange, pointer: '/total' })
  })

const upload = (kind: 'video' | 'other' | 'untyped' | 'text', n: number | null) =>
  retried(`upload of ${kind}${n === null ? '' : ` with key ${n}`}`, n !== null, async (model, real) => {
    const { t } = real
    const clip = asFile(kind === 'other' ? t.environment.clips.difficult : t.environment.clips.short)
    const file = kind === 'text' ? textFile : { ...clip, ...(kind === 'untyped' && { type: undefined }) }
    const key = n === null ? undefined : `upload ${real.idem(n)}`
    const headers = keyHeader(key)
    const exchange = await t.upload(file, '/v1/uploads', { ...modelKey(real, 'main'), headers })
    if (kind === 'text') {
      if (key !== undefined && model.answers.has(`main ${key}`))
        return void t.expect('ID-1', !isGood(exchange), '4xx', describeResponse(exchange), { exchange })
      return void t.expectStatus('UP-2', exchange, [400], 'what is not a video')
    }
    const id = field(exchange, 'video_id')
    if (expectReplay(real, model, key, file.name, 'main', exchange, id) !== 'new') return
    if (!t.expectStatus(kind === 'untyped' ? 'UP-4' : 'UP-1', exchange, [200], 'an upload') || typeof id !== 'string')
      return
    const before = model.uploads.get(id)
    // The same bytes may have the same id again; others may not.
    const isOwn = before === undefined || before === file.name
    t.expect('UP-3', isOwn, 'a video_id of its own', `${id}, as ${before}`, {
      exchange,
      pointer: '/video_id',
    })
    t.expect('UP-3', field(exchange, 'filename') === file.name, file.name, field(exchange, 'filename'), {
      exchange,
      pointer: '/filename',
    })
    model.uploads.set(id, file.name)
    remember(model, key, file.name, 'main', exchange, id)
  })

const unknown = command('read an unknown job', async (_model, { t, ...real }) => {
  t.expectStatus(
    'ERR-4',
    await t.job('job_that_nobody_has_made', modelKey({ t, ...real }, 'main')),
    [404],
    'an unknown job',
  )
})

const created = [
  fc
    .tuple(who, fc.tuple(validInputs, metadata), fc.boolean(), idem)
    .map(([by, [inputs, data], isDraft, n]) => create(by, { ...inputs, metadata: data }, isDraft, n)),
  fc.tuple(who, fc.boolean(), idem).map(([by, isDraft, n]) => create(by, {}, isDraft, n)),
]
const started = [
  fc
    .tuple(which, who, fc.option(validInputs, { nil: undefined }), idem, fc.boolean())
    .map(([n, by, fields, key, peeks]) => start(n, by, fields, key, peeks)),
  fc.tuple(which, who, fc.boolean()).map(([n, by, peeks]) => start(n, by, undefined, null, peeks)),
  fc.tuple(which, who).map(([n, by]) => start(n, by, { output_format: 'mp4' }, null, false)),
]
const looked = [
  fc.tuple(which, who).map(([n, by]) => get(n, by)),
  fc.tuple(which, who).map(([n, by]) => download(n, by)),
]
/** Of created and pending each page of the documentation knows but one (JOB-4). */
const knownStates = ['processing', 'completed', 'failed'] as const
const listed = fc
  .tuple(who, fc.constantFrom(1, 2, 10, 20), fc.constantFrom(0, 0, 1, 2), fc.option(fc.constantFrom(...knownStates)))
  .map(([by, limit, offset, status]) => list(by, limit, offset, status))
const uploaded = fc
  .tuple(fc.constantFrom<'video' | 'other' | 'untyped' | 'text'>('video', 'other', 'untyped', 'text'), idem)
  .map(([kind, n]) => upload(kind, n))
const plainUploads = fc
  .constantFrom<'video' | 'other' | 'text'>('video', 'other', 'text')
  .map(kind => upload(kind, null))
const repeated = fc.nat({ max: 1 }).map(again)
const refused = [fc.tuple(wrongInputs, idem).map(([fields, n]) => createWrong(fields, n)), fc.constant(unknown)]

const longest = { maxCommands: 16, size: '+1' } as const

export interface Sequence {
  /** Drafts that there are at its beginning. */
  drafts: number
  commands: Iterable<Command>
}

/** A draft of all defaults, with an Idempotency-Key of its own. */
export const draft = (n: number): Command => create('main', {}, true, n)

const sequence = (drafts: number, commands: fc.Arbitrary<Command>[]): fc.Arbitrary<Sequence> =>
  fc.record({
    drafts: drafts === 0 ? fc.constant(0) : fc.integer({ min: 1, max: drafts }),
    commands: fc.commands(commands, longest),
  })

/**
 * Sequences of all of them, and of a few that belong together, as chance would hardly bring those. What costs credits
 * is left out by the commands themselves where nothing may be spent.
 */
export const sequences: fc.Arbitrary<Sequence> = fc.oneof(
  sequence(0, [...created, ...started, ...looked, listed, uploaded, repeated, ...refused]),
  sequence(1, [...started, ...looked, listed, repeated]),
  sequence(1, [...started, ...looked]),
  sequence(2, [...started, listed]),
  sequence(0, [...created, ...started, listed, repeated, ...refused]),
  sequence(0, [uploaded, repeated, ...refused]),
  sequence(0, [plainUploads]),
)
