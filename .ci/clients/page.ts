/** docs/clients.md, from what was measured. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type Library, libraries, type Registry } from './libraries.ts'
import type { Measurements, Row } from './main.ts'
import type { BrokenRule, Measured, SeenRun, SettingsName } from './measure.ts'
import { type SituationName, situationNames, watchedMs } from './situations.ts'

const endings: Record<Registry, string> = {
  npm: '.mjs',
  pypi: '.py',
  go: '/main.go',
  crates: '.rs',
  maven: '.java',
  system: '.sh',
}
const languages: Record<Registry, string> = {
  npm: 'js',
  pypi: 'py',
  go: 'go',
  crates: 'rust',
  maven: 'java',
  system: 'sh',
}
const registryNames: Record<Registry, string> = {
  npm: 'npm',
  pypi: 'Python',
  go: 'Go',
  crates: 'Rust',
  maven: 'Java',
  system: 'curl and wget',
}
const watched = `${watchedMs / 1000} s`

const sourceOf = ({ registry, program }: Library): string =>
  readFileSync(
    join(import.meta.dirname, registry === 'crates' ? 'crates/src/bin' : registry, program + endings[registry]),
    'utf8',
  )

/** The settings that are tried beside the defaults, as they stand in the program; undefined where there are none. */
function carefulSettings(library: Library): string | undefined {
  const shared =
    library.packages.undici === undefined
      ? ''
      : readFileSync(join(import.meta.dirname, 'npm/undiciSettings.mjs'), 'utf8')
  const [, marked] = /<careful>\n([\s\S]*?)\n[^\n]*<\/careful>/.exec(shared + sourceOf(library)) ?? []
  if (marked === undefined) return undefined
  const lines = marked.split('\n')
  const indent = Math.min(...lines.filter(line => line.trim() !== '').map(line => /^\s*/.exec(line)?.[0].length ?? 0))
  return lines.map(line => line.slice(indent)).join('\n')
}

export const hasCareful = (library: Library): boolean => carefulSettings(library) !== undefined

const situationTexts: Record<SituationName, string> = {
  get503: 'GET, 503',
  get503After: 'GET, 503 with 3 s',
  get429Seconds: 'GET, 429 with 3 s',
  get429Date: 'GET, 429 with a date',
  get429Zero: 'GET, 429 with 0',
  get429Past: 'GET, 429 with a date gone by',
  get429Day: 'GET, 429 with a day',
  get503Day: 'GET, 503 with a day',
  post429: 'POST, 429',
  post500: 'POST, 500',
  postReset: 'POST, reset',
  postTimeout: 'POST, time-out',
  postSilence: 'POST, silence',
  post402: 'POST, 402',
  post400: 'POST, 400',
}

