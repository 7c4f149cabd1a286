/** The package as `npm install` would lay it down, beside the dependencies that are here already. */
import { execFile } from 'node:child_process'
import { chmod, mkdir, mkdtemp, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { packageRoot } from '../../base/paths.ts'

const run = promisify(execFile)

/** Builds and packs; resolves with a folder that has node_modules/understudy-mock, and bin/npx that finds it at once. */
export async function packHere(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'understudy-packed-'))
  // .ci/run has built it for the check before.
  if (!process.env.ALREADY_BUILT) await run('npm', ['run', '--silent', 'build'], { cwd: packageRoot })
  await run('npm', ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder], { cwd: packageRoot })
  const home = join(folder, 'node_modules', 'understudy-mock')
  await mkdir(home, { recursive: true })
  await run('bash', ['-c', 'tar xzf *.tgz --strip-components=1 -C node_modules/understudy-mock'], { cwd: folder })
  await symlink(join(packageRoot, 'node_modules'), join(home, 'node_modules'))
  await writeNpx(folder)
  return folder
}

/** What npx does once it has found the command in node_modules/.bin, without half a second of npm before it. */
export async function writeNpx(folder: string): Promise<void> {
  const command = join(folder, 'node_modules', 'understudy-mock', 'dist', 'cli', 'bin.js')
  await mkdir(join(folder, 'bin'))
  await writeFile(
    join(folder, 'bin', 'npx'),
    `#!/bin/sh\n[ "$1" = understudy ] || [ "$1" = understudy-mock ] || { echo "only npx understudy runs here" >&2; exit 2; }\nshift\nexec node "${command}" "$@"\n`,
  )
  await chmod(join(folder, 'bin', 'npx'), 0o755)
}
