/** The pages under /docs: plain HTML, made from the catalogues; no script, and nothing from another host. */
import { type Clause, type ClauseId, clauses } from '../contracts/clauses.ts'
import { errorCases, errorClasses, statusOf } from '../contracts/errors.ts'
import { examples } from '../contracts/examples.ts'
import { errorRows } from '../contracts/openapi.ts'
import { errorsOf, type Operation, operations } from '../contracts/operations.ts'
import { type Markup, markup, nothing, raw } from '../reports/markup.ts'
import type { ScenarioSummary } from './control/scenarios.ts'
import { testKeys, testVideos } from './testValues.ts'

const style = `
:root { color-scheme: light dark; --line: light-dark(#d8dee6, #333b46); --soft: light-dark(#f5f7f9, #171c23); --accent: light-dark(#0a58ca, #7ab7ff) }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0 auto; max-width: 60rem; padding: 0 1.25rem 4rem }
nav { display: flex; flex-wrap: wrap; gap: 1.25rem; padding: 1rem 0; border-bottom: 1px solid var(--line) }
a { color: var(--accent) } h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2.5rem }
code, pre { font: 0.875em/1.5 ui-monospace, monospace; background: var(--soft); border-radius: 4px }
code { padding: 0.1em 0.3em } pre { padding: 0.8rem; overflow-x: auto } pre code { padding: 0 }
table { border-collapse: collapse; width: 100%; display: block; overflow-x: auto } th, td { text-align: left; vertical-align: top; padding: 0.45rem 0.7rem; border-bottom: 1px solid var(--line) }
.method { font-weight: 700; color: var(--accent) } .badge { font-size: 0.75rem; border: 1px solid var(--line); border-radius: 99px; padding: 0 0.5rem }
section { border-top: 1px solid var(--line); margin-top: 2rem } section:first-of-type { border: 0 }
`

function page(title: string, body: Markup): string {
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title} · Understudy</title><style>${raw(style)}</style></head>
<body><nav><strong>Understudy</strong><a href="/docs">Operations</a><a href="/docs/errors">Errors</a><a href="/docs/clauses">Clauses</a><a href="/docs/test-values">Test values</a><a href="/openapi.json">OpenAPI 3.1</a></nav>
<h1>${title}</h1>${body}</body></html>`.markup
}

export function operationsPage(): string {
  const all = Object.entries<Operation>(operations)
  const contents = all.map(
    ([id, { method, path, summary }]) =>
      markup`<tr><td class="method">${method}</td><td><a href="#${id}"><code>${path}</code></a></td><td>${summary}</td></tr>`,
  )
  return page('Operations', markup`<table>${contents}</table>${all.map(([id, operation]) => section(id, operation))}`)
}

function section(id: string, operation: Operation): Markup {
  const errors = errorsOf(operation).map(
    name =>
      markup`<tr><td>${statusOf(name)}</td><td><code>${errorCases[name].code}</code></td><td>${errorCases[name].message}</td><td>${errorCases[name].action}</td></tr>`,
  )
  return markup`<section id="${id}"><h2><span class="method">${operation.method}</span> <code>${operation.path}</code></h2>
