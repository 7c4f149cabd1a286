/** JOB-1, JOB-2, JOB-3, JOB-6, JOB-7: jobs as far as drafts show them, which cost nothing. */

import { describeResponse, field, isGood, isRefused } from '../../contracts/answers.ts'
import { isUtc } from '../../contracts/judge.ts'
import type { ObservedExchange } from '../../contracts/observedExchange.ts'
import { alphaFormats, backgroundTypes, models, outputFormats } from '../../contracts/schemas.ts'
import { clausesOfInput, listedIds, listIn, pointerTo } from '../../contracts/shapes.ts'
import type { Check } from '../check.ts'
import type { Probe } from '../probe.ts'

/** All inputs at once, none of them a default. */
const everything = {
  model: 'pro',
  output_format: 'mov',
  bg_type: 'custom',
  bg_color: [12, 34, 56],
  text_prompt: 'the dancer',
  metadata: { user_id: 'u_42', project: 'launch' },
} as const

/** The nested inputs. What an anchor is called, and how a colour of a background is written, is not documented. */
const nested = {
  bg_type: 'image',
  background: { type: 'image', image_url: 'https://example.com/beach.png' },
  composition: { canvas: { width: 640, height: 360 }, foreground: { scale: 0.8, offset: { x: 4, y: -8 } } },
} as const

const defaults = { model: 'original', output_format: 'webm', bg_type: 'transparent' } as const

const draftStates = ['created', 'pending']
const looksAtDraft = 3

/** Values that JOB-1 gives, in as few jobs as it takes to have each once. */
const values = Array.from({ length: Math.max(models.length, outputFormats.length, backgroundTypes.length) }, (_, i) => {
  const bg_type = backgroundTypes[i % backgroundTypes.length]
  const output_format = outputFormats[i % outputFormats.length]
  return {
    model: models[i % models.length],
    // JOB-7: a transparent one needs an alpha format, which is another check's matter.
    output_format: bg_type === 'transparent' ? 'webm' : output_format,
    bg_type,
    ...(bg_type === 'custom' && { bg_color: [0, 128, 255] }),
    ...(bg_type === 'image' && { background: { type: 'image', image_url: 'https://example.com/beach.png' } }),
  }
})

/** How the colour of a background may be written: API.md says `color?` alone. One of these has to do. */
const colours = [[0, 128, 255], '#0080ff', undefined] as const

/** A draft with these fields, and the colour in whichever form the endpoint takes. */
async function coloured(t: Probe, fields: (typeof values)[number]): Promise<ObservedExchange> {
  let first: ObservedExchange | undefined
  for (const color of colours) {
    const background = color === undefined ? undefined : { type: 'color', color }
    const exchange = await t.create({ ...fields, ...(background && { background }), auto_start: false })
    if (exchange.status < 400) return exchange
    first ??= exchange
  }
  return first as ObservedExchange
}

/** JOB-1: that it is not refused. Which status a good answer has is JOB-2's matter. */
const expectTaken = (t: Probe, exchange: ObservedExchange, about: string): boolean =>
  t.expect('JOB-1', exchange.status < 400, `${about} is taken`, describeResponse(exchange), { exchange })

