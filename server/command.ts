/** `understudy serve`: the mock on a port, until it is stopped. */

import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Writable } from 'node:stream'
import type { DestinationStream, pino } from 'pino'
import { wallClockMs } from '../base/clock.ts'
import {
  aborted,
  type CommandIo,
  type Environment,
  type ExitCode,
  hasColor,
  writeJson,
  writeLine,
} from '../base/commandIo.ts'
import { addOptions, jsonFlag, type VerbSetup } from '../base/flags.ts'
import { isLoopback } from '../base/loopback.ts'
import { openBrowser } from '../base/openBrowser.ts'
import { ConfigError } from '../base/options.ts'
import { packageRoot, packageVersion } from '../base/paths.ts'
import { visible } from '../base/text.ts'
import { readVariables } from '../base/variables.ts'
import type { RunningMock } from '../client/mock.ts'
import { findFfmpeg } from '../media/ffmpeg.ts'
import { type Config, completeConfig, type LogLevel, type MockOptions, options } from './config.ts'
import { type AgentEndpoint, registerAgents } from './control/agents.ts'
import { detachedVariable, serveDetached } from './detach.ts'
import { tlsFlags } from './docs/lines.ts'
import { type Log, loadPino, silentLog } from './log.ts'
import { readRecords, registerMock, stateFolder } from './runningMocks.ts'
import type { TlsGate } from './tls/gate.ts'

/** What `serve` needs of mcp/, which knows of the server and not the other way round. */
export type ServeAgents = (served: {
  url: string
  settings: { allowRun?: boolean; allowRemote?: boolean; adminToken?: string; ca?: string }
  environment: Environment
  tell(error: unknown): void
}) => Promise<AgentEndpoint>

export const setUpServe =
  (serveAgents: ServeAgents): VerbSetup =>
  (verb, run) =>
    addOptions(
      verb
        .option('--open', 'open the desk in a browser')
        .option('--detach', 'run in the background: return once it is ready, with its URL and pid')
        .option('--mcp-allow-run', 'let agents at /__mock/mcp run commands: the tools rehearse and mutate')
        .option('--mcp-allow-remote', 'let agents at /__mock/mcp reach other machines')
        .option('--name <name>', 'name for understudy status, stop and logs (default: its port)')
        .option(...jsonFlag),
      options,
    ).action(
      run(
        async (
          io,
          { open, detach, name, json, mcpAllowRun, mcpAllowRemote, ...flags }: ServeFlags,
        ): Promise<ExitCode> => {
          const config = completeConfig({ ...readVariables(options, io.env), ...flags })
          if (mcpAllowRun && !isLoopback(config.host))
            throw new ConfigError(
              `--mcp-allow-run lets who reaches the mock run commands, and it listens on ${config.host}; expected --host 127.0.0.1`,
            )
          const folder = stateFolder(io.env)
          refuseTaken(name, folder)
          if (detach && io.env[detachedVariable] === undefined) return serveDetached(io, folder, json === true)
          // It takes as long to say what it is as the rest does to load: the greeting is not to wait for both in turn.
          if (config.outputs !== 'canned') void findFfmpeg()
          // Loaded here, so that --help is quick.
          const [{ buildApp }, { listen, prepareParts }, { log, flush }] = await Promise.all([
            import('./app.ts'),
            import('./start.ts'),
            logOn(io, config.logLevel),
          ])
          const parts = await prepareParts(config)
          const app = buildApp(config, log, parts)
          let mock: RunningMock
          const { adminToken, tlsCaOut: ca } = config
          // Its tools call the mock as anybody does, and have no certificate that an authority of the user's has signed.
          if (config.tlsClientCa === undefined)
            registerAgents(app, () =>
              serveAgents({
                url: mock.url,
                settings: { allowRun: mcpAllowRun, allowRemote: mcpAllowRemote, adminToken, ca },
                environment: io.env,
                tell: error => log.error({ err: error }, 'a bug in the tools for agents'),
              }),
            )
          const describing = app.mock.outputs.describe()
          // Where it throws, listen() does so too.
          describing.catch(() => {})
          mock = await listen(app)
          const desk = isLoopback(config.host) || config.adminToken !== undefined ? `${mock.url}/__mock/` : undefined
          const unregister = await tell(io, folder, mock, name).catch(async error => {
            await mock.close()
            throw error
          })
          if (json) writeJson(io.stdout, { ...describeMock(mock, name), desk: desk ?? null })
          else
            writeLine(
              io.stdout,
              greeting(mock, config, desk, await describing, app.mock.playback?.summary, app.mock.tls),
            )
          if (open) await openDesk(io, desk)
          await aborted(io.signal)
          await mock.close()
          unregister()
          flush()
          return 0
        },
      ),
    )

