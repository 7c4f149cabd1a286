/**
 * Programs in other languages, written with what those have by themselves: each uploads, creates, polls and downloads, and
 * obeys the 429s that it meets. Skipped where the language is not installed;
 * those that are compiled take longer than all that they ask for, and are run with --prove, which .ci/run gives.
 */
import { execFile, spawnSync } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { outputsFolder, packageRoot } from '../../base/paths.ts'
import { isProving, start } from '../support.ts'

const run = promisify(execFile)
const source = (name: string) => join(packageRoot, 'test', 'journeys', name)
const clip = join(packageRoot, 'fixtures', 'clips', 'short.mp4')
const path = `${process.env.PATH}${delimiter}/usr/local/go/bin`
// No network for a module, as there is none.
const env = { ...process.env, PATH: path, GOFLAGS: '-mod=mod', GOPROXY: 'off' }

type Language = [language: string, version: string[], command: string[]]
const compiled: Language[] = [
  ['Java', ['javac', '-version'], ['java', source('Journey.java')]],
  ['Go', ['go', 'version'], ['go', 'run', source('journey.go')]],
]
const languages: Language[] = [
  ['curl', ['curl', '--version'], ['sh', source('journey.sh')]],
  ['Python', ['python3', '--version'], ['python3', source('journey.py')]],
  ...(isProving ? compiled : []),
]

const mock = await start(t)
const limited = { error: 'rate_limited', retry_after: '1s' } as const
mock.use([
  { when: { route: 'createJob' }, first: 1, then: limited },
  { when: { route: 'getJob' }, first: 1, then: limited },
])
const expected = await readFile(join(outputsFolder, 'output.webm'))

const folder = t.testdir()
// All at once: they wait a second each for every 429.
const journeys = languages.map(([language, [tool = '', ...version], [program = '', ...args]]) => {
  const key = `test_${language.toLowerCase()}`
  const output = join(folder, language)
  const isThere = spawnSync(tool, version, { env }).error === undefined
  const ran = isThere ? run(program, [...args, mock.url, key, clip, output], { env, timeout: 120_000 }) : undefined
  // Told where it is awaited.
  ran?.catch(() => {})
  return { language, tool, key, output, ran }
})

for (const { language, tool, key, output, ran } of journeys) {
  const skip = ran === undefined && `${tool} is not installed`
  t.test(`GO-2 GO-5 RL-2 ${language} goes from upload to file, and obeys a 429 on the way`, { skip }, async t => {
    await ran
    t.ok(expected.equals(await readFile(output)), 'the file is the whole output')
    for (const route of ['createJob', 'getJob'] as const)
      t.same(
        mock.journal
          .entries({ key, route })
          .map(({ status }) => status)
          .slice(0, 2),
        [429, 200],
        route,
      )
    await mock.expectConduct(key).toBreakNothing()
    await mock.expectConduct(key).toKeep('RL-2')
  })
}
