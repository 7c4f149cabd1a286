/** `understudy drill`: load, rate limits and outages, with a verdict. Each drill is a verb of its own, with its options. */

import { Command, Option } from 'commander'
import { together } from '../base/flags.ts'
import { flagOf, parseAs, variableOf } from '../base/options.ts'

import { reporterOption, reporterText } from '../reports/reporterOption.ts'

/** `isAsked`: the drills are loaded only then, as every other verb would wait for them. */
export async function drillCommand(isAsked: boolean): Promise<Command> {
  const command = new Command('drill').description(
    'load, rate limits and outages, with a verdict: burst, sustain, ramp, journey, outage, recover, soak',
  )
  if (!isAsked) return command
  const [{ drills }, { defaultText, drillOptions }, { commonOptions }, { drillReporterHelp }, run] = await Promise.all([
    import('./named/index.ts'),
    import('./options.ts'),
    import('./named/drill.ts'),
    import('./reporters/names.ts'),
    import('./runCommand.ts'),
  ])
  const withOptions = (verb: Command, name: keyof typeof drills): Command => {
    const { takes, defaults } = drills[name]
    for (const option of [...takes, ...commonOptions]) {
      const row: import('./options.ts').DrillOption = drillOptions[option]
      const text = `${row.description} (default: ${defaultText(option, defaults, row)}; ${variableOf(option)})`
      const flag = new Option(row.isFlag ? flagOf(option) : `${flagOf(option)} ${row.argument}`, text)
      if (!row.isFlag)
        flag.argParser((value: string, before: unknown) => together(before, parseAs(row, value, flagOf(option))))
      verb.addOption(flag)
    }
    return verb
  }
  command
    .command('list')
    .description('each drill in a line, with its thresholds')
    .action(() => run.printList())
  for (const [name, { title, thresholds }] of Object.entries(drills) as [
    keyof typeof drills,
    (typeof drills)['burst'],
  ][]) {
    const verb = command
      .command(name)
      .description(title)
      .argument('<base-url>', 'where the API is, such as http://127.0.0.1:4010')
    withOptions(verb, name)
      .addOption(reporterOption(drillReporterHelp))
      .addHelpText(
        'after',
        `\nThresholds, unless --threshold says otherwise:\n  ${thresholds.join('\n  ')}\n${reporterText(drillReporterHelp)}`,
      )
      .action((target: string, flags: import('./runCommand.ts').DrillFlags) => run.runDrill(name, target, flags))
  }
  command
    .command('compare')
    .argument('<A.json>')
    .argument('<B.json>')
    .description('two reports side by side: the ratio of each number, and what of it is noise')
    .option('--json', 'as JSON')
    .action((a: string, b: string, { json }: { json?: boolean }) => run.compareFiles(a, b, json === true))
  const exporting = command.command('export').description('the same drill for another tool')
  const k6 = exporting.command('k6').description('as a script for k6, whose operator runs it on a cluster')
  for (const name of Object.keys(drills) as (keyof typeof drills)[]) {
    const verb = k6
      .command(name)
      .argument('<base-url>', 'the target that is written into it; BASE_URL outranks it')
      .description(`${name} as a script for k6, on stdout`)
    withOptions(verb, name).action((target: string, flags: import('./runCommand.ts').DrillFlags) =>
      run.exportK6(name, target, flags),
    )
  }
  return command
}
