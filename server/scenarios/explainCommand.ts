/** `understudy explain REQUEST_ID [URL]`: why a running mock answered a request as it did. */

import { type ExitCode, writeJson, writeLine } from '../../base/commandIo.ts'
import { addOptions, jsonFlag, type VerbSetup } from '../../base/flags.ts'
import { adminTokenOption, ConfigError, caOption, type OptionRow } from '../../base/options.ts'
import { adminHeaders, mockUrl, reach, trustedFile } from '../../base/reach.ts'
import { readVariables } from '../../base/variables.ts'
import type { ExplainedRule, Explanation } from '../../client/mock.ts'

const explainOptions = { adminToken: adminTokenOption, ca: caOption } as const satisfies Record<string, OptionRow>

interface ExplainSettings {
  adminToken?: string
  ca?: string
}

export const setUpExplain: VerbSetup = (verb, run) =>
  addOptions(
    verb
      .argument('<request_id>', 'of the answer: in its envelope, in X-Request-Id, in the log; or a trace id')
      .argument('[url]', 'the mock (default: this machine, port UNDERSTUDY_PORT or 4010)')
      .option(...jsonFlag),
    explainOptions,
    'explain',
  ).action(
    run(
      async (
        io,
        id: string,
        given: string | undefined,
        { json: isJson, ...flags }: ExplainSettings & { json?: boolean },
      ): Promise<ExitCode> => {
        // The mock's own variable does as well: both are often set in one shell.
        const own = readVariables({ adminToken: adminTokenOption }, io.env)
        const { adminToken, ca }: ExplainSettings = {
          ...(io.mock?.adminToken !== undefined && { adminToken: io.mock.adminToken }),
          ...own,
          ...readVariables(explainOptions, io.env, 'explain'),
          ...flags,
        }
        const base = mockUrl(given, io)
        const url = `${base}/__mock/explain/${encodeURIComponent(id)}`
        const { status, json } = await reach(url, {
          headers: adminHeaders(adminToken),
          ca: trustedFile(ca, io.env),
        })
        const body = json as (Explanation & { error?: { message: string } }) | undefined
        if (status !== 200)
          throw new ConfigError(
            body?.error ? `${base}: ${body.error.message}` : `${url} answered ${status}; expected a mock`,
          )
        if (isJson) writeJson(io.stdout, body)
        else writeLine(io.stdout, explanationText(body as Explanation))
        return 0
      },
    ),
  )

/** An explanation as a person reads it. */
export function explanationText({
  request_id,
  route,
  status,
  scenario,
  why,
  rule,
  reasons,
  rules,
  nearest,
}: Explanation): string {
  const head = `${request_id}  ${route ?? 'no route'}  answered ${status === 0 ? 'with nothing' : status}`
  if (scenario === null) return [head, why, ...reasons].join('\n')
  const decided = rule === null ? 'no rule fired: the call was answered as ever' : `the rule ${rule} fired`
  const lines = [head, `scenario ${scenario} (${why}): ${decided}`, ...reasons, ...rules.flatMap(linesOf)]
  if (nearest) {
    const unmet = nearest.unmet.map(({ what, expected, found }) => `${what} was ${found}, not ${expected}`)
    lines.push(`nearest miss: ${nearest.rule}: ${unmet.join('; ')}`)
  }
  return lines.join('\n')
}

const marks = { fired: '✓', not_met: '✗', not_reached: '·', not_asked: '·' } as const
const unasked = {
  not_reached: 'not reached: another rule had fired',
  not_asked: 'not asked: the call was refused before its body had come',
} as const

function linesOf({ rule, verdict, conditions, does }: ExplainedRule): string[] {
  const head = `  ${marks[verdict]} ${rule}: ${does}`
  if (verdict === 'not_reached' || verdict === 'not_asked') return [`${head} (${unasked[verdict]})`]
  const lines = conditions.map(({ what, expected, found, met }) => {
    return `      ${met ? '✓' : '✗'} ${what} ${expected}${met ? '' : `: it was ${found}`}`
  })
  return [head, ...lines]
}
