/** Things that are shown otherwise than they are kept: ids of another form, states by other names. */
import { isDeepStrictEqual } from 'node:util'
import { type JobState, jobStates } from '../../contracts/schemas.ts'
import { viewOf } from '../world/jobs.ts'
import { beforeValidation, changeJournal, type Json, renameStates } from './change.ts'
import { type Mutation, messageOf } from './mutation.ts'
import { onDelivery } from './onDelivery.ts'

const ids = /(?:job|whd)_[0-9a-z]{20}|vid_[0-9a-z]{20}_[0-9a-z]{1,8}|req_[0-9a-z]{12,16}/g

/** Gives every id of the API another form, wherever it is shown, and takes it back in that. */
export function renameIds(mutation: Mutation, rename: (id: string) => string): void {
  mutation.showsAt('*')
  const realOf = new Map<string, string>()
  const shown = (text: string) =>
    text.replace(ids, id => {
      const other = rename(id)
      realOf.set(other, id)
      return other
    })
  const real = (text: string) => text.replace(/[0-9a-f-]{36}|\d{10,}/g, found => realOf.get(found) ?? found)

  const { fastify } = mutation
  fastify.server.prependListener('request', request => {
    request.url = real(request.url ?? '')
  })
  beforeValidation(mutation, ['createJob', 'startJob'], request => {
    if (request.body) request.body = JSON.parse(real(JSON.stringify(request.body)))
  })
  fastify.addHook('onSend', async (request, reply, payload) => {
    const text = typeof payload === 'string' || Buffer.isBuffer(payload) ? payload.toString() : undefined
    const other = text === undefined ? undefined : shown(text)
    const healthy = messageOf(reply, text ?? '')
    for (const [name, value] of Object.entries(reply.getHeaders()))
      if (typeof value === 'string') reply.header(name, shown(value))
    if (other !== text || !isDeepStrictEqual(messageOf(reply, text ?? ''), healthy)) mutation.acted(request, healthy)
    return other ?? payload
  })
  changeJournal(mutation, entries => JSON.parse(shown(JSON.stringify(entries))))
  onDelivery(mutation, delivery => {
    const { headers } = delivery
    for (const [name, value] of Object.entries(headers)) headers[name] = shown(value)
    delivery.json = JSON.parse(shown(JSON.stringify(delivery.json)))
    return undefined
  })
}

/** Shows states as another page of the documentation does, and lists them by those names. */
export function showStatesAs(mutation: Mutation, names: Partial<Record<JobState, JobState>>): void {
  renameStates(mutation, names)
  const nameOf = (state: JobState) => names[state] ?? state
  mutation.fastify.addHook('preHandler', (request, reply, done) => {
    const { status, limit, offset } = (request.query ?? {}) as Json
    if (request.routeOptions.url !== '/v1/jobs' || request.method !== 'GET' || status === undefined) return done()
    const { world } = request.context
    const kept = jobStates.filter(state => nameOf(state) === status)
    const all = world.jobs.page(Number.POSITIVE_INFINITY, 0, undefined).jobs
    const jobs = all.map(job => viewOf(world, job)).filter(job => kept.includes(job.status))
    if (kept.join() !== status) mutation.acted(request)
    reply.send({ jobs: jobs.slice(offset, offset + limit), total: jobs.length, limit, offset })
  })
}
