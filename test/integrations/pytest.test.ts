/** integrations/pytest by its own tests, where a Python with pytest is; those of workers are skipped without pytest-xdist. */
import { execFile, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t from 'tap'
import { packageRoot } from '../../base/paths.ts'
import { cliPath } from '../support.ts'

const run = promisify(execFile)
const home = join(packageRoot, 'integrations', 'pytest')
const python = process.env.PYTHON ?? 'python3'
// Not by importing it, which takes a tenth of what its tests do.
const asked =
  'import sys; from importlib.metadata import version; sys.exit(sys.version_info < (3, 10) or int(version("pytest").split(".")[0]) < 8)'
const isThere = spawnSync(python, ['-c', asked]).status === 0

const skip = !isThere && `${python} (3.10 or newer) has no pytest 8; PYTHON names another`
t.test("understudy-pytest: the fixture's tests pass in pytest", { skip }, async t => {
  const args = ['-m', 'pytest', '-q', '-p', 'understudy_pytest.plugin', '-p', 'no:cacheprovider', '-rs']
  const command = ['-o', `understudy_command="${process.execPath}" "${cliPath}"`]
  const { PATH, HOME } = process.env
  const env = { PATH, HOME, PYTHONPATH: join(home, 'src'), PYTHONDONTWRITEBYTECODE: '1' }
  const ran = await run(python, [...args, ...command], { cwd: home, env, timeout: 120_000 }).catch(failed => failed)
  t.notOk(ran.code, ran.stdout)
  t.match(ran.stdout, /^\d+ passed/m)
  for (const [line] of ran.stdout.matchAll(/^SKIPPED .*/gm)) t.comment(line)
})