const seconds = (value: number): string => value.toFixed(1).replace(/\.0$/, '')
const first = (runs: readonly SeenRun[]): SeenRun => runs[0] as SeenRun
const median = (values: readonly number[]): number => [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0

/** Each wait in turn, over all runs. */
function waitsOf(runs: readonly SeenRun[]): { low: number; high: number; middle: number }[] {
  const length = Math.max(...runs.map(({ waits }) => waits.length))
  return Array.from({ length }, (_, i) => {
    const all = runs.flatMap(({ waits }) => waits[i] ?? [])
    return { low: Math.min(...all), high: Math.max(...all), middle: median(all) }
  })
}

const atOnce = 0.1
function waitsText(runs: readonly SeenRun[]): string {
  const waits = waitsOf(runs)
  if (waits.length === 0) return '–'
  if (waits.every(({ middle }) => middle < atOnce)) return '**0**'
  const shown = waits.slice(0, 6).map(({ low, high }) => {
    const [from, to] = [seconds(low), seconds(high)]
    return from === to ? from : `${from}–${to}`
  })
  return `${shown.join(', ')}${waits.length > 6 ? ', …' : ''}`
}

/** The first wait has the noise of a cold start; what the later ones differ by over several runs is jitter. */
function jitterText(runs: readonly SeenRun[]): string {
  const later = waitsOf(runs).slice(1)
  if (later.length === 0) return '–'
  const parts = later.map(({ low, high }) => (high - low >= 0.12 && high > low * 1.05 ? (high - low) / high : 0))
  const widest = Math.max(...parts)
  return widest === 0 ? 'none' : `${Math.round(widest * 100)} %`
}

const triesText = ({ tries, isStopped }: SeenRun): string =>
  isStopped && tries > 1 ? `${tries}, going on` : String(tries)

/** What it did where the answer asked for a wait, and the next would have been good. */
function askedText(run: SeenRun, asked: number): string {
  const [wait] = run.waits
  if (wait === undefined) return run.isStopped ? `still waits at ${watched}` : 'not tried again'
  // The mock's own clock has noise while programs start.
  if (wait >= asked * 0.9) return 'waits'
  return `**comes back after ${wait < atOnce ? '0' : seconds(wait)} s**`
}

/** Who reads no hint may wait long enough by chance. */
function post429Text({ post429, get429Seconds }: Measured): string {
  const text = askedText(first(post429), 2)
  const isHeeded = askedText(first(get429Seconds), 3) === 'waits'
  return text === 'waits' && first(get429Seconds).tries > 1 && !isHeeded
    ? `${seconds(first(post429).waits[0] ?? 0)} s, by chance`
    : text
}

/** No wait is asked for: at once is right, and so is one's own wait. */
function nothingAskedText({ tries, waits }: SeenRun): string {
  if (tries === 1) return 'not tried again'
  return waits.every(wait => wait < 0.25) ? 'at once' : `${waits.map(seconds).join(', ')} s`
}

function dayText({ get429Day, get429Seconds }: Measured): string {
  const run = first(get429Day)
  if (first(get429Seconds).tries === 1 && run.tries === 1) return 'not tried again'
  if (run.tries === 1) return run.isStopped ? `still waits at ${watched}` : 'gives up'
  return `**comes back after ${seconds(run.waits[0] ?? 0)} s**`
}

/** A POST whose work may have been done: the tries, and the jobs that they made. */
function postText(run: SeenRun): string {
  if (run.tries === 1) return '1'
  const made = run.jobs > 1 ? `**${triesText(run)}: ${run.jobs} jobs**` : triesText(run)
  return run.keys === 'same' && run.jobs === 1 ? `${made}: 1 job` : made
}

const silenceText = (run: SeenRun): string =>
  run.isStopped && run.tries === 1
    ? `none in ${watched}`
    : `${Math.round(run.isStopped ? Math.min(...run.waits) : run.inCall)} s${run.tries > 1 ? ', and again' : ''}`

/** How its caller learns of the end, without addresses that change. */
function saidText({ said, isStopped }: SeenRun): string {
  if (isStopped) return `no end in ${watched}`
  const text = said
    .replace(/https?:\/\/[^\s"']+/g, 'URL')
    .replace(/^(answer|error) /, '')
    .replace(/\d{4}-\d\d-\d\d [\d:]+ /, '')
    .replaceAll('`', "'")
  if (said.startsWith('answer')) return `the answer, ${text}`
  const [outermost = ''] = text.split(' <- ')
  return `\`${outermost.length > 50 ? `${outermost.slice(0, 50)}…` : outermost}\``.replaceAll('|', '\\|')
}

/** Each rule once, with the situations that it was broken in. */
function brokenIn(measured: Measured): { rule: BrokenRule; where: SituationName[] }[] {
  const found = new Map<string, { rule: BrokenRule; where: Set<SituationName> }>()
  for (const name of situationNames)
    for (const run of measured[name])
      for (const rule of run.broken) {
        const one = found.get(rule.id) ?? { rule, where: new Set() }
        found.set(rule.id, one)
        one.where.add(name)
      }
  return [...found.values()].map(({ rule, where }) => ({ rule, where: [...where] }))
}

const keptIn = (measured: Measured): string[] => {
  const broken = new Set(brokenIn(measured).map(({ rule }) => rule.id))
  const kept = new Set(situationNames.flatMap(name => measured[name].flatMap(run => run.kept)))
  return [...kept].filter(id => !broken.has(id) && !id.startsWith('secrets.'))
}

function rulesText(measured: Measured, level: string): string {
  const own = brokenIn(measured).filter(({ rule }) => rule.level === level)
  return own.length === 0 ? 'none' : own.map(({ rule }) => `\`${rule.id}\``).join(' ')
}

interface Line {
  library: Library
  row: Row
  settings: SettingsName
  measured: Measured
}

function linesOf(found: Measurements, kind: Library['kind']): Line[] {
  return libraries
    .filter(one => one.kind === kind)
    .flatMap(library => {
      const row = found.rows[library.name]
      if (row === undefined) return []
      const plain: Line = { library, row, settings: 'default', measured: row.default }
      return row.careful === undefined ? [plain] : [plain, { ...plain, settings: 'careful', measured: row.careful }]
    })
}

/** As GitHub and the site make it of a heading. */
const anchor = (name: string): string =>
  name
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')

const nameText = ({ library, row, settings }: Line): string =>
  settings === 'default'
    ? `[${library.name}](${library.docs}) ${row.version}`
    : `↳ [with settings](#${anchor(library.name)})`

type Column = readonly [heading: string, cell: (measured: Measured) => string]

const columns = {
  waits: [
    ['tries', m => triesText(first(m.get503))],
    ['waits, s', m => waitsText(m.get503)],
    ['jitter', m => jitterText(m.get503)],
    ['429, 3 s', m => askedText(first(m.get429Seconds), 3)],
    ['503, 3 s', m => askedText(first(m.get503After), 3)],
    ['a date in 4 s', m => askedText(first(m.get429Date), 4)],
    ['0', m => nothingAskedText(first(m.get429Zero))],
    ['a date gone by', m => nothingAskedText(first(m.get429Past))],
    ['a day', dayText],
    ['its caller gets', m => saidText(first(m.get503))],
  ],
  posts: [
    ['429, 2 s', post429Text],
    ['500', m => postText(first(m.post500))],
    ['reset', m => postText(first(m.postReset))],
    ['time-out of 2 s', m => postText(first(m.postTimeout))],
    ['402', m => triesText(first(m.post402))],
    ['400', m => triesText(first(m.post400))],
    ['its own time-out', m => silenceText(first(m.postSilence))],
  ],
  rules: [
    ['*must* broken', m => rulesText(m, 'must')],
    ['*should* broken', m => rulesText(m, 'should')],
    ['kept', m => String(keptIn(m).length)],
  ],
} as const satisfies Record<string, readonly Column[]>

function table(lines: readonly Line[], own: readonly Column[]): string {
  const rows = lines.map(line => [nameText(line), ...own.map(([, cell]) => cell(line.measured))])
  const head = ['library', ...own.map(([heading]) => heading)]
  return [head, head.map(() => '---'), ...rows].map(cells => `| ${cells.join(' | ')} |`).join('\n')
}

function settingsSection({ library, row }: Line): string {
  const code = carefulSettings(library)
  if (code === undefined || row.careful === undefined) return ''
  const broken = brokenIn(row.careful)
  const must = broken.filter(({ rule }) => rule.level === 'must')
  const verdict =
    must.length === 0
      ? 'Keeps every *must* rule.'
      : `Still breaks ${must.map(({ rule, where }) => `\`${rule.id}\` (${rule.said}; ${where.map(name => situationTexts[name]).join('; ')})`).join(', ')}.`
  return `### ${library.name}\n\n${verdict}\n\n\`\`\`${languages[library.registry]} norun\n${code}\n\`\`\`\n`
}

export function clientsPage(found: Measurements): string {
  const aware = linesOf(found, 'http')
  const wrapping = linesOf(found, 'any')
  const defaults = [...aware, ...wrapping].filter(({ settings }) => settings === 'default')
  const dates = [...new Set(defaults.map(({ row }) => row.date))].sort()
  const toolchains = [...new Set(defaults.map(({ row }) => row.toolchain))].filter(Boolean)
  const count = (is: (measured: Measured) => boolean): number => defaults.filter(line => is(line.measured)).length
  const total = defaults.length
  const doubles = count(m => [m.post500, m.postReset, m.postTimeout].some(runs => first(runs).jobs > 1))
  const early = count(m => {
    const { waits } = first(m.get429Seconds)
    return waits[0] !== undefined && waits[0] < 2.7
  })
  const sleeps = count(m => first(m.get429Day).tries === 1 && first(m.get429Day).isStopped)
  const returns = count(m => first(m.get429Day).tries > 1)
  const patient = count(m => first(m.postSilence).isStopped && first(m.postSilence).tries === 1)
  const steady = count(m => jitterText(m.get503) === 'none' || waitsText(m.get503) === '**0**')
  const retried = count(m => first(m.get503).tries > 1)
  const pays = count(m => first(m.post402).tries > 1)
  const missing = Object.entries(found.missing) as [Registry, string][]
  return `<!-- Made by \`npm run clients\`: change .ci/clients/, not this file. -->

# What ${total} libraries do by default

*For everybody who chooses what sends their requests, or believes that it waits.*

Real runs of real libraries, each in the first example of its own readme (its retry switched on where that is off), against a mock
that fails in one way at a time. The waits are read from the mock's journal, not from what the library says of itself. Of ${total}:

- ${doubles} send a POST again that may have been carried out, without an \`Idempotency-Key\`: **one order, several jobs**.
- ${early} come back before \`Retry-After: 3\` is over.
- Asked to wait a day, ${sleeps} sleep for it without a word, and ${returns} come back early.
- ${steady} of the ${retried} that try a failed GET again have no jitter.
- ${pays} send again what was refused for want of credits (402).
- ${patient} have no time-out of their own in ${watched}.

Measured ${dates.length === 1 ? `on ${dates[0]}` : `from ${dates[0]} to ${dates.at(-1)}`}${toolchains.length === 0 ? '' : ` on ${toolchains.join(', ')}`}, on a
machine with two busy cores: a wait has up to 0.2 s of noise, the first of a program up to 0.4 s. A program was stopped after ${watched}.

\`\`\`console norun
$ npm run clients
$ npm run clients -- got
\`\`\`

The first makes the whole page again in some ten minutes, the second one row. The programs lie in \`.ci/clients/\`, one small file each.

## Waits

A GET that is always answered 503, four times over; then a GET that is limited once, with the \`Retry-After\` that the column names.
*waits* is right. Where the hint is 0 or gone by, *at once* is right too.

### Those that know HTTP

${table(aware, columns.waits)}

### Those that run any function again

They know no status and no header: all of it is up to the function that they are given. Here it throws on every status that is not 2xx.

${table(wrapping, columns.waits)}

## What a POST may cost

A \`POST /v1/jobs\`: after 500, a reset and a time-out the job was made all the same, and only its answer is lost. Tries; and how many
jobs there were in the end, where it was more than one. *402* and *400* are refusals: more than one try is of no use.

${table(aware, columns.posts)}

${table(wrapping, columns.posts)}

## Rules kept and broken

What [conduct](conduct/overview.md) says of all these runs together; the [rules](reference/rules.md) are ours, from the documentation of
one API. A failed POST that is left to its caller breaks none; a 429 that nobody tries again breaks \`errors.retried\`.

${table(aware, columns.rules)}

${table(wrapping, columns.rules)}

## Settings that keep the rules

Tried like the defaults: the rows *with settings*. All send one \`Idempotency-Key\` for one order. \`longest\` is 60 s, \`backoff(n)\` draws
1 to 2 s, 2 to 4 s, 4 to 8 s, then 8 to 16 s, and \`retryAfter(headers)\` reads seconds and dates, in ms; Python has them in seconds.

${[...aware, ...wrapping]
  .filter(({ settings }) => settings === 'default')
  .map(settingsSection)
  .filter(Boolean)
  .join('\n')}
## What was run

| library | version | in the example |
| --- | --- | --- |
${defaults
  .map(
    ({ library, row }) =>
      `| ${library.name} | ${
        Object.entries(library.packages)
          .map(([name, version]) => `${name} ${version}`)
          .join(', ') || row.version
      } | ${library.example} |`,
  )
  .join('\n')}
${missing.length === 0 ? '' : `\nNot measured: ${missing.map(([registry, why]) => `${registryNames[registry]} (${why})`).join(', ')}.\n`}
Next: [Conduct](conduct/overview.md) · [Faults and clients](faults.md) · [Rules of conduct](reference/rules.md)
`
}
