/** The tool that runs a client under each scenario: it tells how far it is, and ends with its call. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { defined } from '../../base/inputs.ts'
import { textSchema as text, textsSchema as texts } from '../../base/jsonSchema.ts'
import { oneLine, shortenText } from '../../base/text.ts'
import type { ConductReport } from '../../conduct/report.ts'
import { VerdictSummary } from '../../contracts/verdict.ts'
import { rehearseOptions } from '../../rehearse/options.ts'
import { defineTool, durationIn } from '../tool.ts'
import { commandField, commandHints, commandOf, envField, printed } from './commands.ts'
import { failedRuleSchema, failedRules, ruleLines } from './questions.ts'

const mostScenarios = 12
const mostOutputLines = 12

export const rehearseTool = defineTool({
  name: 'rehearse',
  title: 'Rehearse a client',
  description:
    'Runs a command once under each scenario, each time against a mock of its own, and grades it. The command finds the mock by UNDERSTUDY_BASE_URL and UNDERSTUDY_API_KEY, or by {url} and {key} in its arguments. Name a few scenarios first: all of them take minutes.',
  hints: commandHints,
  input: {
    type: 'object',
    additionalProperties: false,
    required: ['command'],
    properties: {
      command: commandField,
      scenarios: {
        type: 'array',
        items: { type: 'string' },
        minItems: 1,
        description: 'names of scenarios; "none" is the run without one; by default none, then all',
      },
      env: envField,
      timeout: {
        type: 'string',
        description: `timeout of one run, such as "20s"; ${rehearseOptions.timeout.defaultText} by default`,
      },
      require: { type: 'array', items: { type: 'string' }, description: 'clauses or rules that must have passed' },
      seed: { type: 'string', minLength: 1 },
    },
  },
  output: {
    type: 'object',
    required: ['ok', 'why', 'summary', 'scenarios', 'failed', 'folder'],
    properties: {
      ok: { type: 'boolean' },
      why: text,
      summary: VerdictSummary,
      scenarios: {
        type: 'array',
        description: `The runs that failed, ${mostScenarios} at the most; of a rehearsal of a few, all.`,
        items: {
          type: 'object',
          required: ['scenario', 'verdict', 'failed', 'exit_code'],
          properties: {
            scenario: text,
            verdict: text,
            failed: { ...texts, description: 'rules' },
            why: text,
            exit_code: { type: ['integer', 'null'] },
            output: { ...text, description: 'the end of what a failed run printed' },
          },
        },
      },
      failed: {
        type: 'array',
        description: 'The rules that failed, each by the first scenario that shows it.',
        items: {
          ...failedRuleSchema,
          required: [...failedRuleSchema.required, 'scenarios'],
          properties: { ...failedRuleSchema.properties, scenarios: texts },
        },
      },
      folder: { ...text, description: 'Where each run left its report, its calls and what it printed.' },
    },
  },
  async run({ command, scenarios, env, timeout, require, seed }, context) {
    const running = commandOf({ command, env }, context)
    const { session, signal, tell } = context
    const { rehearse } = await import('../../rehearse/run.ts')
    const folder = session.settings.out ?? rehearseOptions.out.default()
    const report = await rehearse({
      ...running,
      out: folder,
      signal,
      ...defined({
        scenario: scenarios,
        require,
        seed,
        timeout: durationIn(timeout, 'timeout'),
      }),
      onProgress: progress => {
        if (progress.type === 'started') return
        const { scenario, verdict } = progress.result
        tell(progress.done, progress.of, `${scenario}: ${verdict}`)
      },
    })
    const graded = new Map(
      report.scenarios.flatMap(({ scenario, folder: of }) =>
        of === undefined ? [] : [[scenario, conductIn(of)] as const],
      ),
    )
    const failed = report.rules
      .filter(({ verdict }) => verdict === 'failed')
      .flatMap(({ id, scenarios: where }) => {
        const [rule] = failedRules(graded.get(where[0] ?? '')?.rules ?? []).filter(one => one.id === id)
        return rule === undefined ? [] : [{ ...rule, scenarios: [...where] }]
      })
    const bad = report.scenarios.filter(({ verdict }) => verdict !== 'passed')
    const shown = (report.scenarios.length <= mostScenarios ? report.scenarios : bad).slice(0, mostScenarios)
    const runs = shown.map(({ scenario, verdict, failed: rules, why, exit_code, folder: of }) => ({
      scenario,
      verdict,
      failed: [...rules],
      exit_code,
      ...defined({ why }),
      ...(verdict !== 'passed' && of !== undefined && { output: outputIn(of) }),
    }))
    return {
      text: [
        `${report.ok ? 'ok' : 'not ok'}: ${report.why}`,
        ...runs.map(({ scenario, verdict, failed: rules, why }) =>
          oneLine(`- ${scenario}: ${verdict} ${[...rules, ...(why === undefined ? [] : [why])].join(', ')}`),
        ),
        ...ruleLines(failed),
        `reports: ${folder}`,
      ].join('\n'),
      data: { ok: report.ok, why: report.why, summary: report.summary, scenarios: runs, failed, folder },
      whole: { name: 'rehearsal', document: { rehearsal: report, conduct: Object.fromEntries(graded) } },
    }
  },
})

const conductIn = (folder: string): ConductReport => JSON.parse(readFileSync(join(folder, 'conduct.json'), 'utf8'))

/** The last lines that a program printed. */
function outputIn(folder: string): string {
  const lines = readFileSync(join(folder, 'output.log'), 'utf8').trimEnd().split('\n')
  return lines
    .slice(-mostOutputLines)
    .map(line => shortenText(printed(line), 300))
    .join('\n')
}
