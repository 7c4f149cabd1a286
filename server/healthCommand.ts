/** `understudy health [URL]`: exit 0 if GET /health answers 200, 1 if it answers something else, 3 if nothing answers. */
import { writeLine } from '../base/commandIo.ts'
import type { VerbSetup } from '../base/flags.ts'
import { mockUrl, reach } from '../base/reach.ts'

export const setUpHealth: VerbSetup = (verb, run) =>
  verb.argument('[url]', 'its base URL (default: this machine, port UNDERSTUDY_PORT or 4010)').action(
    run(async (io, given: string | undefined) => {
      const url = `${mockUrl(given, io.env)}/health`
      const { status } = await reach(url)
      if (status === 200) writeLine(io.stdout, `${url} is up`)
      else writeLine(io.stderr, `understudy: ${url} answered ${status}; expected 200`)
      return status === 200 ? 0 : 1
    }),
  )
