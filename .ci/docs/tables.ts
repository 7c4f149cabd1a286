/** The tables of README and docs, and the schemas that ship, as the code has them now. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { withoutTypeUnions } from '../../base/jsonSchema.ts'
import { flagOf, type OptionRow, variableOf } from '../../base/options.ts'
import { packageRoot } from '../../base/paths.ts'
import { bugReportOptions } from '../../client/reportOptions.ts'
import { webhookFaults } from '../../client/scenarioFormat.ts'
import { ruleTable } from '../../conduct/grade.ts'
import { conductOptions } from '../../conduct/options.ts'
import { ConductReport, conductSchemaId } from '../../conduct/report.ts'
import { type Clause, clauses } from '../../contracts/clauses.ts'
import { errorRows } from '../../contracts/openapi.ts'
import { operations } from '../../contracts/operations.ts'
import { commonOptions } from '../../drills/named/drill.ts'
import { drills } from '../../drills/named/index.ts'
import { type DrillOptionName, defaultText, drillOptions } from '../../drills/options.ts'
import { DrillReport, drillReportSchemaId } from '../../drills/report.ts'
import { drillReporterHelp } from '../../drills/reporters/names.ts'
import { metrics } from '../../drills/thresholds.ts'
import { mcpOptions } from '../../mcp/options.ts'
import { tools } from '../../mcp/tools/index.ts'
import { catalogue } from '../../mutate/catalogue.ts'
import { mutateOptions } from '../../mutate/options.ts'
import { MutationReport, mutationSchemaId } from '../../mutate/report.ts'
import { recordOptions } from '../../record/options.ts'
import { rehearseOptions } from '../../rehearse/options.ts'
import { Rehearsal, rehearsalSchemaId } from '../../rehearse/report.ts'
import { replayOptions } from '../../replay/options.ts'
import { ReplayReport, replaySchemaId } from '../../replay/report.ts'
import { reporterHelp } from '../../reports/names.ts'
import { options } from '../../server/config.ts'
import { type ControlRoute, controlRoutes } from '../../server/docs/controlRoutes.ts'
import { faults } from '../../server/faults/index.ts'
import { editorSchema } from '../../server/scenarios/format.ts'
import { Library, shippedFolder } from '../../server/scenarios/library.ts'
import { testKeyPrefix, testKeys, testVideos } from '../../server/testValues.ts'
import { checks } from '../../suite/checks/index.ts'
import { checkOptions } from '../../suite/options.ts'
import { Report, reportSchemaId } from '../../suite/report.ts'
import { receiverChecks } from '../../webhooks/checks.ts'
import { receiverOptions } from '../../webhooks/options.ts'
import { ReceiverReport, receiverSchemaId } from '../../webhooks/report.ts'
import { membersOf } from './api.ts'

const tables: Record<string, () => string> = {
  options: () => optionTable(options),
  keys: () =>
    table(
      ['key', 'what it does'],
      [
        [`\`${testKeyPrefix}…\``, 'valid; a world of its own on first use'],
        ...testKeys.map(({ prefix, effect }) => [`\`${prefix}…\``, effect]),
        [
          `\`${testKeyPrefix}<scenario>__…\``,
          'plays that [scenario](scenarios.md); 400 where there is none of that name',
        ],
        ['any other', '401 `invalid_api_key`'],
      ],
    ),
  videos: () =>
    table(
      ['video', 'what it does'],
      testVideos.map(({ name, effect }) => [`\`…/${name}.mp4\``, effect]),
    ),
  scenarios: () =>
    table(
      ['scenario', 'what it is for', 'clauses'],
      new Library(undefined)
        .list()
        .map(({ name, scenario }) => [
          `[\`${name}\`](../../scenarios/${name}.yaml)`,
          scenario?.description ?? '',
          scenario?.clauses.join(' ') ?? '',
        ]),
    ),
  faults: () =>
    table(
      ['fault', 'what the client meets', 'parameters'],
      Object.entries(faults).map(([name, { summary, params }]) => [
        `\`${name}\``,
        summary,
        Object.entries(params)
          .map(([param, schema]) => `\`${param}\` (${defaultOf(schema)})`)
          .join(', '),
      ]),
    ),
  webhookFaults: () =>
    table(
      ['webhook', 'what is wrong with it'],
      Object.entries(webhookFaults).map(([name, what]) => [`\`${name}\``, what]),
    ),
  checkOptions: () => optionTable(checkOptions, 'check'),
  conductOptions: () => optionTable(conductOptions, 'conduct'),
  rehearseOptions: () => optionTable(rehearseOptions, 'rehearse'),
  mutateOptions: () => optionTable(mutateOptions, 'mutate'),
  mutants: () =>
    table(
      ['mutant', 'clause', 'level', 'what is wrong'],
      catalogue
        .filter(({ kind }) => kind === 'mutant')
        .map(({ id, clause, severity, loses, what }) => [
          `\`${id}\``,
          clause,
          loses === undefined ? String(severity) : `${severity}: ${loses}`,
          cell(what),
        ]),
    ),
  variants: () =>
    table(
      ['variant', 'granted by', 'what is different'],
      catalogue
        .filter(({ kind }) => kind === 'variant')
        .map(({ id, clause, what }) => [`\`${id}\``, clause, cell(what)]),
    ),
  receiverOptions: () => optionTable(receiverOptions, 'webhook-check'),
  mcpOptions: () => optionTable(mcpOptions, 'mcp'),
  agentTools: () =>
    table(
      ['tool', 'what it answers'],
      tools.map(({ name, title, description }) => [`\`${name}\``, `**${title}** ${cell(description)}`]),
    ),
  receiverChecks: () =>
    table(
      ['check', 'level', 'clauses', 'what a receiver does'],
      receiverChecks.map(({ id, level, clauses, title }) => [`\`${id}\``, level, clauses.join(' '), title]),
    ),
  reportOptions: () => optionTable(bugReportOptions, 'report'),
  recordOptions: () => optionTable(recordOptions, 'record'),
  replayOptions: () => optionTable(replayOptions, 'replay'),
  rules: () =>
    table(
      ['rule', 'level', 'since', 'what a good client does', 'clauses', 'provoked by'],
      ruleTable().map(({ id, level, since, title, clauses, provoke }) => [
        `\`${id}\``,
        level,
        since,
        title,
        clauses.join(' '),
        provoke.map(name => `\`${name}\``).join(' '),
      ]),
    ),
  checks: () =>
    table(
      ['check', 'the sentence that it tries', 'clauses'],
      checks.map(({ id, title, clauses, costs }) => [`\`${id}\`${costs ? ' *' : ''}`, title, clauses.join(' ')]),
    ),
  reporters: () =>
    table(
      ['reporter', 'what it is'],
      Object.entries(reporterHelp).map(([name, text]) => [`\`${name}\``, text]),
    ),
  drills: () =>
    table(
      ['drill', 'what it tries', 'has to hold, unless you say otherwise'],
      Object.entries(drills).map(([name, { title, thresholds }]) => [
        `\`${name}\``,
        title,
        thresholds.map(text => `\`${text}\``).join(' '),
      ]),
    ),
  drillOptions: () =>
    table(
      ['flag', 'default', 'taken by', 'what it is'],
      (Object.entries(drillOptions) as [DrillOptionName, OptionRow][]).map(([name, row]) => [
        `\`${[flagOf(name), row.argument.replaceAll('|', '\\|')].join(' ').trim()}\``,
        drillDefaultsOf(name, row),
        (commonOptions as readonly string[]).includes(name) ? 'all' : takersOf(name).join(' '),
        row.description,
      ]),
    ),
  metrics: () =>
    table(
      ['metric', 'in', 'what it is', 'found by'],
      Object.entries<{ unit: string; help: string; ofCall?: true; drills?: readonly string[] }>(metrics).map(
        ([name, { unit, help, ofCall, drills: found }]) => [
          `\`${name}\``,
          unit === '' ? 'count' : unit,
          `${help}${ofCall ? '; of one call as well' : ''}`,
          found?.join(' ') ?? 'all',
        ],
      ),
    ),
  drillReporters: () =>
    table(
      ['reporter', 'what it is'],
      Object.entries(drillReporterHelp).map(([name, text]) => [`\`${name}\``, text]),
    ),
  clauses: () =>
    table(
      ['clause', 'level', 'the documented sentence', 'what the mock does where it is open'],
      Object.entries<Clause>(clauses).map(([id, { level, text, open }]) => [id, level, cell(text), cell(open ?? '')]),
    ),
  errors: () =>
    table(
      ['case', 'status', 'code', 'message', 'what to do', 'clauses'],
      errorRows().map(({ name, status, code, message, whatToDo, clauses: ids }) => [
        `\`${name}\``,
        String(status),
        `\`${code}\``,
        cell(message),
        cell(whatToDo),
        ids.join(' '),
      ]),
    ),
  exitCodes: () =>
    table(
      ['exit code', 'what it means'],
      [
        ['0', 'all is well'],
        ['1', 'the check failed: a clause, a rule, a threshold or a recorded answer'],
        ['2', 'wrong usage: an option, a file or a combination; one line on stderr says what to do'],
        ['3', 'nobody answers at the target'],
        ['130', 'ended by a second Ctrl-C'],
      ],
    ),
  controlScenarios: () => controlTable('scenarios'),
  controlState: () => controlTable('state'),
  controlJournal: () => controlTable('journal'),
  controlMock: () => controlTable('mock'),
  routes: () =>
    table(
      ['route', 'what it does', 'clauses'],
      Object.values(operations).map(({ method, path, summary, clauses }) => [
        `\`${method} ${path}\``,
        summary,
        clauses.join(' '),
      ]),
    ),
}

/** The public interfaces that have a table, and where they are declared. */
const interfaces: Record<string, string> = {
  MockOptions: 'server/config.ts',
  ConnectOptions: 'client/connect.ts',
  ...Object.fromEntries(
    [
      'RunningMock',
      'MockJournal',
      'MockClock',
      'ScenarioHandle',
      'JournalFilter',
      'WaitOptions',
      'WorldSelector',
      'KeyChange',
      'JobChange',
      'ConductOptions',
    ].map(name => [name, 'client/mock.ts']),
  ),
  Understudy: 'runners/fixture.ts',
  FixtureOptions: 'runners/fixture.ts',
}

