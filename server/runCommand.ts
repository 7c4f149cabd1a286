/** The mock on a port, as `understudy serve` runs it: what it logs, what it prints, and how it ends. */
import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import { type DestinationStream, pino } from 'pino'
import { packageRoot } from '../base/paths.ts'
import { stopped } from '../base/stopped.ts'
import { buildApp } from './app.ts'
import { completeConfig, type LogLevel, type MockOptions } from './config.ts'
import { defaultKey, listen, type RunningMock } from './start.ts'

export async function runServe(given: MockOptions): Promise<void> {
  const config = completeConfig(given)
  const log = await makeLog(config.logLevel)
  const app = buildApp(config, log)
  const mock = await listen(app)
  console.log(greeting(mock, config.scenario, app.mock.replay?.summary))
  await stopped()
  await mock.close()
  log.flush()
}

/** Logs go to stderr: pretty on a terminal, a JSON object a line elsewhere. */
async function makeLog(level: LogLevel) {
  return pino({ level, base: undefined }, await destination())
}

async function destination(): Promise<DestinationStream> {
  if (!process.stderr.isTTY) return pino.destination({ dest: 2, sync: false })
  const { default: pretty } = await import('pino-pretty')
  return pretty({
    colorize: process.env.NO_COLOR === undefined,
    destination: 2,
    sync: true,
    translateTime: 'HH:MM:ss.l',
    ignore: 'method,url,status,ms,request_id,job_id,world',
    messageFormat: (line, key) =>
      line.request_id === undefined
        ? String(line[key])
        : `${line.status} ${line.method} ${line.url} ${line.ms} ms  ${line.request_id}${line.job_id ? ` ${line.job_id}` : ''}`,
  })
}

/** What a new user needs: where it is, the key, and three lines to paste. */
function greeting({ url, seed }: RunningMock, scenario: string | undefined, replay: string | undefined): string {
  const key = `-H 'X-Api-Key: ${defaultKey}'`
  const body = `-H 'Content-Type: application/json' -d '{"video_url":"https://example.com/cat.mp4"}'`
  const ready = `Understudy is ready at ${url}   key: ${defaultKey}   seed: ${seed}${scenario === undefined ? '' : `   scenario: ${scenario}`}   docs: ${url}/docs`
  // What could be pasted is not in the recording.
  if (replay !== undefined) return `${ready}\n\n  ${replay}\n`
  return `${ready}

  curl -s ${key} -F 'file=@${clipPath()}' ${url}/v1/uploads
  JOB=$(curl -s ${key} ${body} ${url}/v1/jobs | grep -o 'job_[a-z0-9]*')
  curl -s ${key} ${url}/v1/jobs/$JOB
`
}

/** A clip to upload, as this shell finds it. */
function clipPath(): string {
  const clip = join(packageRoot, 'fixtures', 'clips', 'short.mp4')
  if (!existsSync(clip)) return 'YOUR_VIDEO.mp4'
  const nearby = relative(process.cwd(), clip)
  return nearby.startsWith('..') ? clip : nearby
}
