/** What the shells complete, as they do it. */
import { execFileSync, spawnSync } from 'node:child_process'
import t from 'tap'
import { shells } from '../../cli/completion.ts'
import { understudy } from '../support.ts'

const scripts = Object.fromEntries(
  await Promise.all(shells.map(async shell => [shell, (await understudy(['completion', shell])).stdout] as const)),
)

/** What bash offers for the last word of a line. */
function completed(line: string): string[] {
  const words = line.split(' ')
  const run = `COMP_WORDS=(${words.map(word => `'${word}'`).join(' ')}); COMP_CWORD=${words.length - 1}; _understudy; printf '%s\\n' "\${COMPREPLY[@]}"`
  return execFileSync('bash', ['-c', `${scripts.bash}\n${run}`], { encoding: 'utf8' })
    .trim()
    .split('\n')
}

t.test('bash completes commands, those below them, and the options of each', async t => {
  t.ok(['serve', 'mcp', 'completion', 'webhook-check'].every(verb => completed('understudy ').includes(verb)))
  t.same(completed('understudy hea'), ['health'])
  t.same(completed('understudy serve --scenario'), ['--scenario', '--scenarios'])
  t.same(completed('understudy serve --port 4010 --see'), ['--seed'])
  t.same(completed('understudy drill bu'), ['burst'])
  t.ok(completed('understudy drill burst http://127.0.0.1:4010 --').includes('--calls'))
  t.notOk(completed('understudy drill burst --').includes('--duration'), 'no option of another drill')
  t.same(completed('understudy rehearse -- node --'), [''], 'behind -- the words are those of a program')
})

t.test('the scripts are what their shells can read', async t => {
  const flags = { bash: '-n', zsh: '-n', fish: '--no-execute' }
  for (const shell of shells) {
    const { error, status, stderr } = spawnSync(shell, [flags[shell]], { input: scripts[shell], encoding: 'utf8' })
    if (error) t.match(scripts[shell], /understudy/, `${shell} is not here`)
    else t.equal(status, 0, `${shell}: ${stderr}`)
  }
  t.match(scripts.fish, /__fish_seen_subcommand_from drill; and __fish_seen_subcommand_from burst/)
})

t.test('another shell is wrong usage, with those that there are; each command has an example in its help', async t => {
  t.match(await understudy(['completion', 'csh']), { code: 2, stderr: /bash, zsh, fish/ })
  const verbs = (await understudy(['--help'])).stdout.match(/(?<=^ {2})[a-z][a-z-]*(?= {2,}[a-z])/gm) ?? []
  t.ok(verbs.length > 10)
  for (const verb of verbs) {
    const { stdout } = await understudy([verb, '--help'])
    const [, example = ''] = /Example:\n {2}\$ understudy (.*)/.exec(stdout) ?? []
    t.ok(example.startsWith(verb), verb)
    // The options of a command of the verb's own, such as drill burst, stand in that one's help.
    for (const [flag] of example.replace(/ -- .*/, '').matchAll(/--[a-z-]+/g)) t.ok(stdout.includes(`  ${flag} `), flag)
  }
})
