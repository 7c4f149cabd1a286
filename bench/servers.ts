/**
 * One server in a process of its own, for the benchmark: `tsx bench/servers.ts VARIANT` prints a JSON line with its
 * URL, and on each line of stdin one with the CPU time and memory it has used so far.
 */
import { createServer } from 'node:http'
import { createInterface } from 'node:readline'
import fastify from 'fastify'
import { pino } from 'pino'
import { examples } from '../contracts/examples.ts'
import { ErrorEnvelope, Job, JobAccepted, JobCreate } from '../contracts/schemas.ts'
import { buildApp } from '../server/app.ts'
import { completeConfig } from '../server/config.ts'
import { listen } from '../server/start.ts'

export const variants = [
  'node:http',
  'fastify',
  'fastify+log',
  'understudy',
  'understudy+log',
  'understudy+rules',
] as const
export type Variant = (typeof variants)[number]

const toDevNull = () => pino.destination({ dest: '/dev/null', sync: false })

async function start(variant: Variant): Promise<string> {
  if (variant === 'node:http') return startBareNode()
  if (variant.startsWith('fastify')) return startBareFastify(variant === 'fastify+log')
  return startMock(variant === 'understudy+log', variant === 'understudy+rules')
}

function startBareNode(): Promise<string> {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', chunk => {
      body += chunk
    })
    request.on('end', () => {
      const answer =
        request.method === 'GET'
          ? examples.Job
          : { ...examples.JobAccepted, status: JSON.parse(body).status ?? 'pending' }
      const text = JSON.stringify(answer)
      response.writeHead(200, { 'content-type': 'application/json; charset=utf-8', 'content-length': text.length })
      response.end(text)
    })
  })
  return new Promise(resolve =>
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as { port: number }).port}`)),
  )
}

/** The same routes with the same schemas, and nothing else. */
function startBareFastify(logs: boolean): Promise<string> {
  const app = fastify({ logger: logs && { stream: toDevNull() } })
  const errors = { '4xx': ErrorEnvelope, '5xx': ErrorEnvelope }
  app.get('/v1/jobs/:job_id', { schema: { response: { 200: Job, ...errors } } }, (_request, reply) => {
    reply.send(examples.Job)
  })
  const schema = { body: JobCreate, response: { 200: JobAccepted, ...errors } }
  app.post('/v1/jobs', { schema }, (_request, reply) => {
    reply.send(examples.JobAccepted)
  })
  return app.listen({ port: 0, host: '127.0.0.1' })
}

/** The mock as a user gets it: key, limits and their headers, request_id, journal, metrics. */
async function startMock(logs: boolean, rules: boolean): Promise<string> {
  const config = completeConfig({ port: 0, seed: 'bench', rateLimit: 1e9, jobLimit: 1e9, credits: 1e11 })
  const app = buildApp(config, logs ? pino({ base: undefined }, toDevNull()) : pino({ level: 'silent' }))
  const mock = await listen(app)
  if (rules) mock.use(thousandRules)
  return mock.url
}

/** Of every kind that an incident has, none of which fits the calls of the benchmark: half of them on their route. */
const thousandRules = Array.from({ length: 1000 }, (_, i) => {
  const route = ['getJob', 'createJob', 'listJobs', 'getDownload'][i % 4] as string
  const tenant = { header: { 'x-tenant': `tenant-${i}` } }
  const when = [
    { route: 'getJob', ...tenant },
    { route, key: `test_key_${i}` },
    { route: 'getJob', query: { page: i } },
    { route, ...tenant, probability: 0.5 },
    { route: 'startJob', calls: '2-' },
  ][i % 5]
  return { when, first: 3 + (i % 3), then: { error: 'internal_error' as const, delay: '1s' } }
})

console.log(JSON.stringify({ url: await start(process.argv[2] as Variant) }))
createInterface({ input: process.stdin })
  .on('line', () => {
    const { user, system } = process.cpuUsage()
    const { rss } = process.memoryUsage()
    console.log(JSON.stringify({ cpuMs: (user + system) / 1000, rssMb: rss / 2 ** 20 }))
  })
  .on('close', () => process.exit(0))
