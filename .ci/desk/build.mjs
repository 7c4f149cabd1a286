/**
 * `npm run build:desk`: desk/ as files for a browser in dist/desk. Does nothing where they are newer than what they are
 * made of, so that `npm start` and `npm test` can ask for it each time; `--always` builds anyway.
 */
import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const made = join(root, 'dist', 'desk', 'index.html')

const inputs = () => [
  ...readdirSync(join(root, 'desk'), { recursive: true, encoding: 'utf8' }).map(name => join('desk', name)),
  'package-lock.json',
  'scenarios/scenario.schema.json',
]

/** Whether something that it is made of has changed since. */
function isStale() {
  if (!existsSync(made)) return true
  const { mtimeMs } = statSync(made)
  return inputs().some(name => statSync(join(root, name)).mtimeMs > mtimeMs)
}

/** Builds the desk where it has to be; some two seconds. */
export async function buildDesk({ always = false } = {}) {
  if (!always && !isStale()) return
  const { build } = await import('vite')
  await build({ configFile: join(root, 'desk', 'vite.config.ts') })
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildDesk({ always: process.argv.includes('--always') })