for (const [name, file] of Object.entries(interfaces)) tables[name] = () => apiTable(file, name)

/** What a caller passes has a type and, where the code has a table of them, a default; what a mock has is called or read. */
function apiTable(file: string, name: string): string {
  const code = (text: string) => `\`${text.replaceAll('|', '\\|')}\``
  const members = membersOf(file, name)
  if (name === 'MockOptions')
    return table(
      ['option', 'type', 'default', 'what it is'],
      members.map(({ name: option, type, text }) => [
        code(option),
        code(type),
        option === 'port' ? 'a free one' : option === 'logLevel' ? 'silent' : defaultOfOption(option),
        cell(text),
      ]),
    )
  const isCalled = members.some(({ signature }) => signature.includes('('))
  return table(
    isCalled ? ['member', 'gives', 'what it is'] : ['field', 'type', 'what it is'],
    members.map(({ signature, type, text }) => [code(signature), code(type), cell(text)]),
  )
}

function defaultOfOption(name: string): string {
  const { defaultText, default: byDefault }: OptionRow = options[name as keyof typeof options]
  return defaultText ?? String(byDefault())
}

const optionTable = (rows: Readonly<Record<string, OptionRow>>, verb?: string): string =>
  table(
    ['flag', 'variable', 'default', 'what it is'],
    Object.entries(rows).map(([name, { argument, description, defaultText, default: byDefault }]) => [
      `\`${[flagOf(name), argument.replaceAll('|', '\\|')].join(' ').trim()}\``,
      `\`${variableOf(name, verb)}\``,
      defaultText ?? String(byDefault()),
      description,
    ]),
  )

