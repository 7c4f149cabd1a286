/** `main()`: the command `understudy`, as a function of its arguments, streams, environment and signal. */
import { Argument, Command, CommanderError, Option } from 'commander'
import { type CommandIo, type ExitCode, hasColor, writeLine } from '../base/commandIo.ts'
import type { RunAction, VerbSetup } from '../base/flags.ts'
import { adminTokenOption, ConfigError, portOption, tlsFileOptions } from '../base/options.ts'
import { packageVersion } from '../base/paths.ts'
import { renamedFlag } from '../base/renamed.ts'
import { TargetError } from '../base/targetError.ts'
import type { ServeAgents } from '../server/command.ts'
import { completionHint, completionScript, type Shell, shells } from './completion.ts'
import { setUpConfig } from './configCommand.ts'
import { type ConfigFile, readConfigFile } from './configFile.ts'
import { applyConfig, pathOf, valueIn } from './configValues.ts'

interface Verb {
  description: string
  /** What people write most, without `understudy`. */
  example: string
  /** Only the verb that was asked for is loaded. */
  load(): Promise<VerbSetup>
}

/** Only a mock that an agent calls pays for the protocol. */
const serveAgents: ServeAgents = async served => (await import('../mcp/http.ts')).serveMcpOverHttp(served)

const verbs: Readonly<Record<string, Verb>> = {
  serve: {
    description: 'run the mock server',
    example: 'serve --speed 20 --scenario internal-error-once',
    load: async () => (await import('../server/command.ts')).setUpServe(serveAgents),
  },
  status: {
    description: 'list the mocks of serve that run on this machine: name, URL, pid, since when',
    example: 'status --json',
    load: async () => (await import('../server/statusCommand.ts')).setUpStatus,
  },
  stop: {
    description: 'stop a mock of serve that runs on this machine, or all',
    example: 'stop --all',
    load: async () => (await import('../server/statusCommand.ts')).setUpStop,
  },
  logs: {
    description: 'print the log of a mock of serve --detach',
    example: 'logs -f',
    load: async () => (await import('../server/statusCommand.ts')).setUpLogs,
  },
  demo: {
    description: 'upload a clip, create a job, poll it and download its output, and show each step',
    example: 'demo',
    load: async () => (await import('../server/demoCommand.ts')).setUpDemo,
  },
  check: {
    description: 'check an endpoint, or recorded traffic, clause by clause: exit 0 if nothing is broken',
    example: 'check http://127.0.0.1:4010 --only jobs',
    load: async () => (await import('../suite/command.ts')).setUpCheck,
  },
  drill: {
    description: 'test load, rate limits and outages: burst, sustain, ramp, journey, outage, recover, soak',
    example: 'drill burst http://127.0.0.1:4010',
    load: async () => (await import('../drills/command.ts')).setUpDrill,
  },
  conduct: {
    description: 'grade a client by its requests, rule by rule: exit 0 if it broke none',
    example: 'conduct --url http://127.0.0.1:4010 --require ERR-3',
    load: async () => (await import('../conduct/command.ts')).setUpConduct,
  },
  record: {
    description: 'record the traffic of a client and an endpoint with a proxy, as a HAR file',
    example: 'record --target http://127.0.0.1:4010 --out traffic.har',
    load: async () => (await import('../record/command.ts')).setUpRecord,
  },
  rehearse: {
    description: 'run your own program under each scenario and grade it: exit 0 if it broke no rule',
    example: 'rehearse --scenario none,internal-error-once -- node client.js',
    load: async () => (await import('../rehearse/command.ts')).setUpRehearse,
  },
  mutate: {
    description:
      'run your own tests against broken mocks: which ones do they notice, and which correct ones do they refuse?',
    example: 'mutate --sample 40 -- npm test',
    load: async () => (await import('../mutate/command.ts')).setUpMutate,
  },
  replay: {
    description: 'send a recording (HAR) to an endpoint again: exit 0 if it answers as recorded',
    example: 'replay traffic.har http://127.0.0.1:4010',
    load: async () => (await import('../replay/command.ts')).setUpReplay,
  },
  'webhook-check': {
    description: 'grade a receiver of webhooks by its answers: exit 0 if it failed nothing that it must do',
    example: 'webhook-check http://127.0.0.1:3000/webhooks --secret whsec_test',
    load: async () => (await import('../webhooks/command.ts')).setUpWebhookCheck,
  },
  mcp: {
    description: 'serve coding agents over stdio (MCP): start mocks, rehearse a client, read why it failed',
    example: 'mcp --allow-run',
    load: async () => (await import('../mcp/command.ts')).setUpMcp,
  },
  scenarios: {
    description: 'list, show, validate and create scenarios',
    example: 'scenarios show internal-error-once',
    load: async () => (await import('../server/scenarios/command.ts')).setUpScenarios,
  },
  explain: {
    description: 'explain why a running mock answered a request as it did: each rule, condition, and the nearest miss',
    example: 'explain req_123456',
    load: async () => (await import('../server/scenarios/explainCommand.ts')).setUpExplain,
  },
  open: {
    description: 'read an incident (zip) or a recording (HAR) in a browser, like a live journal',
    example: 'open incident.zip',
    load: async () => (await import('../server/openCommand.ts')).setUpOpen,
  },
  report: {
    description: 'gather what a bug report needs of a running mock, without secrets, in a zip file',
    example: 'report http://127.0.0.1:4010',
    load: async () => (await import('../client/reportCommand.ts')).setUpReport,
  },
  health: {
    description: 'ask a server if it is up: exit 0 if it is, 1 if it answers with an error, 3 if it does not answer',
    example: 'health --wait 30s',
    load: async () => (await import('../server/healthCommand.ts')).setUpHealth,
  },
  config: {
    description: 'print the options that are set, and where each value comes from: variable, file or default',
    example: 'config serve',
    load: async () => setUpConfig(() => undefined),
  },
  completion: {
    description: 'print what a shell needs to complete commands and options: bash, zsh or fish',
    example: 'completion bash',
    load: async () => setUpCompletion,
  },
}