interface ServeFlags extends MockOptions {
  open?: boolean
  detach?: boolean
  name?: string
  json?: boolean
  mcpAllowRun?: boolean
  mcpAllowRemote?: boolean
}

const describeMock = ({ url, port, seed, key }: RunningMock, name: string | undefined) => ({
  name: name ?? String(port),
  url,
  port,
  pid: process.pid,
  seed,
  key,
  version: packageVersion,
})

/** A name stands for one mock. Throws a ConfigError for one that is in use, or is none. */
function refuseTaken(name: string | undefined, folder: string | undefined): void {
  if (name === undefined) return
  if (!/^[\w.-]{1,64}$/.test(name))
    throw new ConfigError(`--name is ${JSON.stringify(name)}; expected up to 64 letters, digits, dots and hyphens`)
  const other = readRecords(folder).find(({ record, isAlive }) => isAlive && record.name === name)?.record
  if (other)
    throw new ConfigError(
      `A mock called ${name} runs already: ${other.url}, pid ${other.pid}; choose another --name, or understudy stop ${name}`,
    )
}

/** Has `status` know of the mock; gives what ends that. Where nothing can be written, it runs all the same. */
async function tell(
  { env }: CommandIo,
  folder: string | undefined,
  mock: RunningMock,
  name: string | undefined,
): Promise<() => void> {
  const log = env[detachedVariable] ?? null
  if (folder === undefined) return () => {}
  const since = new Date(wallClockMs()).toISOString()
  try {
    return registerMock(folder, { ...describeMock(mock, name), since, log, cwd: process.cwd() })
  } catch (error) {
    if (log === null) return () => {}
    throw new ConfigError(`${folder} can't be written: ${(error as Error).message}; set UNDERSTUDY_STATE_DIR`)
  }
}

async function openDesk({ stderr, env }: CommandIo, desk: string | undefined): Promise<void> {
  if (desk === undefined)
    writeLine(stderr, 'The desk is closed off loopback; start the mock with --admin-token to open it')
  else if (!(await openBrowser(desk, env)))
    writeLine(stderr, `No browser could be opened; open ${desk} yourself, or set BROWSER to its command`)
}

/** What isn't written needs no pino. */
async function logOn(io: CommandIo, level: LogLevel): Promise<{ log: Log; flush(): void }> {
  if (level === 'silent') return { log: silentLog, flush() {} }
  const { pino } = await loadPino()
  const log = pino({ level, base: undefined }, await logsOn(io, pino))
  return { log, flush: () => log.flush() }
}

/** stderr: pretty on a terminal, a JSON object a line elsewhere. */
async function logsOn({ stderr, env }: CommandIo, { destination }: typeof pino): Promise<DestinationStream> {
  if (!stderr.isTTY) return stderr.fd === undefined ? stderr : destination({ dest: stderr.fd, sync: false })
  const { default: pretty } = await import('pino-pretty')
  return pretty({
    colorize: hasColor(stderr, env),
    destination: stderr.fd ?? new Writable({ write: (line, _, done) => done(void stderr.write(String(line))) }),
    sync: true,
    translateTime: 'HH:MM:ss.l',
    ignore:
      'method,url,status,ms,request_id,job_id,world,webhook,delivery_id,error,attempt,next_try_in_ms,tls,fault,trace_id',
    messageFormat: (line, key) =>
      line.request_id === undefined
        ? visible(String(line[key]))
        : visible(
            `${line.status} ${line.method} ${line.url} ${line.ms} ms  ${line.request_id}${line.job_id ? ` ${line.job_id}` : ''}${line.trace_id ? `  trace ${line.trace_id}` : ''}`,
          ),
  })
}

