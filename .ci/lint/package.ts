/** `npm run lint:package`: what is published, as publint and Are The Types Wrong see it. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { checkPackage, createPackageFromTarballData } from '@arethetypeswrong/core'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'

/** .ci/run has built it for the check before. */
const asBuilt = process.env.ALREADY_BUILT ? ['--ignore-scripts'] : []

/**
 * What is meant to be so: the package is ESM, which require() loads from Node 20.19 on, and resolution as of Node 10 knows no
 * subpaths.
 */
const intended = (problem: { kind: string; resolutionKind?: string }): boolean =>
  problem.kind === 'CJSResolvesToESM' || problem.resolutionKind === 'node10'

const folder = mkdtempSync(join(tmpdir(), 'understudy-lint-'))
try {
  const name = execFileSync('npm', ['pack', '--silent', ...asBuilt, '--pack-destination', folder], { encoding: 'utf8' })
  const data = new Uint8Array(readFileSync(join(folder, name.trim().split('\n').at(-1) as string)))
  const { messages, pkg } = await publint({ pack: { tarball: data.buffer as ArrayBuffer } })
  const types = await checkPackage(createPackageFromTarballData(data))
  const problems = [
    ...messages.map(message => formatMessage(message, pkg)),
    ...(types.types === false
      ? ['there are no types']
      : types.problems.filter(one => !intended(one as never)).map(one => JSON.stringify(one))),
  ]
  for (const problem of problems) console.error(problem)
  console.log(`the package: ${problems.length || 'no'} problems`)
  process.exitCode = problems.length === 0 ? 0 : 1
} finally {
  rmSync(folder, { recursive: true, force: true })
}
