/** `understudy status`, `stop` and `logs`: the mocks of `serve` that run on this machine. */
import { closeSync, openSync, readSync } from 'node:fs'
import { monotonicMs, realDelay } from '../base/clock.ts'
import { type CommandIo, type ExitCode, writeJson, writeLine } from '../base/commandIo.ts'
import { jsonFlag, type VerbSetup } from '../base/flags.ts'
import { ConfigError } from '../base/options.ts'
import { TargetError } from '../base/targetError.ts'
import { isSameProcess, type MockRecord, readRecords, stateFolder } from './runningMocks.ts'

/** A mock that is told to end does so within 2 s. */
const endsWithinMs = 10_000
const lookEveryMs = 50

export const setUpStatus: VerbSetup = (verb, run) =>
  verb.option(...jsonFlag).action(
    run((io, { json }: { json?: boolean }): ExitCode => {
      const mocks = running(io)
      if (json) writeJson(io.stdout, { mocks })
      else writeLine(io.stdout, mocks.length === 0 ? 'no mock is running' : mocks.map(lineOf).join('\n'))
      return 0
    }),
  )

export const setUpStop: VerbSetup = (verb, run) =>
  verb
    .argument('[name]', 'its name, port, pid or URL (default: the only one that runs)')
    .option('--all', 'stop all that run')
    .option(...jsonFlag)
    .addHelpText(
      'after',
      '\nExit: 0 stopped, 1 one does not end, 2 several run and none was named, 3 none runs by that name.',
    )
    .action(
      run(async (io, name: string | undefined, { all, json }: { all?: boolean; json?: boolean }): Promise<ExitCode> => {
        if (all && name !== undefined) throw new ConfigError('both a name and --all were given; expected one of them')
        const mocks = all ? running(io) : [oneOf(running(io), name)]
        if (mocks.length === 0 && !json) writeLine(io.stdout, 'no mock is running')
        const ended = await Promise.all(mocks.map(async mock => ({ mock, isEnded: await end(mock) })))
        for (const { mock, isEnded } of ended)
          if (json) writeJson(io.stdout, { name: mock.name, url: mock.url, pid: mock.pid, stopped: isEnded })
          else if (isEnded) writeLine(io.stdout, `stopped ${mock.name} (${mock.url}, pid ${mock.pid})`)
          else
            writeLine(
              io.stderr,
              `understudy: ${mock.name} (pid ${mock.pid}) does not end; kill -9 ${mock.pid} ends it at once`,
            )
        return ended.every(({ isEnded }) => isEnded) ? 0 : 1
      }),
    )

export const setUpLogs: VerbSetup = (verb, run) =>
  verb
    .argument('[name]', 'its name, port, pid or URL (default: the only one)')
    .option('-f, --follow', 'go on until the mock ends, or Ctrl-C')
    .addHelpText(
      'after',
      '\nA JSON object a line, as `serve` writes them to stderr. Exit: 0, 2 for a mock that was not detached, 3 for none.',
    )
    .action(
      run(async (io, name: string | undefined, { follow }: { follow?: boolean }): Promise<ExitCode> => {
        const all = readRecords(stateFolder(io.env)).map(({ record }) => record)
        const mock = oneOf(name === undefined ? all.filter(({ log }) => log !== null) : all, name)
        if (mock.log === null)
          throw new ConfigError(
            `${mock.name} (pid ${mock.pid}) runs in a terminal of its own, and logs there; expected one of serve --detach`,
          )
        await copyLog(io, mock, mock.log, follow === true)
        return 0
      }),
    )

const running = ({ env }: CommandIo): MockRecord[] =>
  readRecords(stateFolder(env)).flatMap(({ record, isAlive }) => (isAlive ? [record] : []))

const lineOf = ({ name, url, pid, since, log }: MockRecord): string =>
  `${name}  ${url}  pid ${pid}  since ${since}${log === null ? '' : '  detached'}`

/** The one that is meant. Throws a TargetError if there is none, a ConfigError if it could be several. */
function oneOf(mocks: readonly MockRecord[], asked: string | undefined): MockRecord {
  const found =
    asked === undefined
      ? mocks
      : mocks.filter(({ name, port, pid, url }) =>
          [name, String(port), String(pid), url].includes(asked.replace(/\/$/, '')),
        )
  const [first, second] = found
  const names = (all: readonly MockRecord[]) => all.map(({ name, pid }) => `${name} (pid ${pid})`).join(', ')
  if (first === undefined)
    throw new TargetError(
      mocks.length === 0
        ? 'no mock is running; understudy serve --detach starts one'
        : `no mock is called ${asked}; expected one of ${names(mocks)}`,
    )
  if (second !== undefined) throw new ConfigError(`there are ${names(found)}; expected the name or the pid of one`)
  return first
}

/** Asks it to end, and waits until it has. */
async function end(mock: MockRecord): Promise<boolean> {
  try {
    process.kill(mock.pid, 'SIGTERM')
  } catch {
    // It has ended by itself, or is another user's.
  }
  const until = monotonicMs() + endsWithinMs
  while (isSameProcess(mock)) {
    if (monotonicMs() > until) return false
    await realDelay(lookEveryMs)
  }
  return true
}

async function copyLog({ stdout, signal }: CommandIo, mock: MockRecord, log: string, follows: boolean): Promise<void> {
  let file: number
  try {
    file = openSync(log, 'r')
  } catch (error) {
    throw new ConfigError(`${log} can't be read (${(error as NodeJS.ErrnoException).code})`)
  }
  const decoder = new TextDecoder()
  const bytes = Buffer.alloc(64 * 1024)
  try {
    for (;;) {
      const isOver = !follows || signal.aborted || !isSameProcess(mock)
      for (let read = readSync(file, bytes); read > 0; read = readSync(file, bytes))
        stdout.write(decoder.decode(bytes.subarray(0, read), { stream: true }))
      if (isOver) return
      await realDelay(lookEveryMs, signal)
    }
  } finally {
    closeSync(file)
  }
}
