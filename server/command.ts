/** `understudy serve`: the mock on a port, until it is stopped. */

import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { Writable } from 'node:stream'
import type { DestinationStream, pino } from 'pino'
import { aborted, type CommandIo, type ExitCode, hasColor, writeLine } from '../base/commandIo.ts'
import { addOptions, type VerbSetup } from '../base/flags.ts'
import { isLoopback } from '../base/loopback.ts'
import { openBrowser } from '../base/openBrowser.ts'
import { packageRoot } from '../base/paths.ts'
import { visible } from '../base/text.ts'
import { readVariables } from '../base/variables.ts'
import type { RunningMock } from '../client/mock.ts'
import { type Config, completeConfig, type MockOptions, options } from './config.ts'

export const setUpServe: VerbSetup = (verb, run) =>
  addOptions(verb.option('--open', 'open the desk in a browser'), options).action(
    run(async (io, { open, ...flags }: MockOptions & { open?: boolean }): Promise<ExitCode> => {
      const config = completeConfig({ ...readVariables(options, io.env), ...flags })
      // Loaded here, so that --help is quick.
      const [{ buildApp }, { listen }, { pino }] = await Promise.all([
        import('./app.ts'),
        import('./start.ts'),
        import('pino'),
      ])
      const log = pino({ level: config.logLevel, base: undefined }, await logsOn(io, pino))
      const app = buildApp(config, log)
      const describing = app.mock.outputs.describe()
      // Where it throws, listen() does so too.
      describing.catch(() => {})
      const mock = await listen(app)
      const desk = isLoopback(config.host) || config.adminToken !== undefined ? `${mock.url}/__mock/` : undefined
      writeLine(io.stdout, greeting(mock, config, desk, await describing, app.mock.playback?.summary))
      if (open) await openDesk(io, desk)
      await aborted(io.signal)
      await mock.close()
      log.flush()
      return 0
    }),
  )

async function openDesk({ stderr, env }: CommandIo, desk: string | undefined): Promise<void> {
  if (desk === undefined)
    writeLine(stderr, 'The desk is closed off loopback; start the mock with --admin-token to open it')
  else if (!(await openBrowser(desk, env)))
    writeLine(stderr, `No browser could be opened; open ${desk} yourself, or set BROWSER to its command`)
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
    ignore: 'method,url,status,ms,request_id,job_id,world,webhook,delivery_id,error,attempt,next_try_in_ms',
    messageFormat: (line, key) =>
      line.request_id === undefined
        ? visible(String(line[key]))
        : visible(
            `${line.status} ${line.method} ${line.url} ${line.ms} ms  ${line.request_id}${line.job_id ? ` ${line.job_id}` : ''}`,
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
): string {
  const { scenario } = config
  const key = `-H 'X-Api-Key: ${apiKey}'`
  const body = `-H 'Content-Type: application/json' -d '{"video_url":"https://example.com/cat.mp4"}'`
  const ready = `Understudy is ready at ${url}   key: ${apiKey}   seed: ${seed}${scenario === undefined ? '' : `   scenario: ${scenario}`}   docs: ${url}/docs${desk === undefined ? '' : `   desk: ${desk}`}`
  // A recording has no answers for the lines to paste.
  if (replay !== undefined) return `${ready}\n\n  ${replay}\n\n${closed(config)}`
  return `${ready}

  curl -s ${key} -F 'file=@${clipPath()}' ${url}/v1/uploads
  JOB=$(curl -s ${key} ${body} ${url}/v1/jobs | grep -o 'job_[a-z0-9]*')
  curl -s ${key} ${url}/v1/jobs/$JOB

Outputs: ${outputs}
${closed(config)}`
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