/** For docs/reference/control-api.md. */
const controlTable = (group: ControlRoute['group']): string =>
  table(
    ['call', 'what it does'],
    controlRoutes
      .filter(route => route.group === group)
      .map(({ method, path, what, more, body, query = [] }) => [
        // What a journal can be filtered by has a table of its own.
        `\`${method} ${path}${query.length > 0 && query.length < 4 ? `?${query.map(name => `${name}=`).join('&')}` : ''}\``,
        [
          cell(what),
          ...(body !== undefined && Object.keys(body).length > 0 ? [`: \`${JSON.stringify(body)}\``] : []),
          ...(more === undefined ? [] : [` ([more](../${more}))`]),
        ].join(''),
      ]),
  )

const takersOf = (name: DrillOptionName): string[] =>
  Object.entries(drills).flatMap(([drill, { takes }]) => (takes.includes(name) ? [drill] : []))

/** Where drills differ, each with its own. */
function drillDefaultsOf(name: DrillOptionName, row: OptionRow): string {
  const own = Object.entries(drills).flatMap(([drill, { defaults }]) =>
    defaults[name] === undefined ? [] : [[drill, defaultText(name, defaults, row)] as const],
  )
  const [first] = own
  if (first === undefined) return defaultText(name, {}, row)
  return own.every(([, text]) => text === first[1])
    ? first[1]
    : own.map(([drill, text]) => `${drill} ${text}`).join(', ')
}

/** What a fault's parameter is when it is left out. */
const defaultOf = (schema: unknown): string => {
  const { default: byDefault, description = '' } = schema as { default?: unknown; description?: string }
  return byDefault === undefined ? (/; (.*) by default/.exec(description)?.[1] ?? '') : String(byDefault)
}

