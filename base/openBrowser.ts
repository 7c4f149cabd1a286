/** Opens a URL in the user's browser: by $BROWSER, or by what the system has for it. */
import { spawn } from 'node:child_process'
import type { Environment } from './commandIo.ts'

/** Resolves with whether a program for it could be started; it is not waited for. */
export function openBrowser(url: string, env: Environment): Promise<boolean> {
  const [command, args] = browserCommand(url, env)
  return new Promise(resolve => {
    const child = spawn(command, args, { stdio: 'ignore', detached: true, env: env as NodeJS.ProcessEnv })
    child.once('error', () => resolve(false))
    child.once('spawn', () => resolve(true))
    child.unref()
  })
}

function browserCommand(url: string, { BROWSER }: Environment): [command: string, args: string[]] {
  if (BROWSER !== undefined && BROWSER !== '') return [BROWSER, [url]]
  if (process.platform === 'darwin') return ['open', [url]]
  // `start` is a word of cmd; the empty text is the title of its window.
  if (process.platform === 'win32') return ['cmd', ['/c', 'start', '""', url.replaceAll('&', '^&')]]
  return ['xdg-open', [url]]
}
