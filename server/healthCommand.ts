/** `understudy health [URL]`: exit 0 if GET /health answers 200, 1 if it answers something else, 3 if nothing answers. */
import { monotonicMs, realDelay } from '../base/clock.ts'
import { writeJson, writeLine } from '../base/commandIo.ts'
import { addOptions, jsonFlag, type VerbSetup } from '../base/flags.ts'
import { caOption, durationMs, type Option } from '../base/options.ts'
import { mockUrl, reach, trustedFile } from '../base/reach.ts'
import { readVariables } from '../base/variables.ts'

/** Real ms between two looks. */
const lookEveryMs = 100

const options = {
  wait: {
    argument: '<time>',
    description: 'time to wait until it is up, such as 30s',
    defaultText: 'one look',
    default: () => undefined as number | undefined,
    parse: durationMs,
  },
  ca: caOption,
} as const satisfies { wait: Option<number | undefined>; ca: Option<string | undefined> }

interface HealthSettings {
  wait?: number
  ca?: string
}

export const setUpHealth: VerbSetup = (verb, run) =>
  addOptions(
    verb.argument('[url]', 'its base URL (default: this machine, port UNDERSTUDY_PORT or 4010)').option(...jsonFlag),
    options,
    'health',
  ).action(
    run(async (io, given: string | undefined, { json, ...own }: HealthSettings & { json?: boolean }) => {
      const flags: HealthSettings = { ...readVariables(options, io.env, 'health'), ...own }
      const ca = trustedFile(flags.ca, io.env)
      const url = `${mockUrl(given, io)}/health`
      const until = monotonicMs() + (flags.wait ?? 0)
      let status = 0
      for (;;) {
        const isLast = monotonicMs() + lookEveryMs > until || io.signal.aborted
        try {
          status = (await reach(url, { ca })).status
        } catch (error) {
          if (isLast) throw error
        }
        if (status === 200 || isLast) break
        await realDelay(lookEveryMs, io.signal)
      }
      if (json) writeJson(io.stdout, { url, up: status === 200, status })
      else if (status === 200) writeLine(io.stdout, `${url} is up`)
      else writeLine(io.stderr, `understudy: ${url} answered ${status}; expected 200`)
      return status === 200 ? 0 : 1
    }),
  )
