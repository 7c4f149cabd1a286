/**
 * Numbers for Prometheus. Counting is plain additions on the way of each request; names, labels and text are made only
 * when somebody asks.
 */
import { lazy } from '../base/lazy.ts'
import { routeOf } from '../contracts/operations.ts'
import { jobStates } from '../contracts/schemas.ts'
import type { Worlds } from './world/worlds.ts'

const loadClient = lazy(() => import('prom-client'))

/** Upper bounds of the latency buckets, in ms. */
const buckets = [0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000]

interface RouteNumbers {
  /** Answers by status. */
  readonly statuses: Map<number, number>
  /** Not cumulative; the last one is +Inf. */
  readonly latencies: number[]
  totalMs: number
}

export class Metrics {
  readonly #routes = new Map<string, RouteNumbers>()
  #rateLimited = 0
  #webhooksSent = 0
  #webhooksFailed = 0
  #worldsEvicted = 0
  #jobsEvicted = 0

  answered(operation: string | undefined, status: number, ms: number): void {
    const route = this.#routeOf(operation ?? 'none')
    route.statuses.set(status, (route.statuses.get(status) ?? 0) + 1)
    route.totalMs += ms
    let bucket = 0
    while (bucket < buckets.length && ms > (buckets[bucket] as number)) bucket++
    route.latencies[bucket] = (route.latencies[bucket] as number) + 1
    if (status === 429) this.#rateLimited++
  }

  worldEvicted(): void {
    this.#worldsEvicted++
  }

  /** True for the first, and each time that a thousand more have gone: a line for each would say no more. */
  jobsEvicted(jobs: number): boolean {
    const before = this.#jobsEvicted
    this.#jobsEvicted += jobs
    return before === 0 || Math.floor(before / 1000) < Math.floor(this.#jobsEvicted / 1000)
  }

  webhookAttempted(sent: boolean): void {
    if (sent) this.#webhooksSent++
    else this.#webhooksFailed++
  }

  /** The text that GET /metrics answers, and its content type. */
  async render(worlds: Worlds): Promise<{ text: string; contentType: string }> {
    const { Counter, Gauge, Registry } = await loadClient()
    const registry = new Registry()
    const registers = [registry]
    const counter = (name: string, help: string, labelNames: string[] = []) =>
      new Counter({ name, help, labelNames, registers })
    const gauge = (name: string, help: string, labelNames: string[] = []) =>
      new Gauge({ name, help, labelNames, registers })

    const requests = counter('understudy_requests_total', 'Requests answered', ['route', 'status'])
    for (const [operation, { statuses }] of this.#routes) {
      for (const [status, count] of statuses) requests.inc({ route: label(operation), status }, count)
    }
    counter('understudy_worlds_evicted_total', 'Worlds that made room for others').inc(this.#worldsEvicted)
    counter('understudy_jobs_evicted_total', 'Finished jobs that made room for others').inc(this.#jobsEvicted)
    counter('understudy_rate_limited_total', 'Requests answered 429').inc(this.#rateLimited)
    const webhooks = counter('understudy_webhook_attempts_total', 'Webhook attempts', ['result'])
    webhooks.inc({ result: 'sent' }, this.#webhooksSent)
    webhooks.inc({ result: 'failed' }, this.#webhooksFailed)

    const jobs = gauge('understudy_jobs', 'Jobs by state', ['state'])
    const charged = gauge('understudy_credits_charged', 'Credits charged in the last 90 days')
    for (const state of jobStates) jobs.set({ state }, 0)
    for (const world of worlds) {
      for (const state of jobStates) jobs.inc({ state }, world.jobs.count(state))
      charged.inc(world.usage.summary(90, world.clock.now()).credits_used)
    }
    gauge('understudy_worlds', 'Worlds').set(worlds.size)

    const memory = process.memoryUsage()
    gauge('process_resident_memory_bytes', 'Resident memory').set(memory.rss)
    gauge('nodejs_heap_size_used_bytes', 'Heap in use').set(memory.heapUsed)
    gauge('nodejs_active_resources', 'What keeps the process busy').set(process.getActiveResourcesInfo().length)
    gauge('process_uptime_seconds', 'Seconds since the process started').set(process.uptime())
    return { text: (await registry.metrics()) + this.#histogram(), contentType: registry.contentType }
  }

  /** prom-client can only observe one value at a time, so the histogram is written out here. */
  #histogram(): string {
    const name = 'understudy_request_duration_seconds'
    const lines = [`# HELP ${name} Time to answer, by route`, `# TYPE ${name} histogram`]
    for (const [operation, { latencies, totalMs }] of this.#routes) {
      const route = `route="${label(operation)}"`
      let sum = 0
      latencies.forEach((count, i) => {
        sum += count
        const bound = buckets[i]
        lines.push(`${name}_bucket{le="${bound === undefined ? '+Inf' : bound / 1000}",${route}} ${sum}`)
      })
      lines.push(`${name}_sum{${route}} ${totalMs / 1000}`, `${name}_count{${route}} ${sum}`)
    }
    return `${lines.join('\n')}\n`
  }

  #routeOf(operation: string): RouteNumbers {
    let route = this.#routes.get(operation)
    if (!route) {
      route = { statuses: new Map(), latencies: Array(buckets.length + 1).fill(0), totalMs: 0 }
      this.#routes.set(operation, route)
    }
    return route
  }
}

const label = (operation: string): string => routeOf(operation) ?? operation
