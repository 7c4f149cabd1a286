/** AUTH-1 to AUTH-3, GO-1: who may call, and whose a job is. */

import { jsonValueText } from '../../base/text.ts'
import { describeResponse, field, isGood } from '../../contracts/answers.ts'
import { hasCode } from '../../contracts/judge.ts'
import type { ObservedExchange } from '../../contracts/observedExchange.ts'
import { listedIds } from '../../contracts/shapes.ts'
import type { Check } from '../check.ts'
import type { Probe } from '../probe.ts'
import { asFile } from '../upload.ts'
import { eventsIn, sharedJourney } from './journey.ts'

/** One call of each documented route that needs a key: harmless, should an endpoint let it through. */
async function keyedCalls(t: Probe, key: string | null): Promise<ObservedExchange[]> {
  const body = { video_url: 'https://example.com/clip.mp4', auto_start: false }
  return [
    await t.get('/v1/jobs', { key }),
    await t.get('/v1/usage/summary', { key }),
    await t.get('/v1/usage/events', { key }),
    await t.job('job_that_nobody_has_made', { key }),
    await t.post('/v1/jobs', body, { key }),
    await t.post('/v1/jobs/job_that_nobody_has_made/start', undefined, { key }),
    await t.upload(asFile(t.environment.clips.short), '/v1/uploads', { key }),
  ]
}

/** Field names are case-insensitive (RFC 9110, 5.1): who writes them otherwise sends the same key. */
export const keySpellings = ['X-Api-Key', 'x-api-key', 'X-API-KEY'] as const

/** Whether a key counts on /api/*, where none is needed: one that nobody knows is refused there (AUTH-2, open). */
export async function usesLegacyKeys(t: Probe, id: string): Promise<boolean> {
  const { status } = await t.download(id, { key: t.environment.unknownKey })
  return status === 401 || status === 403 || status === 404
}

