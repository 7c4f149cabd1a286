/** Other processes of this machine: whether one runs, and what Linux tells of it. */
import { readFileSync } from 'node:fs'
import process from 'node:process'

/** Whether there is a process of that id; another user's is one too. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** What /proc says: its state (Z for one that has ended), its parent, and when it began. Throws where there is no /proc. */
export function statOf(pid: number): { state: string; parent: number; startTicks: string } {
  // "pid (name) state parent …", and the name may have brackets of its own.
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  const [state = '', parent] = fields
  return { state, parent: Number(parent), startTicks: fields[19] ?? '' }
}
