/** /v1/usage (US-1, US-2). */
import type { FastifyRequest } from 'fastify'
import type { UsageEvents, UsageEventsQuery, UsageSummary, UsageSummaryQuery } from '../../contracts/schemas.ts'

export async function getUsageSummary({
  context,
  exchange,
  query,
}: FastifyRequest<{ Querystring: Required<UsageSummaryQuery> }>): Promise<UsageSummary> {
  return context.world.usage.summary(query.days, exchange.at)
}

export async function getUsageEvents({
  context,
  query,
}: FastifyRequest<{ Querystring: Required<UsageEventsQuery> }>): Promise<UsageEvents> {
  return { events: context.world.usage.events(query.limit), limit: query.limit }
}
