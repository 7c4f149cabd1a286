/** `understudy webhook-check <url>`: what a receiver of webhooks answers to good deliveries and bad ones. */
import { type OutputStream, writeLine } from '../base/commandIo.ts'
import { addOptions, type VerbSetup } from '../base/flags.ts'
import { ConfigError } from '../base/options.ts'
import { atTarget } from '../base/targetError.ts'
import { readVariables } from '../base/variables.ts'
import { clearLine } from '../reports/ansi.ts'
import { makeWritable, reporterOption, reporterText, writeReports } from '../reports/reporterOption.ts'
import { type ReceiverFlags, type ReceiverSettings, receiverOptions } from './options.ts'
import { receiverReporterHelp } from './reporters/names.ts'
import type { ReceiverOptions } from './run.ts'

export const setUpWebhookCheck: VerbSetup = (verb, run) =>
  addOptions(
    verb.argument('[url]', 'where the receiver is, such as http://127.0.0.1:3000/webhooks'),
    receiverOptions,
    'webhook-check',
  )
    .addOption(reporterOption(receiverReporterHelp))
    .addHelpText('after', reporterText(receiverReporterHelp))
    .action(
      run(async (io, url: string | undefined, { reporter = [], ...flags }: ReceiverFlags) => {
        if (url === undefined)
          throw new ConfigError('no URL was given; expected one such as http://127.0.0.1:3000/webhooks')
        const settings: ReceiverSettings = { ...readVariables(receiverOptions, io.env, 'webhook-check'), ...flags }
        const seed = settings.seed ?? receiverOptions.seed.default()
        makeWritable(reporter)
        // Loaded here, so that --help is quick.
        const { checkReceiver } = await import('./run.ts')
        const { receiverReporters } = await import('./reporters/index.ts')
        const progress = progressOn(io.stderr)
        writeLine(io.stderr, `understudy webhook-check ${url}   seed: ${seed}`)
        const checking = checkReceiver(url, { ...settings, seed, signal: io.signal, onProgress: progress.show })
        const report = await atTarget(url, checking).finally(progress.clear)
        writeReports(io, report, reporter, receiverReporters)
        return report.ok ? 0 : 1
      }),
    )

/** In place, on a terminal only: a run takes some seconds. */
function progressOn(stream: OutputStream): { show: NonNullable<ReceiverOptions['onProgress']>; clear: () => void } {
  const { isTTY } = stream
  return {
    show: ({ check, done, of, result }) => {
      if (isTTY && result === undefined) stream.write(`${clearLine}[${done + 1}/${of}] ${check}`)
    },
    clear: () => void (isTTY && stream.write(clearLine)),
  }
}
