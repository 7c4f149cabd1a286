/**
 * Tells when npm, or another package manager that runs this process, has been ended. `npm start` and `npx` stand behind a
 * `sh -c`: they pass SIGTERM on to that shell, which ends and leaves its own child running, as dash and ash do. So a server would
 * keep its port after `kill <pid of npm>`.
 *
 * Linux only: what runs this process is read from /proc. macOS has a shell that makes way for the command, Windows no signals.
 */
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'
import process from 'node:process'
import { isRunning, statOf } from '../base/processes.ts'

/** ms between two looks. */
const lookEveryMs = 200

const managers = /^(npm|npx|pnpm|pnpx|yarn|bun|bunx)(-cli)?(\.c?js)?$/

/** Calls back once when a package manager above this process, or a shell between them, is gone. Keeps no process alive. */
export function whenLauncherEnds(onEnd: () => void): void {
  const watched = launchers()
  if (watched.length === 0) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent && watched.every(isRunning)) return
    clearInterval(timer)
    onEnd()
  }, lookEveryMs)
  timer.unref()
}

/** The processes from this one's parent up that only run what is below them; none if there is no package manager in the row. */
function launchers(): number[] {
  const pids: number[] = []
  let isManaged = false
  for (let pid = process.ppid; pid > 1; ) {
    const found = look(pid)
    const kind = found && launcherKind(found.words)
    if (kind === undefined) break
    isManaged ||= kind === 'manager'
    pids.push(pid)
    pid = found?.parent ?? 0
  }
  return isManaged ? pids : []
}

/**
 * What a process is by its command line, if it only runs what is below it: a package manager, or `sh -c 'command'`. What a line
 * puts into the background with `&` is meant to outlive its shell.
 */
export function launcherKind(words: readonly string[]): 'manager' | 'shell' | undefined {
  const [shell = '', flag, line = ''] = words
  // npm's title is its whole command line in one word.
  if (words.slice(0, 2).some(word => managers.test(basename(word.split(' ', 1)[0] ?? '')))) return 'manager'
  const isShell = /^(ba|da|a|z)?sh$/.test(basename(shell)) && flag === '-c'
  return isShell && !/(^|[^&>])&(?![&>])/.test(line) ? 'shell' : undefined
}

function look(pid: number): { words: string[]; parent: number } | undefined {
  try {
    const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0')
    return { words, parent: statOf(pid).parent }
  } catch {
    return undefined
  }
}
