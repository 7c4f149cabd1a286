/** nginx with the configuration that ships, in front of replicas on ports of this machine. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { packageRoot } from '../../base/paths.ts'

export const hasNginx = spawnSync('nginx', ['-v']).error === undefined

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer()
      await once(server.listen(0, '127.0.0.1'), 'listening')
      return server
    }),
  )
  const ports = servers.map(server => (server.address() as { port: number }).port)
  await Promise.all(servers.map(server => once(server.close(), 'close')))
  return ports
}

export interface RunningNginx {
  url: string
  metricsUrl: string
  /** What nginx said of itself. */
  said(): string
  close(): Promise<void>
}

/** Starts it; `nginx -t` has looked at the same files before. */
export async function startNginx(folder: string, ports: readonly number[], token = ''): Promise<RunningNginx> {
  const [port = 0, metricsPort = 0] = await freePorts(2)
  for (const name of ['body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']) mkdirSync(join(folder, name), { recursive: true })
  const shipped = readFileSync(join(packageRoot, 'integrations', 'nginx', 'understudy.conf'), 'utf8')
  const conf = shipped
    .replace(/mock-(\d):4010/g, (_, replica) => `127.0.0.1:${ports[Number(replica)]}`)
    .replace('listen 4010;', `listen 127.0.0.1:${port};`)
    .replace('listen 9113;', `listen 127.0.0.1:${metricsPort};`)
    .replace('/etc/nginx/understudy-token[.]conf', join(folder, 'token[.]conf'))
  if (token !== '') writeFileSync(join(folder, 'token.conf'), `proxy_set_header X-Admin-Token "${token}";\n`)
  writeFileSync(join(folder, 'understudy.conf'), conf)
  writeFileSync(
    join(folder, 'nginx.conf'),
    `daemon off; master_process off; pid ${folder}/pid; error_log stderr notice;
events { worker_connections 1024; }
http {
  access_log off;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/fastcgi;
  uwsgi_temp_path ${folder}/uwsgi; scgi_temp_path ${folder}/scgi;
  include ${folder}/understudy.conf;
}
`,
  )
  const args = ['-p', folder, '-c', join(folder, 'nginx.conf')]
  const tested = spawnSync('nginx', [...args, '-t'], { encoding: 'utf8' })
  if (tested.status !== 0) throw new Error(`nginx -t: ${tested.stderr}`)
  const child: ChildProcess = spawn('nginx', args, { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr?.on('data', chunk => {
    said += chunk
  })
  const ended = once(child, 'exit')
  // Single-process nginx says nothing when it listens.
  const url = `http://127.0.0.1:${port}`
  while (child.exitCode === null) {
    const isUp = await fetch(`${url}/health`).then(
      answer => answer.text().then(() => true),
      () => false,
    )
    if (isUp) break
  }
  if (child.exitCode !== null) throw new Error(`nginx: ${said}`)
  return {
    url,
    metricsUrl: `http://127.0.0.1:${metricsPort}`,
    said: () => said,
    async close() {
      child.kill('SIGTERM')
      await ended
    },
  }
}
