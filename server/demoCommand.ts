/** `understudy demo`: a client's whole way, step by step, on any system: upload, create, poll, download. */
import { mkdtempSync } from 'node:fs'
import { readFile, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monotonicMs, realDelay, realTimeout } from '../base/clock.ts'
import { type CommandIo, type ExitCode, writeJson, writeLine } from '../base/commandIo.ts'
import { addOptions, jsonFlag, type VerbSetup } from '../base/flags.ts'
import { requireWritable } from '../base/inputs.ts'
import { ConfigError, type Option, text } from '../base/options.ts'
import { packageRoot } from '../base/paths.ts'
import { mockUrl } from '../base/reach.ts'
import { TargetError } from '../base/targetError.ts'
import { readVariables } from '../base/variables.ts'

const answerWithinMs = 30_000
/** RL-3 asks for 2 s between polls. */
const pollEveryMs = 2_000
const doneWithinMs = 120_000

/** What is told of each step: lines for people, or an object for a program. */
interface Said {
  text: string
  json?: Record<string, unknown>
}

const options = {
  key: { argument: '<key>', description: 'API key', default: () => 'test_demo', parse: text('a key') },
  out: {
    argument: '<file>',
    description: 'where the output goes',
    defaultText: 'a temporary folder',
    default: () => undefined as string | undefined,
    parse: text('the path of a file'),
  },
} as const satisfies { key: Option<string>; out: Option<string | undefined> }

interface Flags {
  json?: boolean
  key?: string
  out?: string
}

export const setUpDemo: VerbSetup = (verb, run) =>
  addOptions(
    verb.argument('[url]', 'a mock that runs (default: one of its own, ended with the demo)').option(...jsonFlag),
    options,
    'demo',
  ).action(
    run(async (io, url: string | undefined, given: Flags): Promise<ExitCode> => {
      const flags: Flags = { ...readVariables(options, io.env, 'demo'), ...given }
      if (flags.out !== undefined) checkOut(flags.out)
      if (url !== undefined) return journey(io, mockUrl(url, io), flags)
      const { startMock } = await import('./start.ts')
      const mock = await startMock({ speed: 4 })
      try {
        return await journey(io, mock.url, flags)
      } finally {
        await mock.close()
      }
    }),
  )

/** Before the first call, so that no job is made whose output has no place. */
function checkOut(file: string): void {
  try {
    requireWritable(file)
  } catch (error) {
    throw new ConfigError(`--out ${file} can't be written: ${(error as Error).message}`)
  }
}

interface Answer {
  ok: boolean
  status: number
  type: string | null
  bytes: Buffer
}

/** Exit code 1 where an answer is not the documented one, or the demo was stopped. */
async function journey(
  io: CommandIo,
  url: string,
  { key = options.key.default(), out, json: isJson }: Flags,
): Promise<ExitCode> {
  const say = ({ text, json }: Said): void => {
    if (!isJson) writeLine(io.stdout, text)
    else if (json) writeJson(io.stdout, json)
  }
  const ask = async (what: string, path: string, init: RequestInit = {}): Promise<Answer> => {
    const method = init.method ?? 'GET'
    say({ text: `\n${what}\n> ${method} ${path}`, json: { step: what, method, path } })
    const signal = AbortSignal.any([io.signal, realTimeout(answerWithinMs)])
    const target = new URL(path, url)
    // An output may lie elsewhere, where the key is none of anybody's business.
    const headers = { ...(target.origin === new URL(url).origin && { 'X-Api-Key': key }), ...init.headers }
    try {
      const response = await fetch(target, { ...init, headers, signal })
      const { ok, status } = response
      return {
        ok,
        status,
        type: response.headers.get('content-type'),
        bytes: Buffer.from(await response.arrayBuffer()),
      }
    } catch (error) {
      if (io.signal.aborted) throw new Unexpected('the demo was stopped before its end')
      const { cause, message } = error as Error & { cause?: NodeJS.ErrnoException }
      throw new TargetError(`${url} does not answer (${cause?.code ?? message}); is the server running?`)
    }
  }
  const json = ({ ok, status, bytes }: Answer): Record<string, string> => {
    say({ text: `< ${status} ${bytes}`, json: { status, body: String(bytes) } })
    if (!ok) throw new Unexpected(`answered ${status}; expected 2xx`)
    try {
      return JSON.parse(String(bytes))
    } catch {
      throw new Unexpected('the answer is no JSON; expected JSON')
    }
  }
  try {
    const form = new FormData()
    const clip = await readFile(join(packageRoot, 'fixtures', 'clips', 'short.mp4'))
    form.append('file', new Blob([clip], { type: 'video/mp4' }), 'short.mp4')
    const { video_url } = json(await ask('Upload a clip', '/v1/uploads', { method: 'POST', body: form }))

    const body = JSON.stringify({ video_url, output_format: 'webm' })
    const headers = { 'Content-Type': 'application/json' }
    const { id } = json(await ask(`Create a job: ${body}`, '/v1/jobs', { method: 'POST', headers, body }))

    const until = monotonicMs() + doneWithinMs
    let job = json(await ask('Poll it every 2 s', `/v1/jobs/${id}`))
    while (job.status !== 'completed') {
      if (job.status === 'failed' || monotonicMs() > until) throw new Unexpected(`the job is ${job.status}`)
      await realDelay(pollEveryMs, io.signal)
      job = json(await ask('Poll it again', `/v1/jobs/${id}`))
    }

    const { download_url = '' } = json(await ask('Ask for the output', `/api/download/${id}`))
    const output = await ask('Download it', download_url)
    const { status, type } = output
    say({
      text: `< ${status} ${type}, ${output.bytes.length} bytes`,
      json: { status, type, size: output.bytes.length },
    })
    if (!output.ok) throw new Unexpected(`answered ${output.status}; expected 200`)
    const file = out ?? join(mkdtempSync(join(tmpdir(), 'understudy-demo-')), 'output.webm')
    await writeFile(file, output.bytes).catch(error => {
      throw new ConfigError(`--out ${file} can't be written (${error.code})`)
    })
    say({ text: `\nThe output is ${file}`, json: { output: file } })
    return 0
  } catch (error) {
    if (!(error instanceof Unexpected)) throw error
    writeLine(io.stderr, `understudy: ${error.message}`)
    return 1
  }
}

class Unexpected extends Error {}
