/** `understudy mutate -- <command>`: would your tests notice? They are run against servers that are broken in one place. */

import { type CommandIo, type OutputStream, writeLine } from '../base/commandIo.ts'
import { addOptions, type VerbSetup } from '../base/flags.ts'
import { ConfigError } from '../base/options.ts'
import { formatDuration, formatJson, plural } from '../base/text.ts'
import { readVariables } from '../base/variables.ts'
import { commandIn } from '../rehearse/program.ts'
import { clearLine } from '../reports/ansi.ts'
import { makeWritable, reporterOption, reporterText, writeReports } from '../reports/reporterOption.ts'
import { type MutateFlags, type MutateSettings, mutateOptions } from './options.ts'
import { mutationHelp, mutationReporters } from './reporters.ts'
import type { MutateProgress } from './run.ts'

export const setUpMutate: VerbSetup = (verb, run) =>
  addOptions(
    verb
      .usage('[options] -- <command> [arguments...]')
      .argument(
        '[command...]',
        'your tests; they find the mock by UNDERSTUDY_BASE_URL and UNDERSTUDY_API_KEY, or by {url} and {key} in their arguments',
      )
      .option('--list', 'print all mutants and correct variants, and run nothing')
      .option('--json', 'with --list: as JSON'),
    mutateOptions,
    'mutate',
  )
    .addOption(reporterOption(mutationHelp))
    .addHelpText('after', reporterText(mutationHelp))
    .action(
      run(async (io, words: string[], { reporter = [], list, json, ...flags }: MutateFlags) => {
        const settings: MutateSettings = { ...readVariables(mutateOptions, io.env, 'mutate'), ...flags }
        if (json && !list) throw new ConfigError('--json goes with --list; a report as JSON is --reporter json')
        if (list) return printList(io, settings, json === true)
        const command = commandIn(words, 'mutate -- npm test')
        const seed = settings.seed ?? mutateOptions.seed.default()
        makeWritable(reporter)
        // Loaded here, so that --help is quick.
        const { mutateCommand } = await import('./run.ts')
        const progress = progressOn(io.stderr)
        writeLine(io.stderr, `understudy mutate: ${words.join(' ')}   seed: ${seed}`)
        const report = await mutateCommand({
          ...settings,
          seed,
          command,
          environment: io.env,
          signal: io.signal,
          onProgress: progress.show,
        }).finally(progress.clear)
        writeReports(io, report, reporter, mutationReporters)
        return report.ok ? 0 : 1
      }),
    )

async function printList({ stdout }: CommandIo, { only }: MutateSettings, isJson: boolean): Promise<0> {
  const { chosenEntries, listText, listDocument } = await import('./catalogue.ts')
  const entries = chosenEntries(only)
  stdout.write(isJson ? formatJson(listDocument(entries)) : listText(entries))
  return 0
}

/** In place on a terminal: what runs, and what is left. Elsewhere a line for each that is a blind spot, or refused. */
function progressOn(stream: OutputStream) {
  const { isTTY } = stream
  const clear = isTTY ? clearLine : ''
  const underway = new Set<string>()
  let done = 0
  let mostMs = 0
  return {
    show: (progress: MutateProgress) => {
      if (progress.type === 'healthy') {
        const line = `without a mutant: run ${progress.run} of ${progress.of}`
        stream.write(isTTY ? `${clear}${line}` : `${line}\n`)
        return
      }
      const { id, of } = progress
      if (progress.type === 'started') {
        underway.add(id)
        mostMs = Math.max(mostMs, progress.timeoutMs)
      } else {
        underway.delete(id)
        done = progress.done
        const { outcome, what } = progress.result
        if (outcome === 'unnoticed' || outcome === 'refused' || outcome === 'unclear')
          writeLine({ write: text => stream.write(`${clear}${text}`) }, `[${done}/${of}] ${outcome}: ${id}, ${what}`)
      }
      if (!isTTY || underway.size === 0) return
      const left = `${plural(of - done, 'mutant')} left, ${formatDuration(mostMs)} at most a run`
      stream.write(
        `${clear}${`[${done}/${of}] ${[...underway].join(', ')}   ${left}`.slice(0, (stream.columns || 80) - 1)}`,
      )
    },
    clear: () => void stream.write(clear),
  }
}