/** Text that may stand in a table. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('<', '&lt;')

const table = (head: string[], rows: string[][]): string =>
  [head, head.map(() => '---'), ...rows].map(row => `| ${row.join(' | ')} |`).join('\n')

/** A page with its tables as the code has them now. Throws for a table that nobody knows. */
export const withTables = (page: string): string =>
  page.replace(/(<!-- table (\w+) -->\n)[\s\S]*?<!-- end -->/g, (_, before: string, name: string) => {
    const make = tables[name]
    if (make === undefined)
      throw new Error(`there is no table ${name}; expected one of ${Object.keys(tables).join(', ')}`)
    return `${before}${make()}\n<!-- end -->`
  })

/** The schemas of what is written for others to read: the room that each lies in, its id, and what it says. */
const published = [
  ['suite', reportSchemaId, Report],
  ['conduct', conductSchemaId, ConductReport],
  ['rehearse', rehearsalSchemaId, Rehearsal],
  ['mutate', mutationSchemaId, MutationReport],
  ['replay', replaySchemaId, ReplayReport],
  ['webhooks', receiverSchemaId, ReceiverReport],
  ['drills', drillReportSchemaId, DrillReport],
] as const

/** Each file, and what it has to hold. */
export const schemaFiles = (): { path: string; text: string }[] => [
  { path: join(packageRoot, 'llms.txt'), text: llmsText() },
  { path: join(skillFolder, 'rules.md'), text: rulesReference() },
  { path: join(skillFolder, 'scenarios.md'), text: scenariosReference() },
  { path: join(skillFolder, 'places.md'), text: placesReference() },
  { path: join(shippedFolder, 'scenario.schema.json'), text: schemaText(editorSchema()) },
  ...published.map(([room, id, schema]) => ({
    path: join(packageRoot, room, 'report.schema.json'),
    text: schemaText({ $id: id, ...schema }),
  })),
]

const schemaText = (schema: object): string =>
  `${JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...(withoutTypeUnions(schema) as object) }, null, 2)}\n`

/** What the skill for agents refers to: made from the same tables as the docs. */
const skillFolder = join(packageRoot, 'skills', 'understudy', 'references')

const rulesReference = (): string =>
  ruleTable().reduce(
    (page, { id, title, clauses: ids, advice, provoke }) =>
      `${page}\n## ${id}\n\n${title} (${ids.join(' ')}).\n\n${advice}\n\nProvoked by: ${provoke.join(', ') || 'any call'}\n`,
    '# What each rule of conduct asks for\n',
  )

const scenariosReference = (): string =>
  `# Scenarios that ship\n\n${new Library(undefined)
    .list()
    .map(({ name, scenario }) => `- \`${name}\`: ${scenario?.description ?? ''}`)
    .join('\n')}\n`

/** Vitest, CI, containers and so on, each with its line, as the map of the docs has them. */
function placesReference(): string {
  const map = readFileSync(join(packageRoot, 'docs', 'README.md'), 'utf8')
  const [, rows] = /^## Where you are already\n\n([\s\S]*?)\n\n##/m.exec(map) ?? []
  if (rows === undefined) throw new Error('docs/README.md has no section "Where you are already"')
  // No links: a copy of the skill lies elsewhere.
  const linked = rows.replace(/\[([^\]]+)\]\(([^)]+)\)/g, '$1 (`$2`)')
  return `# One line in each place\n\nThe page in brackets has more; it lies in \`node_modules/understudy-mock/docs/\`.\n\n${linked}\n`
}

/** llms.txt: every page that docs/README.md names, in its groups, with what it says of itself. */
function llmsText(): string {
  const map = readFileSync(join(packageRoot, 'docs', 'README.md'), 'utf8').replace(/^Next:.*$/m, '')
  const groups = map
    .split(/^## /m)
    .slice(1)
    .map(section => {
      const links = [...section.matchAll(/\[([^\]]+)\]\(([^)\s]+\.md)\)(?: \| ([^|\n]+) \|)?/g)]
      const lines = links.map(
        ([, title = '', page = '', said]) => `- [${title}](docs/${page})${said ? `: ${said}` : ''}`,
      )
      return `## ${section.split('\n', 1)[0]}\n\n${lines.join('\n')}`
    })
  const { name, description } = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8'))
  return `# Understudy\n\n> ${description} (npm package ${name}).\n\nAn agent that speaks MCP has its tools by \`npx -y ${name} mcp\`: [Coding agents](docs/guides/agents.md).\n\n${groups.join('\n\n')}\n`
}