/** --json of each verb that has reporters. */
function addJson(command: Command): void {
  const reporter = command.options.find(({ long }) => long === '--reporter')
  if (reporter && !command.options.some(({ long }) => long === '--json')) command.addOption(new JsonOption(reporter))
  for (const below of command.commands) addJson(below)
}

class JsonOption extends Option {
  constructor({ parseArg }: Option) {
    super('--json', 'the same as --reporter json')
    this.preset('json')
    if (parseArg) this.argParser(parseArg)
  }

  override attributeName(): string {
    return 'reporter'
  }
}

/** The verbs that know of all others, which are loaded for them. */
const ofAllVerbs: ReadonlySet<string> = new Set(['completion', 'config'])

const setUpCompletion: VerbSetup = (verb, run) =>
  verb
    .addArgument(new Argument('<shell>', 'the shell').choices(shells))
    .addHelpText('after', `\n${Object.values(completionHint).join('\n')}`)
    .action(
      run(({ stdout }, shell: Shell): ExitCode => {
        stdout.write(completionScript(shell, verb.parent as Command))
        return 0
      }),
    )

/**
 * Runs the command with its arguments, without node and the script's name. Resolves with the exit code: 0 good, 1 failed,
 * 2 wrong usage, 3 unreachable. Rejects only for a bug.
 */
export async function main(argv: readonly string[], io: CommandIo): Promise<ExitCode> {
  let exitCode: ExitCode = 0
  let config: ConfigFile | undefined
  const run: RunAction =
    action =>
    async (...args) => {
      exitCode = await action(knowingMock(io, config), ...args)
    }
  const program = programFor(io)
  const asked = argv.find((word, i) => Object.hasOwn(verbs, word) && argv[i - 1] !== '--config')
  for (const [name, { description, example, load }] of Object.entries(verbs)) {
    const verb = program.command(name).description(description)
    if (name !== asked && !(asked !== undefined && ofAllVerbs.has(asked))) continue
    const setUp = name === 'config' ? setUpConfig(() => config) : await load()
    setUp(verb, run)
    addJson(verb)
    verb.addHelpText('after', `\nExample:\n  $ understudy ${example}`)
  }
  // Only here, so that no file is read, and none of its code run, for --help and the like.
  program.hook('preAction', async (_program, command) => {
    const [verb = ''] = pathOf(command)
    if (verb === 'completion') return
    const { config: given = io.env.UNDERSTUDY_CONFIG || undefined } = program.opts<{ config?: string | false }>()
    if (given === false) return
    config = await readConfigFile(
      given,
      Object.keys(verbs).filter(name => !ofAllVerbs.has(name)),
    )
    if (config && verb !== 'config') applyConfig(command, config, io.env)
  })
  try {
    await program.parseAsync(argv, { from: 'user' })
    return exitCode
  } catch (error) {
    return explain(error, commandIn(program, argv), io)
  }
}

