/** /v1/jobs: read the input, call the world, give back the answer. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import { withExact } from '../../base/exactNumbers.ts'
import type { JobAccepted, JobCreate, JobList, JobListQuery, JobStart } from '../../contracts/schemas.ts'
import { apiError } from '../errors.ts'
import type { Exchange } from '../journal.ts'
import type { JobRecord } from '../world/jobStore.ts'
import * as jobs from '../world/jobs.ts'
import type { PlanChanges } from '../world/plan.ts'
import { ownBaseUrl } from './baseUrl.ts'
import { waitForOutput } from './waitForOutput.ts'

interface ById {
  Params: { job_id: string }
}

export function handleCreateJob(request: FastifyRequest<{ Body: JobCreate }>, reply: FastifyReply): void {
  const { context, exchange } = request
  const job = jobs.createJob(context.world, request.body, ownBaseUrl(request), context.account, planChangesOf(exchange))
  const started = job.attempt > 0
  job.trace = exchange.trace
  exchange.jobId = job.view.id
  exchange.credits = started ? job.price : 0
  reply.send(accepted(job, started ? 'Job accepted' : 'Draft created; start it with POST /v1/jobs/{job_id}/start'))
}

export function handleStartJob(request: FastifyRequest<ById & { Body: JobStart }>, reply: FastifyReply): void {
  const job = findJob(request)
  const { context, exchange } = request
  const started = jobs.startJob(context.world, job, request.body, context.account, planChangesOf(exchange))
  if (started) {
    job.trace = exchange.trace
    exchange.credits = job.price
  }
  reply.send(accepted(job, started ? 'Job started' : `Job is ${job.view.status} already`))
}

/** What the scenario says of the call's job: its rule, or what holds for all jobs. */
const planChangesOf = ({ ruleContext }: Exchange): PlanChanges | undefined =>
  ruleContext?.fired?.rule.then.job ?? ruleContext?.run.scenario.jobs

/** The hot path: a job that hasn't changed since the last poll is not serialized again. */
export function getJob(request: FastifyRequest<ById>, reply: FastifyReply): void | Promise<void> {
  const job = findJob(request)
  if (job.waitsSince === undefined) return sendJob(request, reply, job)
  return waitForOutput(job, request.exchange).then(() => sendJob(request, reply, job))
}

function sendJob({ context, exchange }: FastifyRequest, reply: FastifyReply, job: JobRecord): void {
  const view = jobs.viewOf(context.world, job)
  job.json ??= Buffer.from(withExact(reply.serializeInput(view, '200') as string))
  // The entry keeps the job's own texts, not one more copy of them for each poll.
  exchange.responseBody = job.json
  if (exchange.url === job.url) exchange.url = job.url
  else job.url = exchange.url
  reply.type('application/json; charset=utf-8').send(job.json)
}

export function listJobs(request: FastifyRequest<{ Querystring: Required<JobListQuery> }>): JobList {
  const { limit, offset, status } = request.query
  const { world } = request.context
  const page = world.jobs.page(limit, offset, status)
  return { jobs: page.jobs.map(job => jobs.viewOf(world, job)), total: page.total, limit, offset }
}

/** AUTH-3: only the key's own job is found. */
function findJob({ context, exchange, params }: FastifyRequest<ById>): JobRecord {
  const job = context.world.jobs.get(params.job_id)
  if (!job) throw apiError('job_not_found')
  exchange.jobId = job.view.id
  return job
}

const accepted = ({ view }: JobRecord, message: string): JobAccepted => ({
  success: true,
  id: view.id,
  status: view.status,
  message,
})