<p>${operation.summary}. ${operation.clauses.map(clause => markup`<a href="/docs/clauses#${clause}">${clause}</a> `)}</p>
<pre><code>${curlOf(operation)}</code></pre>
${fieldsOf('Query', operation.query)}${operation.tag === 'uploads' ? nothing : fieldsOf('Body', operation.body)}${exampleOf(operation)}
<h3>Errors</h3><table>${errors}</table></section>`
}

interface Shape {
  title?: string
  required?: readonly string[]
  properties?: Record<string, { type?: string | string[]; enum?: unknown[]; default?: unknown; description?: string }>
}

function fieldsOf(title: string, schema: unknown): Markup {
  const { properties = {}, required = [] } = (schema ?? {}) as Shape
  const rows = Object.entries(properties).map(([name, field]) => {
    const type = field.enum ? field.enum.join(' | ') : [field.type ?? 'object'].flat().join(' or ')
    const note = required.includes(name) ? 'required' : field.default === undefined ? '' : `default ${field.default}`
    return markup`<tr><td><code>${name}</code></td><td>${type}</td><td>${note}</td><td>${field.description ?? ''}</td></tr>`
  })
  return rows.length === 0 ? nothing : markup`<h3>${title}</h3><table>${rows}</table>`
}

function exampleOf({ answer }: Operation): Markup {
  const example = (examples as Record<string, unknown>)[(answer as Shape | undefined)?.title ?? '']
  return example === undefined
    ? nothing
    : markup`<h3>Answer</h3><pre><code>${JSON.stringify(example, null, 2)}</code></pre>`
}

/** A line to paste; $URL is where the mock listens. */
function curlOf({ method, path, auth, body, tag }: Operation): string {
  const parts = [`curl "$URL${path.replace('{job_id}', '$JOB_ID')}"`]
  if (auth === 'key') parts.push('-H "X-Api-Key: test_key"')
  if (auth === 'admin') parts.push('-H "X-Admin-Token: $ADMIN_TOKEN"')
  const example = (examples as Record<string, unknown>)[(body as Shape | undefined)?.title ?? '']
  if (tag === 'uploads') parts.push('-F file=@short.mp4')
  else if (example !== undefined) parts.push('-H "Content-Type: application/json"', `-d '${JSON.stringify(example)}'`)
  else if (method === 'POST') parts.push('-X POST')
  return parts.join(' \\\n  ')
}

export function errorsPage(): string {
  const rows = errorRows().map(
    row => markup`<tr id="${row.name}"><td>${row.status}</td><td><code>${row.code}</code> ${row.documented ? nothing : markup`<span class="badge">extension</span>`}</td>
<td>${row.message}</td><td>${row.action}</td><td>${row.whatToDo}</td><td>${row.clauses.map(id => markup`<a href="/docs/clauses#${id}">${id}</a> `)}</td></tr>`,
  )
  const classes = Object.entries(errorClasses).map(
    ([name, action]) => markup`<tr><td><strong>${name}</strong></td><td>${action}</td></tr>`,
  )
  return page(
    'Errors',
    markup`<p>Every non-2xx answer is this envelope (ERR-1); its <code>request_id</code> is also in the header <code>X-Request-Id</code> and in the log (ERR-6).</p>
<pre><code>${JSON.stringify(examples.ErrorEnvelope, null, 2)}</code></pre>
<h2>Classes</h2><table>${classes}</table>
<h2>Cases</h2><table><tr><th>HTTP</th><th>code</th><th>message</th><th>what to do</th><th>by its class</th><th>clauses</th></tr>${rows}</table>`,
  )
}

export function clausesPage(): string {
  const rows = (Object.keys(clauses) as ClauseId[]).map(id => {
    const clause: Clause = clauses[id]
    const choice = clause.open === undefined ? nothing : markup`<br><em>Open, our default:</em> ${clause.open}`
    return markup`<tr id="${id}"><td><strong>${id}</strong></td><td><span class="badge">${clause.level}</span></td><td>${clause.text}${choice}</td></tr>`
  })
  return page('Clauses', markup`<p>Every documented sentence that the mock keeps, by its id.</p><table>${rows}</table>`)
}

export function testValuesPage(scenarios: readonly ScenarioSummary[]): string {
  const keys = testKeys.map(
    ({ prefix, effect }) => markup`<tr><td><code>${prefix}…</code></td><td>${effect.replaceAll('`', '')}</td></tr>`,
  )
  const named = scenarios.map(
    ({ name, description, clauses }) =>
      markup`<tr><td><code>${name}</code></td><td>${description}</td><td>${clauses.map(id => markup`<a href="/docs/clauses#${id}">${id}</a> `)}</td></tr>`,
  )
  const videos = testVideos.map(
    ({ name, effect }) => markup`<tr><td><code>…/${name}.mp4</code></td><td>${effect.replaceAll('`', '')}</td></tr>`,
  )
  return page(
    'Test values',
    markup`<p>Any key that starts with <code>test_</code> is valid, and gets a world of its own on first use. Some mean more:</p>
<h2>Keys</h2><table>${keys}</table>
<h2>Scenarios</h2><p>Switched on for a key by its name, <code>test_&lt;scenario&gt;__anything</code>, for one request by the header <code>X-Mock-Scenario</code>, or by <code>PUT /__mock/scenario</code>:</p><table>${named}</table>
<h2>Videos</h2><p>The name of an upload, or the last part of a video_url:</p><table>${videos}</table>`,
  )
}
