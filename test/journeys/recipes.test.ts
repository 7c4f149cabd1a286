/**
 * The recipes of docs/guides/go-and-java.md as they stand there: green for the client shown, red for one that sends a refused
 * order again. Skipped where the language is not installed, and without --prove: the compilers take longer than most tests.
 */
import { execFile, spawnSync } from 'node:child_process'
import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { packageRoot } from '../../base/paths.ts'
import { cliPath, isProving } from '../support.ts'

const run = promisify(execFile)
const page = await readFile(join(packageRoot, 'docs', 'guides', 'go-and-java.md'), 'utf8')
const folder = t.testdir()
const bin = join(folder, 'bin')
const { HOME, LANG } = process.env
const env = { HOME, LANG, PATH: `${bin}${delimiter}${process.env.PATH}${delimiter}/usr/local/go/bin`, GOPROXY: 'off' }
// What npx does once it has found the command.
await mkdir(bin)
await writeFile(join(bin, 'npx'), `#!/bin/sh\nshift\nexec "${process.execPath}" "${cliPath}" "$@"\n`)
await chmod(join(bin, 'npx'), 0o755)

/** Each with a client that sends a refused order again beside the one that is shown: what it says of both. */
const languages = [
  {
    language: 'go',
    version: ['go', 'version'],
    command: 'go test -vet=off -v ./...',
    files: {
      'go.mod': 'module shop\n\ngo 1.21\n',
      'hasty_test.go': `package shop

import "testing"

func TestHasty(t *testing.T) {
	key := testKey(t)
	order(mock.URL, key, "no URL")
	order(mock.URL, key, "no URL")
}
`,
    },
    told: [
      /--- PASS: TestOneOrder/,
      /--- PASS: TestARefusedOrderIsNotSentAgain/,
      /client-errors-not-retried: sent POST \/v1\/jobs again[\s\S]*--- FAIL: TestHasty/,
    ],
  },
  {
    language: 'java',
    version: ['javac', '-version'],
    command: 'javac *.java && java -cp . ShopTest && echo green && java -cp . Hasty',
    files: {
      'Hasty.java': `class Hasty {
  public static void main(String[] args) throws Exception {
    try (var mock = new Understudy()) {
      String key = mock.newKey();
      for (int i = 0; i < 2; i++) ShopTest.order(mock.url, key, "no URL");
      mock.assertConduct(key);
    }
  }
}
`,
    },
    told: [/^green$/m, /AssertionError: \d+ passed, \d+ failed[\s\S]*sent POST \/v1\/jobs again/],
  },
]

for (const { language, version, command, files, told } of languages) {
  const [tool = '', ...args] = version
  const isThere = isProving && spawnSync(tool, args, { env }).error === undefined
  const skip = !isThere && (isProving ? `${tool} is not installed` : 'run with --prove, which .ci/run gives')
  t.test(`the recipe in ${language} is green for a good client, red for a hasty one`, { skip }, async t => {
    const shown = [...page.matchAll(/^```(\w+) file=(\S+)\n([\s\S]*?)^```$/gm)].filter(([, name]) => name === language)
    t.equal(shown.length, 2)
    const project = join(folder, language)
    await mkdir(project)
    const written: Record<string, string> = {
      ...files,
      ...Object.fromEntries(shown.map(([, , name, text]) => [name, text])),
    }
    for (const [name, text] of Object.entries(written)) await writeFile(join(project, name), text)
    const ran = await run('sh', ['-c', command], { cwd: project, env, timeout: 120_000 }).catch(failed => failed)
    t.equal(ran.code, 1)
    for (const one of told) t.match(ran.stdout + ran.stderr, one)
  })
}
