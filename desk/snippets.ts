/** A call as lines for a shell, a program, a recording, a test or a scenario. Its key is not in the journal: test_key stands for it. */
import type { ScenarioDraftAnswer } from '../client/desk.ts'
import type { ExchangeEntry } from '../client/mock.ts'
import { ask, query } from './api.ts'

interface Snippet {
  label: string
  make(entry: ExchangeEntry, isLive: boolean): Promise<string>
}

const base = (): string => new URL('..', document.baseURI).href.replace(/\/$/, '')
const urlOf = ({ url }: ExchangeEntry): string => (/^https?:/.test(url) ? url : base() + url)

/** Those that a client chooses; the rest, its library makes anew. */
const own =
  /^(x-api-key|content-type|idempotency-key|accept|traceparent|x-mock-.*|x-webhook-.*|x-request-id|authorization)$/
const headersOf = ({ request, upload }: ExchangeEntry): [string, string][] =>
  Object.entries(request.headers)
    .filter(([name]) => own.test(name) && !(upload && name === 'content-type'))
    .map(([name, value]) => [name, value === '[redacted]' ? 'test_key' : value])

const bodyOf = ({ request: { body } }: ExchangeEntry): string | undefined =>
  body === undefined ? undefined : typeof body === 'string' ? body : JSON.stringify(body)

/** For sh: whatever is in it stays a text. */
const quoted = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`
const js = (value: unknown): string => JSON.stringify(value, null, 2)
/** A JSON text is a Python one too, but for these. */
const py = (value: unknown): string => JSON.stringify(value)

const curl = (entry: ExchangeEntry): string => {
  const body = bodyOf(entry)
  return [
    `curl -i -X ${quoted(entry.method)} ${quoted(urlOf(entry))}`,
    ...headersOf(entry).map(([name, value]) => `-H ${quoted(`${name}: ${value}`)}`),
    ...(entry.upload
      ? [`-F ${quoted(`file=@${entry.upload.filename}`)}`]
      : body === undefined
        ? []
        : [`--data-raw ${quoted(body)}`]),
  ].join(' \\\n  ')
}

/** The call itself, and the lines that make its body. */
function fetchCall(entry: ExchangeEntry, url: string): { before: string[]; call: string } {
  const body = bodyOf(entry)
  const options = {
    method: entry.method,
    headers: Object.fromEntries(headersOf(entry)),
    ...(!entry.upload && body !== undefined && { body }),
  }
  if (!entry.upload) return { before: [], call: `await fetch(${url}, ${js(options)})` }
  const { filename } = entry.upload
  const before = [
    'const form = new FormData()',
    `form.append('file', await openAsBlob(${js(filename)}), ${js(filename)})`,
  ]
  return { before, call: `await fetch(${url}, ${js(options).replace(/\n\}$/, ',\n  "body": form\n}')})` }
}

/** What a file needs to be read. */
const importsOf = ({ upload }: ExchangeEntry): string[] => (upload ? ["import { openAsBlob } from 'node:fs'"] : [])

function fetchText(entry: ExchangeEntry): string {
  const { before, call } = fetchCall(entry, js(urlOf(entry)))
  return [...importsOf(entry), ...before, `const answer = ${call}`].join('\n')
}

function python(entry: ExchangeEntry): string {
  const body = bodyOf(entry)
  const lines = [
    'import requests',
    '',
    'answer = requests.request(',
    `    ${py(entry.method)},`,
    `    ${py(urlOf(entry))},`,
    `    headers={${headersOf(entry)
      .map(([name, value]) => `${py(name)}: ${py(value)}`)
      .join(', ')}},`,
    ...(entry.upload
      ? [`    files={"file": open(${py(entry.upload.filename)}, "rb")},`]
      : body === undefined
        ? []
        : [`    data=${py(body)},`]),
    ')',
    'print(answer.status_code, answer.text)',
  ]
  return lines.join('\n')
}

async function harEntry(entry: ExchangeEntry, isLive: boolean): Promise<string> {
  if (!isLive) return 'It is in the file that is open.'
  const har = await ask<{ log: { entries: unknown[] } }>(`journal.har${query({ request_id: entry.request_id })}`)
  return js(har.log.entries[0] ?? null)
}

async function ruleText(entry: ExchangeEntry, isLive: boolean): Promise<string> {
  if (isLive) {
    const made = await ask<ScenarioDraftAnswer>('scenarios/draft', { body: { seqs: [entry.seq] } }).catch(
      () => undefined,
    )
    const rules = made && /^rules:\n[\s\S]*/m.exec(made.yaml)?.[0]
    if (rules) return rules
  }
  const body = entry.response?.body
  const rule = {
    name: 'as-recorded',
    when: { route: entry.route ?? entry.url },
    then: {
      ...(entry.status !== 200 && { status: entry.status }),
      ...(typeof body === 'object' && body !== null && { body }),
    },
  }
  // JSON is YAML.
  return `rules:\n  - ${js(rule).replaceAll('\n', '\n    ')}`
}

/** What the mock answers only to a key, or under a scenario, that the test has not. */
const forced = /^(missing_api_key|invalid_api_key|insufficient_credits|rate_limited|internal_error|timeout)$/

function setUpFor({ scenario, route, response }: ExchangeEntry): string[] {
  // A fault of the header comes with the call itself.
  if (scenario === 'X-Mock-Fault') return []
  if (scenario !== undefined && scenario !== 'inline') return [`  mock.use(${js(scenario)})`]
  const { code } = (response?.body as { error?: { code?: string } } | undefined)?.error ?? {}
  if (code === undefined || !forced.test(code) || route === null) return []
  return [`  mock.use([{ when: { route: ${js(route)} }, then: { error: ${js(code)} } }])`]
}

function testText(entry: ExchangeEntry): string {
  const { before, call } = fetchCall(entry, `mock.url + ${js(entry.url)}`)
  const indented = (text: string): string => text.replace(/^/gm, '  ')
  const ending =
    entry.status === 0
      ? [`await assert.rejects(${call.replace(/^await /, '')})`]
      : [`const answer = ${call}`, `assert.equal(answer.status, ${entry.status})`]
  return [
    "import assert from 'node:assert/strict'",
    ...importsOf(entry),
    "import { test } from 'node:test'",
    "import { startMock } from 'understudy'",
    '',
    `test(${js(`${entry.route ?? entry.method} is answered ${entry.status === 0 ? 'with nothing' : entry.status}`)}, async t => {`,
    "  const mock = await startMock({ speed: 'instant' })",
    '  t.after(() => mock.close())',
    ...setUpFor(entry),
    ...[...before, ...ending].map(text => indented(text)),
    '})',
  ].join('\n')
}

export const snippets = {
  curl: { label: 'curl', make: async entry => curl(entry) },
  fetch: { label: 'fetch', make: async entry => fetchText(entry) },
  python: { label: 'Python', make: async entry => python(entry) },
  har: { label: 'HAR entry', make: harEntry },
  test: { label: 'Test', make: async entry => testText(entry) },
  rule: { label: 'Scenario rule', make: ruleText },
} as const satisfies Record<string, Snippet>
