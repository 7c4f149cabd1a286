#!/usr/bin/env node
/** The command `understudy` in its process: the only file that knows its streams, environment, signals and exit code. */
import process from 'node:process'
import { holdProcess, monotonicMs } from '../base/clock.ts'
import { keepTickShape } from '../base/tickShape.ts'
import { whenLauncherEnds } from './launcher.ts'
import { main } from './main.ts'

keepTickShape()

let stop: AbortController | undefined

/** npm and a shell pass a signal on that the whole group has got: what comes so soon is the same one. */
const sameSignalMs = 1_000

/** The first Ctrl-C or SIGTERM, or the end of its terminal, asks the command to end; the second ends the process. */
function onSignals(): AbortController {
  const controller = new AbortController()
  let firstAt = 0
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(name, () => {
      if (!controller.signal.aborted) firstAt = monotonicMs()
      else if (monotonicMs() - firstAt > sameSignalMs) process.exit(130)
      controller.abort()
    })
  return controller
}

// From the first moment: once the launcher is gone, nobody can tell that there was one.
whenLauncherEnds(() => {
  if (stop === undefined) process.exit(143)
  stop.abort()
})

// A reader may close our output early, as head does, or a terminal be closed: the run still ends as it should.
for (const stream of [process.stdout, process.stderr])
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && !(error.code === 'EIO' && stream.isTTY)) throw error
  })

// A command that waits, with no connection open meanwhile, would be over: timers keep no process alive (base/clock.ts).
const release = holdProcess()
process.exitCode = await main(process.argv.slice(2), {
  get stdin() {
    return process.stdin
  },
  stdout: process.stdout,
  stderr: process.stderr,
  env: process.env,
  self: [process.execPath, ...process.execArgv, ...process.argv.slice(1)],
  // Until a command reads it, a signal ends the process at once.
  get signal() {
    stop ??= onSignals()
    return stop.signal
  },
}).finally(release)