/** What a new user needs: the URL, the key, and three lines to paste. */
function greeting(
  { url, seed, key: apiKey }: RunningMock,
  config: Config,
  desk: string | undefined,
  outputs: string,
  replay: string | undefined,
  tls: TlsGate | undefined,
): string {
  const { scenario } = config
  const key = `-H 'X-Api-Key: ${apiKey}'`
  const body = `-H 'Content-Type: application/json' -d '{"video_url":"https://example.com/cat.mp4"}'`
  const curl = `curl -s${tlsFlags(config, tls?.ca)} ${key}`
  const ready = `Understudy is ready at ${url}   key: ${apiKey}   seed: ${seed}${scenario === undefined ? '' : `   scenario: ${scenario}`}   docs: ${url}/docs${desk === undefined ? '' : `   desk: ${desk}`}`
  const first = tls === undefined ? ready : `${ready}\n${trusted(tls, config)}`
  // A recording has no answers for the lines to paste.
  if (replay !== undefined) return `${first}\n\n  ${replay}\n\n${closed(config)}`
  return `${first}

  ${curl} -F 'file=@${clipPath()}' ${url}/v1/uploads
  JOB=$(${curl} ${body} ${url}/v1/jobs | grep -o 'job_[a-z0-9]*')
  ${curl} ${url}/v1/jobs/$JOB

Outputs: ${outputs}
${closed(config)}`
}

/** What a client has to know of the certificate, in a line. */
function trusted({ fingerprint }: TlsGate, { tlsCaOut, tlsCert, tlsClientCa, tlsFault }: Config): string {
  const how =
    tlsCaOut !== undefined
      ? `clients trust it by NODE_EXTRA_CA_CERTS=${tlsCaOut}, curl --cacert ${tlsCaOut}, or --ca ${tlsCaOut} of the other verbs`
      : tlsCert === undefined
        ? 'write what clients have to trust to a file with --tls-ca-out <file>'
        : 'your own'
  const parts = [
    `TLS certificate: ${how}`,
    ...(tlsClientCa === undefined ? [] : [`clients have to show one that ${tlsClientCa} has signed`]),
    ...(tlsFault === undefined ? [] : [`fault: ${tlsFault}`]),
    `SHA-256 ${fingerprint}`,
  ]
  return parts.join('   ')
}

/** What is not open, and what opens it. */
function closed({ adminToken, cors, host, webhookAllow }: Config): string {
  const also = webhookAllow.length > 0 ? ` and ${webhookAllow.join(', ')}` : ''
  const parts = [
    ...(isLoopback(host) || adminToken !== undefined ? [] : ['/__mock (off loopback: --admin-token <token> opens it)']),
    ...(adminToken === undefined ? ['/v1/admin (--admin-token <token>)'] : []),
    `webhooks to other hosts than this one${also} (--webhook-allow <host>)`,
    ...(cors === 'any' ? [] : ['answers to pages of other sites (--cors <origin>)']),
  ]
  return `Closed: ${parts.join('; ')}\n`
}

/** A clip to upload, relative to the user's shell. */
function clipPath(): string {
  const clip = join(packageRoot, 'fixtures', 'clips', 'short.mp4')
  if (!existsSync(clip)) return 'YOUR_VIDEO.mp4'
  const nearby = relative(process.cwd(), clip)
  return nearby.startsWith('..') ? clip : nearby
}