export const authChecks: readonly Check[] = [
  {
    id: 'auth.header-spelling',
    title: 'the key is taken however the name of its header is spelled',
    clauses: ['AUTH-1'],
    needs: ['key'],
    async run(t: Probe) {
      const asUsual = await t.get('/v1/jobs?limit=1')
      t.must(isGood(asUsual), `a call with a valid key is answered ${describeResponse(asUsual)}`)
      for (const name of keySpellings) {
        const exchange = await t.get('/v1/jobs?limit=1', { key: null, headers: { [name]: t.key } })
        t.expect('AUTH-1', isGood(exchange), `${name} is the same header`, describeResponse(exchange), { exchange })
      }
    },
  },
  {
    id: 'auth.missing-key',
    title: 'without X-Api-Key, /v1/* is 401 missing_api_key',
    clauses: ['AUTH-1'],
    async run(t: Probe) {
      for (const exchange of await keyedCalls(t, null)) {
        const good = exchange.status === 401 && hasCode(exchange, 'missing_api_key')
        t.expect('AUTH-1', good, '401 missing_api_key', describeResponse(exchange), {
          exchange,
          pointer: '/error/code',
        })
      }
    },
  },
  {
    id: 'auth.unknown-key',
    title: 'with an unknown key, /v1/* is 401 invalid_api_key',
    clauses: ['AUTH-1', 'GO-1'],
    async run(t: Probe) {
      for (const exchange of await keyedCalls(t, t.environment.unknownKey)) {
        const good = exchange.status === 401 && hasCode(exchange, 'invalid_api_key')
        t.expect('AUTH-1', good, '401 invalid_api_key', describeResponse(exchange), {
          exchange,
          pointer: '/error/code',
        })
        t.expectStatus('GO-1', exchange, [401], 'a call with an invalid key')
      }
    },
  },
  {
    id: 'auth.valid-key',
    title: 'with a valid key, an endpoint answers 200',
    clauses: ['GO-1'],
    needs: ['key'],
    async run(t: Probe) {
      for (const path of ['/v1/jobs', '/v1/usage/summary', '/v1/usage/events']) {
        t.expectStatus('GO-1', await t.get(path), [200], 'a call with a valid key')
      }
    },
  },
  {
    id: 'auth.legacy',
    title: '/api/* needs no key',
    clauses: ['AUTH-2'],
    async run(t: Probe) {
      const open = [
        await t.get('/api/pricing', { key: null }),
        await t.download('job_that_nobody_has_made', { key: null }),
        await t.upload(asFile(t.environment.clips.short), '/api/upload', { key: null }),
      ]
      for (const exchange of open) {
        const good = exchange.status !== 401 && exchange.status !== 403
        t.expect('AUTH-2', good, 'an answer without a key', describeResponse(exchange), { exchange })
      }
      const exchange = await t.get('/api/pricing', { key: t.environment.unknownKey })
      const isUsed = exchange.status >= 400 && exchange.status < 500
      const note = isUsed ? 'an unknown key on /api/* is refused' : 'an unknown key on /api/* is not looked at'
      t.expect(
        'AUTH-2',
        isUsed || exchange.status === 200,
        'it is refused, or not looked at',
        describeResponse(exchange),
        {
          exchange,
          note,
        },
      )
    },
  },
  {
    id: 'auth.ownership',
    title: "another key's job is 404, and in none of its lists",
    clauses: ['AUTH-3'],
    needs: ['key', 'secondKey'],
    async run(t: Probe) {
      const key = t.secondKey
      const id = await t.draft()
      t.expectStatus('AUTH-3', await t.job(id, { key }), [404], "another key's job")
      const started = await t.start(id, {}, { key, paid: true })
      t.expectStatus('AUTH-3', started, [404], "a start of another key's job")
      // One that runs all the same must not be charged in the middle of another check.
      if (started.status < 300) await t.finish(id)
      if (await usesLegacyKeys(t, id))
        t.expectStatus('AUTH-3', await t.download(id, { key }), [404], "the download of another key's job")
      const state = jsonValueText(field(await t.job(id), 'status'))
      for (const query of ['limit=20', `limit=20&status=${state}`, 'limit=20&offset=1']) {
        const list = t.prepared(await t.get(`/v1/jobs?${query}`, { key }), "the other key's jobs could not be listed")
        const isListed = listedIds(list.json).includes(id)
        t.expect(
          'AUTH-3',
          !isListed,
          "only the key's own jobs",
          isListed ? `${id}, of another key` : 'no job of another key',
          {
            exchange: list,
          },
        )
      }
      const events = await t.get('/v1/usage/events?limit=100', { key })
      // Its own calls that asked for the job and were refused may be told.
      const isTold = eventsIn(events.json).some(
        event => Number(jsonValueText(event.status)) < 300 && JSON.stringify(event).includes(id),
      )
      t.expect('AUTH-3', !isTold, "only the key's own calls", isTold ? `a call of ${id}` : 'none of another key', {
        exchange: events,
      })
      const own = await t.job(id)
      t.expectStatus('AUTH-3', own, [200], 'the job for the key that made it')
      t.expect('AUTH-3', isUnstarted(own), 'a draft still', field(own, 'status'), { exchange: own, pointer: '/status' })
    },
  },
  {
    id: 'auth.download-ownership',
    title: "another key can't download what a job has made",
    clauses: ['AUTH-3'],
    costs: { credits: 2 },
    needs: ['key', 'secondKey'],
    async run(t: Probe) {
      const { id } = await sharedJourney(t)
      t.must(await usesLegacyKeys(t, id), 'a key is not looked at on /api/* here (AUTH-2): whose it is can not count')
      const exchange = await t.download(id, { key: t.secondKey })
      t.expectStatus('AUTH-3', exchange, [404], "the download of another key's job")
    },
  },
]

const isUnstarted = (exchange: ObservedExchange): boolean =>
  ['created', 'pending'].includes(jsonValueText(field(exchange, 'status')))
