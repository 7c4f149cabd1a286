/**
 * A process of `npm test` (test/run.mjs): runs the files that it is told, one after the other. What `import t from 'tap'` gives a
 * file is a test of its own here, not the whole process; the folder and the environment that it leaves are put back.
 */
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import root, { type Test } from 'tap'

let current: Test

/** The test that the file which is being loaded is. */
export const testOfFile = (): Test => current

// tap would end with the first file that cleans up, as the last of its process.
Object.defineProperty(root, 'idle', { value: false })
const alive = setInterval(() => {}, 2 ** 30)
process.once('disconnect', () => clearInterval(alive))

const { TEST_BUILD = '', TEST_TIMEOUT } = process.env
const build = resolve(TEST_BUILD)
const timeout = Number(TEST_TIMEOUT) * 1000
const before = { folder: process.cwd(), environment: { ...process.env } }

process.on('message', (file: string) => {
  void root.test(file, { timeout }, async t => {
    current = t
    t.teardown(() => {
      process.chdir(before.folder)
      for (const name of Object.keys(process.env)) if (!(name in before.environment)) delete process.env[name]
      Object.assign(process.env, before.environment)
    })
    await import(pathToFileURL(join(build, file.replace(/\.ts$/, '.js'))).href)
  })
})
