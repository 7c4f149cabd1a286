/**
 * A process that starts a server, has one answer of it, and ends: `cold.js fastify`, or `cold.js <server/index.js of a build>`.
 * Prints JSON: ms since the process began and ms of CPU, and for a build what a second mock of the process, its first scenario
 * and its first page of docs take.
 */
const [what = ''] = process.argv.slice(2)

const cpuMs = (): number => {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
const ask = async (url: string): Promise<unknown> => (await fetch(url)).text()
const median = (values: number[]): number => values.sort((a, b) => a - b)[values.length >> 1] as number

async function timed(run: () => unknown): Promise<{ ms: number; cpuMs: number }> {
  const [at, used] = [performance.now(), cpuMs()]
  await run()
  return { ms: performance.now() - at, cpuMs: cpuMs() - used }
}

if (what === 'fastify') {
  // By its name, as an app imports it: nothing else is loaded with it.
  const { default: fastify } = await import('fastify')
  const app = fastify()
  app.get('/health', async () => ({ status: 'ok' }))
  await ask(`${await app.listen({ port: 0, host: '127.0.0.1' })}/health`)
  await app.close()
  console.log(JSON.stringify({ ms: performance.now(), cpuMs: cpuMs() }))
} else {
  const { startMock } = (await import(what)) as typeof import('../server/index.ts')
  const first = await startMock()
  await ask(`${first.url}/health`)
  await first.close()
  const cold = { ms: performance.now(), cpuMs: cpuMs() }
  const seconds: number[] = []
  for (let i = 0; i < 5; i++) seconds.push((await timed(async () => (await startMock()).close())).ms)
  const mock = await startMock()
  const use = await timed(() => mock.use('internal-error-once'))
  await ask(`${mock.url}/__mock`)
  const docs = await timed(() => ask(`${mock.url}/docs`))
  await mock.close()
  console.log(JSON.stringify({ ...cold, secondMs: median(seconds), useMs: use.cpuMs, docsMs: docs.cpuMs }))
}
