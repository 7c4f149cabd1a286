/** ID-1 and GO-3: the same request sent again, one after the other and at once. */

import { plural } from '../../base/text.ts'
import { describeResponse, field, isGood } from '../../contracts/answers.ts'
import type { ClauseId } from '../../contracts/clauses.ts'
import type { ObservedExchange } from '../../contracts/observedExchange.ts'
import { Job, JobAccepted, Upload } from '../../contracts/schemas.ts'
import type { Check } from '../check.ts'
import type { Probe } from '../probe.ts'
import { asFile } from '../upload.ts'
import { isSameCredits, measured, newcomers, newest } from './journey.ts'

const both: readonly ClauseId[] = ['ID-1', 'GO-3']

const keyed = (t: Probe, what: string) => ({ 'Idempotency-Key': t.environment.tag(`idempotency ${what}`) })

/** The second answer is the first one again. One that is refused is no second effect. */
function expectSame(t: Probe, first: ObservedExchange, again: ObservedExchange, id: 'id' | 'video_id'): void {
  t.expectStatus('ID-1', again, [first.status], 'the first answer again')
  if (!isGood(again)) return
  const place = { exchange: again, pointer: `/${id}` }
  t.expect(both, field(again, id) === field(first, id), String(field(first, id)), field(again, id), place)
  const documented = Object.keys((id === 'id' ? JobAccepted : Upload).properties)
  for (const name of documented) if (name !== id) t.expectField('ID-1', again, name, field(first, name))
}

/** Two at once: one makes it, the other gets the same or 409; never are there two. */
function expectOne(t: Probe, answers: readonly ObservedExchange[], id: 'id' | 'video_id'): void {
  const good = answers.filter(isGood)
  const [last] = good.slice(-1)
  if (last === undefined)
    return t.must(false, `none was let through: ${describeResponse(answers[0] as ObservedExchange)}`)
  const made = new Set(good.map(exchange => field(exchange, id)))
  t.expect(both, made.size === 1, 'one of them, whichever comes first', [...made].join(', '), {
    exchange: last,
    pointer: `/${id}`,
  })
  for (const exchange of answers) {
    if (isGood(exchange)) continue
    t.expectStatus('ID-1', exchange, [409], 'a second one while the first is in flight', {
      note: 'a second one in flight is answered 409',
    })
  }
}