export const jobChecks: readonly Check[] = [
  {
    id: 'jobs.draft',
    title: 'auto_start false makes a draft, which waits',
    clauses: ['JOB-2', 'JOB-3', 'JOB-5', 'JOB-4'],
    needs: ['key'],
    async run(t: Probe) {
      const exchange = await t.create({ auto_start: false })
      t.expectStatus('JOB-2', exchange, [200, 201, 202], 'a create', {
        note: `a create is answered ${exchange.status}`,
      })
      const id = t.idOf(exchange)
      const job = t.prepared(await t.job(id), 'the draft could not be read')
      t.must(job.json !== undefined, 'the draft could not be read: its answer is not JSON')
      t.expect('JOB-5', field(job, 'id') === id, id, field(job, 'id'), { exchange: job, pointer: '/id' })
      const status = String(field(job, 'status'))
      t.expect('JOB-3', draftStates.includes(status), 'a draft: created, or pending', status, {
        exchange: job,
        pointer: '/status',
        note: `a draft is ${status}`,
      })
      t.expect('JOB-4', draftStates.includes(status), 'created, or pending', status, {
        exchange: job,
        pointer: '/status',
      })
      // Of one that was started all the same, judge() says what belongs to its state.
      if (draftStates.includes(status)) {
        t.expectField('JOB-5', job, 'output_url', null)
        t.expectField('JOB-5', job, 'error', null)
      }
      if (typeof field(job, 'progress') === 'number') t.expectField('JOB-3', job, 'progress', 0)
      const created = String(field(job, 'created_at'))
      const agoMs = t.environment.now() - Date.parse(created)
      t.expect(
        'JOB-5',
        isUtc(created) && Math.abs(agoMs) < 26 * 3_600_000,
        'the time of its creation, in UTC',
        created,
        {
          exchange: job,
          pointer: '/created_at',
        },
      )
      t.run.watched = { id, status }
      for (let look = 0; look < looksAtDraft; look++) {
        await t.sleep(t.environment.pollMs)
        await t.watchDraft()
      }
    },
  },
  {
    id: 'jobs.inputs',
    title: 'a job keeps every input that it was given',
    clauses: ['JOB-1', 'JOB-5', 'GO-7'],
    needs: ['key'],
    async run(t: Probe) {
      const { url } = await t.video()
      const webhook_url = 'https://example.com/hooks/understudy'
      for (const inputs of [everything, nested]) {
        const exchange = await t.create({ ...inputs, video_url: url, webhook_url, auto_start: false })
        const names = Object.keys(inputs).join(', ')
        if (!expectTaken(t, exchange, `a create with ${names}`)) continue
        const job = t.prepared(await t.job(t.idOf(exchange)), 'the draft could not be read')
        for (const [name, given] of Object.entries({ ...inputs, video_url: url })) {
          const clauses = clausesOfInput(name)
          if (field(job, name) !== undefined) t.expectField(clauses, job, name, given)
          else t.expect(clauses, false, JSON.stringify(given), 'missing', { exchange: job, pointer: `/${name}` })
        }
        t.expectField('JOB-5', job, 'webhook_url', webhook_url)
      }
    },
  },
  {
    id: 'jobs.defaults',
    title: 'what is left out gets its default, and an unknown field is ignored',
    clauses: ['JOB-1'],
    needs: ['key'],
    async run(t: Probe) {
      const exchange = await t.create({ auto_start: false, shoe_size: 43 })
      expectTaken(t, exchange, 'a create with an unknown field')
      const job = t.prepared(await t.job(t.idOf(exchange)), 'the draft could not be read')
      for (const [name, given] of Object.entries(defaults)) t.expectField('JOB-1', job, name, given)
    },
  },
  {
    id: 'jobs.values',
    title: 'every documented model, format and background is taken',
    clauses: ['JOB-1'],
    needs: ['key'],
    async run(t: Probe) {
      for (const fields of values) {
        const exchange = await (fields.bg_type === 'color'
          ? coloured(t, fields)
          : t.create({ ...fields, auto_start: false }))
        if (!expectTaken(t, exchange, `a create with ${JSON.stringify(fields)}`)) continue
        const job = t.prepared(await t.job(t.idOf(exchange)), 'the draft could not be read')
        for (const name of ['model', 'output_format', 'bg_type'] as const)
          t.expectField('JOB-1', job, name, fields[name])
      }
    },
  },
  {
    id: 'jobs.invalid',
    title: 'a field that is missing or wrong is 400 invalid_request',
    clauses: ['JOB-1', 'ERR-5'],
    needs: ['key'],
    async run(t: Probe) {
      const { url } = await t.video()
      const wrong = [
        { auto_start: false },
        { video_url: 42, auto_start: false },
        { video_url: url, model: 'nonsense', auto_start: false },
        { video_url: url, output_format: 'nonsense', auto_start: false },
        { video_url: url, bg_type: 'nonsense', auto_start: false },
        { video_url: url, bg_type: 'custom', bg_color: 'reddish', auto_start: false },
        { video_url: url, bg_type: 'custom', bg_color: [12, 34], auto_start: false },
      ]
      for (const fields of wrong) {
        const exchange = await t.post('/v1/jobs', fields)
        t.must(isGood(exchange) || exchange.status >= 400, `a create is answered ${describeResponse(exchange)}`)
        t.expect(
          'JOB-1',
          exchange.status >= 400,
          `a refusal of ${JSON.stringify(fields)}`,
          describeResponse(exchange),
          {
            exchange,
          },
        )
        if (exchange.status >= 400) t.expectStatus('ERR-5', exchange, [400], 'a wrong field')
      }
    },
  },
  {
    id: 'jobs.alpha',
    title: 'a transparent background needs a format with alpha',
    clauses: ['JOB-7'],
    needs: ['key'],
    async run(t: Probe) {
      const mp4 = { output_format: 'mp4', auto_start: false }
      const exchange = await t.create({ ...mp4, bg_type: 'transparent' })
      t.must(exchange.status >= 400 || isGood(exchange), `a create is answered ${describeResponse(exchange)}`)
      const note = `mp4 and transparent is answered ${exchange.status}`
      t.expect('JOB-7', isRefused(exchange), '400 invalid_request: MP4 has no alpha', describeResponse(exchange), {
        exchange,
        note,
      })
      // Where no background was named, either answer is right.
      const byDefault = await t.create(mp4)
      t.expect('JOB-7', true, 'a refusal, or an opaque job', describeResponse(byDefault), {
        exchange: byDefault,
        note: `mp4 without a bg_type is answered ${byDefault.status}`,
      })
      const green = await t.create({ ...mp4, bg_type: 'green' })
      t.expect('JOB-7', green.status < 400, 'mp4 on green is taken', describeResponse(green), { exchange: green })
      for (const output_format of alphaFormats) {
        const alpha = await t.create({ output_format, bg_type: 'transparent', auto_start: false })
        // A format that is refused on green as well is JOB-1's matter.
        if (
          alpha.status >= 400 &&
          (await t.create({ output_format, bg_type: 'green', auto_start: false })).status >= 400
        )
          continue
        t.expect('JOB-7', alpha.status < 400, `a transparent ${output_format} is taken`, describeResponse(alpha), {
          exchange: alpha,
        })
      }
    },
  },
  {
    id: 'jobs.alpha-start',
    title: 'nor can a transparent draft be started as one without',
    clauses: ['JOB-7'],
    costs: { credits: 2 },
    needs: ['key'],
    async run(t: Probe) {
      const id = await t.draft({ bg_type: 'transparent' })
      const exchange = await t.start(id, { output_format: 'mp4' })
      // One that runs all the same must not be charged in the middle of another check.
      if (isGood(exchange)) await t.finish(id)
      t.expect('JOB-7', isRefused(exchange), '400 invalid_request: MP4 has no alpha', describeResponse(exchange), {
        exchange,
      })
    },
  },
  {
    id: 'jobs.list',
    title: "the list has the key's own jobs, newest first, by page and by status",
    clauses: ['JOB-6'],
    needs: ['key'],
    async run(t: Probe) {
      const first = await t.draft()
      const shown = field(t.prepared(await t.job(first), 'the draft could not be read'), 'id')
      t.must(shown === first, 'a job does not show its id (JOB-5), so the list can not be told either')
      const ids = [await t.draft(), await t.draft(), await t.draft()]
      const page = async (query: string) => {
        const exchange = await t.get(`/v1/jobs?${query}`)
        t.expectStatus('JOB-6', exchange, [200], `the list with ${query}`)
        const jobs = (listIn(exchange.json) ?? []) as ({ id?: unknown; status?: unknown } | null)[]
        return { exchange, ids: listedIds(exchange.json), jobs }
      }
      const all = await page('limit=10')
      const place = (exchange: ObservedExchange, pointer = pointerTo(listIn(exchange.json), exchange.json)) => ({
        exchange,
        pointer,
      })
      // Others may use the key meanwhile: of our own jobs the order is known.
      const own = all.ids.filter(id => ids.includes(id))
      t.expect(
        'JOB-6',
        own.join() === ids.toReversed().join(),
        `newest first: ${ids.toReversed().join(', ')}`,
        own.join(', '),
        place(all.exchange),
      )
      const two = await page('limit=2')
      t.expect('JOB-6', two.ids.length === 2, '2 jobs, as limit says', two.ids.length, place(two.exchange))
      // What stands beside the list is open; a total that is there has to be one.
      const total = totalOf(two.exchange)
      if (total !== undefined && total > 0) {
        const last = await page(`limit=1&offset=${total - 1}`)
        const found = last.ids.length === 1 ? 'one' : 'none'
        t.expect('JOB-6', found === 'one', `a last job, as the total is ${total}`, found, place(two.exchange, '/total'))
        const beyond = await page(`limit=1&offset=${total}`)
        const isMore = beyond.ids.length > 0 && totalOf(beyond.exchange) === total
        const more = isMore ? `one more: ${beyond.ids[0]}` : 'none more'
        t.expect('JOB-6', !isMore, `none more, as the total is ${total}`, more, place(beyond.exchange, '/total'))
      }
      const rest = await page('limit=2&offset=1')
      if (two.ids[0] === ids[2] && two.ids.length === 2) {
        t.expect('JOB-6', rest.ids[0] === two.ids[1], `${two.ids[1]}, the second`, rest.ids[0], place(rest.exchange))
      }
      await page('')
      for (const status of ['completed', 'failed'] as const) {
        const some = await page(`status=${status}&limit=10`)
        const others = some.jobs.filter(job => typeof job?.status === 'string' && job.status !== status)
        t.expect(
          'JOB-6',
          others.length === 0,
          `only jobs that are ${status}`,
          others[0]?.status ?? status,
          place(some.exchange),
        )
      }
      const state = String(field(await t.job(ids[0] as string), 'status'))
      const drafts = await page(`status=${state}&limit=10`)
      t.expect(
        'JOB-6',
        drafts.ids.includes(ids[2] as string),
        `${ids[2]}, which is ${state}`,
        drafts.ids.slice(0, 3).join(', '),
        place(drafts.exchange),
      )
      const inOrder = drafts.ids.filter(id => ids.includes(id)).join()
      const due = ids.toReversed().join()
      t.expect('JOB-6', inOrder === due, `newest first, of one status too: ${due}`, inOrder, place(drafts.exchange))
    },
  },
]

const totalOf = (exchange: ObservedExchange): number | undefined => {
  const total = field(exchange, 'total')
  return typeof total === 'number' ? total : undefined
}

/** The draft of the beginning, once more at the end: nobody has started it meanwhile. */
export const lateChecks: readonly Check[] = [
  {
    id: 'jobs.draft-waits',
    title: 'a draft that is not started stays a draft',
    clauses: ['JOB-3'],
    needs: ['key'],
    async run(t: Probe) {
      t.must(t.run.watched !== undefined, 'there is no draft to look at (jobs.draft)')
      await t.watchDraft()
    },
  },
]