/** The io of a verb that looks for the mock on this machine: where `serve` puts it, by the configuration file. */
function knowingMock(io: CommandIo, config: ConfigFile | undefined): CommandIo {
  if (config === undefined) return io
  const port = valueIn(config, 'serve', 'port', portOption)
  const adminToken = valueIn(config, 'serve', 'adminToken', adminTokenOption)
  const tlsCaOut = valueIn(config, 'serve', 'tlsCaOut', tlsFileOptions.ca)
  // Each of its tls options speaks TLS.
  const { serve = {} } = config.sections
  const tls = Object.entries(serve).some(
    ([name, value]) => name.startsWith('tls') && value !== false && value !== 'off',
  )
  // No copy: the io is asked for its signal only by a command that reads it.
  return Object.create(io, { mock: { value: { port, adminToken, tls, tlsCaOut } } })
}

function programFor({ stdout, stderr, env }: CommandIo): Command {
  const width = (stream: typeof stdout) => (stream.isTTY ? stream.columns || undefined : undefined) as number
  return new Command('understudy')
    .description('A mock server and contract test harness for a video-background-removal API.')
    .version(packageVersion, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .option(
      '--config <file>',
      'configuration file (default: understudy.config.json, .yaml or .ts in this folder; UNDERSTUDY_CONFIG)',
    )
    .option('--no-config', 'read no configuration file')
    .addHelpText('after', '\nExit: 0 good, 1 what was asked for failed, 2 wrong usage, 3 nobody answers at the target.')
    .configureHelp({ showGlobalOptions: true })
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({
      writeOut: text => void stdout.write(text),
      writeErr: text => void stderr.write(text),
      outputError: () => {}, // explain() writes it, in one line.
      getOutHelpWidth: () => width(stdout),
      getErrHelpWidth: () => width(stderr),
      getOutHasColors: () => hasColor(stdout, env),
      getErrHasColors: () => hasColor(stderr, env),
    })
}

/** The command that the arguments lead to, such as `drill export k6 burst`. */
function commandIn(program: Command, argv: readonly string[]): Command {
  let command = program
  for (const word of argv) {
    const next = command.commands.find(one => one.name() === word)
    if (next === undefined) break
    command = next
  }
  return command
}

/** One clear line on stderr, and the exit code. */
function explain(error: unknown, command: Command, { stderr }: CommandIo): ExitCode {
  if (error instanceof CommanderError) {
    if (error.exitCode === 0) return 0
    // A verb of verbs without one: its help is on stderr already.
    if (error.code !== 'commander.help')
      writeLine(
        stderr,
        `understudy: ${usageError(error, command)}; see ${['understudy', ...pathOf(command)].join(' ')} --help`,
      )
    return 2
  }
  if (isOfFile(error)) {
    writeLine(stderr, `understudy: ${error.message}`)
    return 2
  }
  if (!(error instanceof ConfigError || error instanceof TargetError)) throw error
  writeLine(stderr, `understudy: ${error.message}`)
  return error instanceof ConfigError ? 2 : 3
}

/** A file that can't be written or read, as in a folder that is read-only: no bug, whoever met it. */
const isOfFile = (error: unknown): error is NodeJS.ErrnoException =>
  error instanceof Error && 'syscall' in error && 'path' in error

function usageError(error: CommanderError, command: Command): string {
  const [line = '', hint = ''] = error.message.replace(/^error: /, '').split('\n')
  const flag = /^unknown option '(--[\w-]+)/.exec(line)?.[1] ?? ''
  const newFlag = renamedFlag(flag)
  if (command.options.some(({ long }) => long === newFlag)) return `${flag} is now called ${newFlag}`
  return `${line}${hint && ` ${hint}`}`
}