export const idempotencyChecks: readonly Check[] = [
  {
    id: 'idempotency.create',
    title: 'the same create again gives the first answer and no second job; another body is 422',
    clauses: ['ID-1', 'GO-3'],
    needs: ['key'],
    async run(t: Probe) {
      const headers = keyed(t, 'create')
      const before = await newest(t)
      const body = { auto_start: false, model: 'pro', metadata: t.mark }
      const first = await t.create(body, { headers })
      const id = t.idOf(first, 'no draft could be made')
      const again = await t.create(body, { headers })
      expectSame(t, first, again, 'id')
      const { doubles } = await newcomers(t, before)
      t.expect(
        both,
        doubles.length === 0,
        'no second job',
        doubles.length === 0 ? 'none in the list' : doubles.join(', '),
        { exchange: again },
      )
      const { second } = t.environment.keys
      if (second !== undefined) {
        const foreign = await t.create(body, { headers, key: second })
        const isOwn = field(foreign, 'id') !== id
        t.expect('ID-1', isOwn, "a job of the other key's own", String(field(foreign, 'id')), {
          exchange: foreign,
          pointer: '/id',
        })
      }
      const other = await t.create({ ...body, model: 'light' }, { headers })
      t.expectStatus('ID-1', other, [422], 'another body with the same key')
      const job = t.prepared(await t.job(id), 'the draft could not be read')
      t.expectField('ID-1', job, 'model', 'pro')
    },
  },
  {
    id: 'idempotency.create-at-once',
    title: 'of several creates at once with one key, one makes a job',
    clauses: ['ID-1', 'GO-3'],
    needs: ['key'],
    async run(t: Probe) {
      const headers = keyed(t, 'create at once')
      await t.video()
      const answers = await Promise.all(
        Array.from({ length: 4 }, () =>
          t.create({ auto_start: false, metadata: { ...t.mark, at: 'once' } }, { headers }),
        ),
      )
      expectOne(t, answers, 'id')
    },
  },
  {
    id: 'idempotency.upload',
    title: 'the same upload again gives the first answer; another file is 422',
    clauses: ['ID-1', 'GO-3'],
    needs: ['key'],
    async run(t: Probe) {
      const headers = keyed(t, 'upload')
      const { short, difficult } = t.environment.clips
      const first = t.prepared(
        await t.upload(asFile(short), '/v1/uploads', { headers }),
        'the clip could not be uploaded',
      )
      // A boundary is drawn anew on each try: it is not what makes two uploads differ.
      expectSame(
        t,
        first,
        await t.upload({ ...asFile(short), boundary: t.environment.tag('boundary') }, '/v1/uploads', { headers }),
        'video_id',
      )
      t.expectStatus(
        'ID-1',
        await t.upload(asFile(difficult), '/v1/uploads', { headers }),
        [422],
        'another file with the same key',
      )
      const renamed = { ...asFile(short), name: `other-${short.name}` }
      t.expectStatus(
        'ID-1',
        await t.upload(renamed, '/v1/uploads', { headers }),
        [422],
        'another name with the same key',
      )
    },
  },
  {
    id: 'idempotency.upload-at-once',
    title: 'of several uploads at once with one key, one is kept',
    clauses: ['ID-1', 'GO-3'],
    needs: ['key'],
    async run(t: Probe) {
      const headers = keyed(t, 'upload at once')
      const file = asFile(t.environment.clips.short)
      expectOne(
        t,
        await Promise.all(Array.from({ length: 3 }, () => t.upload(file, '/v1/uploads', { headers }))),
        'video_id',
      )
    },
  },
  {
    id: 'idempotency.get',
    title: 'a GET changes nothing',
    clauses: ['ID-1'],
    needs: ['key'],
    async run(t: Probe) {
      const id = await t.draft()
      const first = t.prepared(await t.job(id), 'the draft could not be read')
      for (const exchange of [await t.job(id), await t.job(id)]) {
        const isLike = JSON.stringify(documentedIn(exchange)) === JSON.stringify(documentedIn(first))
        t.expect('ID-1', isLike, 'the same as before', exchange.text.slice(0, 200), { exchange })
      }
    },
  },
  {
    id: 'idempotency.charge',
    title: 'a create and a start that are sent again are charged once',
    clauses: ['ID-1', 'GO-3'],
    costs: { credits: 4.5, jobs: 3 },
    needs: ['key'],
    async run(t: Probe) {
      const fields = { model: 'light' }
      const plain = await measured(t, fields, () => t.create(fields))
      const headers = keyed(t, 'charge')
      const body = { ...fields, metadata: { ...t.mark, sent: 'twice' } }
      const created = await measured(t, fields, async () => {
        const first = await t.create(body, { headers })
        const again = await t.create(body, { headers, paid: true })
        expectSame(t, first, again, 'id')
        return first
      })
      const draft = await t.draft(fields)
      const started = await measured(
        t,
        fields,
        async () => {
          const first = await t.start(draft, fields, { headers: keyed(t, 'start') })
          expectSame(t, first, await t.start(draft, fields, { headers: keyed(t, 'start'), paid: true }), 'id')
          return first
        },
        { id: draft },
      )
      for (const { isAlone, grown, polled } of [created, started]) {
        t.must(isAlone && plain.isAlone, 'others used the account meanwhile: what was charged can not be told')
        const exchange = polled.answers.at(-1) as ObservedExchange
        const { credits_used: once, total_jobs: jobs } = plain.grown
        t.must(once > 0, 'a single create is not charged: whether a second one is can not be told')
        t.expect(
          both,
          isSameCredits(grown.credits_used, once),
          `${plural(once, 'credit')}, as without a retry`,
          plural(grown.credits_used, 'credit'),
          { exchange },
        )
        t.expect(
          both,
          grown.total_jobs <= jobs,
          `${plural(jobs, 'job')}, as without a retry`,
          plural(grown.total_jobs, 'job'),
          {
            exchange,
          },
        )
      }
    },
  },
  {
    id: 'idempotency.start-other',
    title: 'another start with the same key is 422',
    clauses: ['ID-1'],
    costs: { credits: 2 },
    needs: ['key'],
    async run(t: Probe) {
      const headers = keyed(t, 'start other')
      const draft = await t.draft()
      t.prepared(await t.start(draft, { model: 'light' }, { headers }), 'the draft could not be started')
      const other = await t.start(draft, { model: 'original' }, { headers, paid: true })
      const job = t.prepared(await t.job(draft), 'the job could not be read')
      t.expectField(['JOB-3'], job, 'model', 'light')
      t.expect('ID-1', other.status === 422, '422: another body with the same key', describeResponse(other), {
        exchange: other,
      })
    },
  },
]

/** The documented fields in one order; a URL without its query, as each may be signed anew. */
const documentedIn = (exchange: ObservedExchange): unknown =>
  Object.keys(Job.properties).map(name => {
    const value = field(exchange, name)
    const isUrl = typeof value === 'string' && /^https?:/.test(value)
    return sorted(isUrl ? value.split('?', 1)[0] : value)
  })

/** The order of fields is no part of a JSON value. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([name, inner]) => [name, sorted(inner)] as const)
      .toSorted(([a], [b]) => (a < b ? -1 : 1)),
  )
}
