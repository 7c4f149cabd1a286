/**
 * Numbers for Prometheus. Counting is plain additions on the way of each request; names, labels and text are made only
 * when somebody asks.
 */
import { lazy } from '../base/lazy.ts'
import { routeOf } from '../contracts/operations.ts'
import { jobStates } from '../contracts/schemas.ts'
import type { Exchange } from './journal.ts'
import { Recent } from './recent.ts'
import type { Worlds } from './world/worlds.ts'

const loadClient = lazy(() => import('prom-client'))

/** Upper bounds of the latency buckets, in ms. */
const buckets = [0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10_000]

interface RouteNumbers {
  /** Answers by status. */
  readonly statuses: Map<number, number>
  /** Not cumulative; the last one is +Inf. */
  readonly latencies: number[]
  /** By bucket: one of the last calls that fell into it. */
  readonly exemplars: (Exemplar | undefined)[]
  totalMs: number
}

/** By which a point of a graph leads to the call behind it (GO-4). */
interface Exemplar {
  requestId: string
  jobId: string | null
  ms: number
  /** By the machine's clock, ms since the epoch. */
  at: number
}

/** An exemplar is taken anew when it is older than this: a scrape sees a fresh one, and a call costs no text. */
const exemplarMs = 1_000

/** What a scraper asks for that takes exemplars. */
const openMetrics = /\bapplication\/openmetrics-text\b/

export class Metrics {
  readonly #routes = new Map<string, RouteNumbers>()
  #rateLimited = 0
  #webhooksSent = 0
  #webhooksFailed = 0
  #worldsEvicted = 0
  #jobsEvicted = 0
  /** The last 15 minutes, for the desk. */
  readonly recent = new Recent()

  get rateLimited(): number {
    return this.#rateLimited
  }

  get webhooks(): { sent: number; failed: number } {
    return { sent: this.#webhooksSent, failed: this.#webhooksFailed }
  }

  /** `now`: when the answer was ready, by the machine's clock, ms since the epoch. */
  answered(exchange: Exchange, now: number): void {
    const { operation, status, ms } = exchange
    this.recent.answered(exchange, now)
    const route = this.#routeOf(operation ?? 'none')
    route.statuses.set(status, (route.statuses.get(status) ?? 0) + 1)
    route.totalMs += ms
    let bucket = 0
    while (bucket < buckets.length && ms > (buckets[bucket] as number)) bucket++
    route.latencies[bucket] = (route.latencies[bucket] as number) + 1
    const exemplar = route.exemplars[bucket]
    if (exemplar === undefined || now - exemplar.at > exemplarMs)
      route.exemplars[bucket] = { requestId: exchange.requestId, jobId: exchange.jobId, ms, at: now }
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

  /**
   * The text that GET /metrics answers, and its content type: OpenMetrics with exemplars where `accept` asks for it, and
   * Prometheus's own text elsewhere.
   */
  async render(worlds: Worlds, accept = ''): Promise<{ text: string; contentType: string }> {
    const { Counter, Gauge, Registry } = await loadClient()
    const isOpen = openMetrics.test(accept)
    const registry = new Registry()
    if (isOpen) registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as typeof Registry.PROMETHEUS_CONTENT_TYPE)
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
    const text = await registry.metrics()
    const end = '# EOF\n'
    return {
      text: isOpen ? text.replace(/# EOF\n?$/, '') + this.#histogram(true) + end : text + this.#histogram(false),
      contentType: registry.contentType,
    }
  }

  /** prom-client can only observe one value at a time, so the histogram is written out here. */
  #histogram(withExemplars: boolean): string {
    const name = 'understudy_request_duration_seconds'
    const lines = [`# HELP ${name} Time to answer, by route`, `# TYPE ${name} histogram`]
    for (const [operation, { latencies, exemplars, totalMs }] of this.#routes) {
      const route = `route="${label(operation)}"`
      let sum = 0
      latencies.forEach((count, i) => {
        sum += count
        const bound = buckets[i]
        lines.push(
          `${name}_bucket{le="${bound === undefined ? '+Inf' : bound / 1000}",${route}} ${sum}${withExemplars ? exemplarText(exemplars[i]) : ''}`,
        )
      })
      lines.push(`${name}_sum{${route}} ${totalMs / 1000}`, `${name}_count{${route}} ${sum}`)
    }
    return `${lines.join('\n')}\n`
  }

  #routeOf(operation: string): RouteNumbers {
    let route = this.#routes.get(operation)
    if (!route) {
      route = { statuses: new Map(), latencies: Array(buckets.length + 1).fill(0), exemplars: [], totalMs: 0 }
      this.#routes.set(operation, route)
    }
    return route
  }
}

/** Behind a bucket: ` # {request_id="req_…",job_id="job_…"} 0.0123 1764000000.123` */
function exemplarText(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return ''
  const { requestId, jobId, ms, at } = exemplar
  // A recording's ids are another server's: what would break a line, or is too long for one, is left out.
  const ids = Object.entries({ request_id: requestId, job_id: jobId })
    .filter(([, id]) => id !== null && /^[\w-]{1,40}$/.test(id))
    .map(([name, id]) => `${name}="${id}"`)
  return ids.length === 0 ? '' : ` # {${ids.join(',')}} ${ms / 1000} ${(at / 1000).toFixed(3)}`
}

const label = (operation: string): string => routeOf(operation) ?? operation
