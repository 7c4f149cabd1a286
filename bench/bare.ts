/**
 * What the mock is held against, in a process of its own: `bare.js fastify|fastify+log|node:http` prints its URL. Fastify has
 * the same routes with the same schemas, and nothing else.
 */
import { createServer } from 'node:http'
import fastify from 'fastify'
import { pino } from 'pino'
import { examples } from '../contracts/examples.ts'
import { ErrorEnvelope, Job, JobAccepted, JobCreate } from '../contracts/schemas.ts'

function startNode(): Promise<string> {
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

export function startFastify(logs: boolean): { url: Promise<string>; close: () => Promise<void> } {
  const app = fastify({ logger: logs && { stream: pino.destination({ dest: 2, sync: false }) } })
  const errors = { '4xx': ErrorEnvelope, '5xx': ErrorEnvelope }
  app.get('/health', async () => ({ status: 'ok' }))
  app.get('/v1/jobs/:job_id', { schema: { response: { 200: Job, ...errors } } }, (_request, reply) => {
    reply.send(examples.Job)
  })
  const schema = { body: JobCreate, response: { 200: JobAccepted, ...errors } }
  app.post('/v1/jobs', { schema }, (_request, reply) => {
    reply.send(examples.JobAccepted)
  })
  return { url: app.listen({ port: 0, host: '127.0.0.1' }), close: async () => app.close() }
}

const [variant] = process.argv.slice(2)
if (variant === 'node:http') console.log(await startNode())
if (variant === 'fastify' || variant === 'fastify+log') console.log(await startFastify(variant === 'fastify+log').url)
