/** `understudy health [URL]`: 0 when GET /health answers 200, 1 when it answers otherwise, 3 when nobody answers. */
import { Command } from 'commander'
import { mockUrl, reach } from '../base/reach.ts'

export function healthCommand(): Command {
  return new Command('health')
    .description('ask a running server whether it is up: exit 0 if so, 1 if it is ill, 3 if nobody answers')
    .argument('[url]', 'its base URL (default: this machine, port UNDERSTUDY_PORT or 4010)')
    .action(async (given: string | undefined) => {
      const url = `${mockUrl(given)}/health`
      const answer = await reach(url)
      if (answer === undefined) return
      if (answer.status === 200) return console.log(`${url} is up`)
      console.error(`understudy: ${url} answered ${answer.status}; expected 200`)
      process.exitCode = 1
    })
}
