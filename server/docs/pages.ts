/** The other pages under /docs: plain HTML, made from the catalogues, with nothing from another host. */

import { webhookFaults } from '../../client/scenarioFormat.ts'
import { type Clause, type ClauseId, clauses } from '../../contracts/clauses.ts'
import { errorClasses } from '../../contracts/errors.ts'
import { examples } from '../../contracts/examples.ts'
import { errorRows } from '../../contracts/openapi.ts'
import { webhookEvents } from '../../contracts/schemas.ts'
import { type Markup, markup, nothing } from '../../reports/markup.ts'
import { faults } from '../faults/index.ts'
import { testKeys, testVideos } from '../testValues.ts'
import { type ControlRoute, controlRoutes, linesOf } from './controlRoutes.ts'
import { block, clauseLinks, credentials, page, prose, table, tryIt } from './frame.ts'
import { control, curl, keyHeader, makeDelivery, type Place } from './lines.ts'

export function webhooksPage(place: Place): string {
  const headers = [
    ['X-Webhook-Event', webhookEvents.join(', ')],
    ['X-Webhook-Delivery-Id', 'unique per delivery, the same on each try'],
    ['X-Webhook-Timestamp', 'ISO 8601; part of what is signed'],
    ['X-Webhook-Signature', 'sha256= and the hex HMAC-SHA256 of timestamp + "." + raw body; with --webhook-secret'],
  ].map(([name = '', what = '']) => markup`<tr><td><code>${name}</code></td><td>${what}</td></tr>`)
  const ids = ['WH-1', 'WH-2', 'WH-3'] as const
  const sentences = ids.map(
    id => markup`<tr><td><a href="/docs/clauses#${id}">${id}</a></td><td>${clauses[id].text}</td></tr>`,
  )
  const wrong = Object.entries(webhookFaults).map(
    ([name, what]) => markup`<tr><td><code>${name}</code></td><td>${prose(what)}</td></tr>`,
  )
  return page(
    '/docs/webhooks',
    'Webhooks',
    markup`<p>The mock POSTs to a job's <code>webhook_url</code> when the job starts, completes or fails. They go to this machine only, unless <code>--webhook-allow</code> names other hosts.</p>
${table(['header', 'what it is'], headers)}
<h2>Body</h2>${block(JSON.stringify(examples.WebhookEvent, null, 2))}
<h2>What is documented</h2>${table([], sentences)}
<h2>See one</h2><p>Each attempt is in the journal, and can be sent once more:</p>${block(
      `${makeDelivery(place)}\n${control(place, `/__mock/journal?kind=webhook&job_id=$JOB`)}\n${control(place, `/__mock/webhooks/$DELIVERY/redeliver`, ['-X POST'])}`,
    )}
<h2>What can go wrong</h2><p>A scenario's <code>jobs: { webhooks: … }</code> takes these:</p>${table([], wrong)}
<p>The signature in four languages: <a href="/docs/guide/guides/webhooks.html">Guide: Webhooks</a></p>`,
  )
}

export function errorsPage(): string {
  const rows = errorRows().map(
    row => markup`<tr id="${row.name}"><td>${row.status}</td><td><code>${row.code}</code> ${row.documented ? nothing : markup`<span class="badge">extension</span>`}</td>
<td>${row.message}</td><td>${row.action}</td><td>${row.whatToDo}</td><td>${clauseLinks(row.clauses)}</td></tr>`,
  )
  const classes = Object.entries(errorClasses).map(
    ([name, action]) => markup`<tr><td><strong>${name}</strong></td><td>${action}</td></tr>`,
  )
  return page(
    '/docs/errors',
    'Errors',
    markup`<p>Every non-2xx answer is this envelope (ERR-1); its <code>request_id</code> is also in the header <code>X-Request-Id</code> and in the log (ERR-6).</p>
${block(JSON.stringify(examples.ErrorEnvelope, null, 2))}
<h2>Classes</h2>${table([], classes)}
<h2>Cases</h2>${table(['HTTP', 'code', 'message', 'what to do', 'by its class', 'clauses'], rows)}`,
  )
}

export function clausesPage(): string {
  const rows = (Object.keys(clauses) as ClauseId[]).map(id => {
    const clause: Clause = clauses[id]
    const choice = clause.open === undefined ? nothing : markup`<br><em>Open, our default:</em> ${clause.open}`
    return markup`<tr id="${id}"><td><strong>${id}</strong></td><td><span class="badge">${clause.level}</span></td><td>${clause.text}${choice}</td></tr>`
  })
  return page(
    '/docs/clauses',
    'Clauses',
    markup`<p>Every documented sentence that the mock keeps, by its id.</p>${table([], rows)}`,
  )
}

export function testValuesPage(place: Place): string {
  const keys = testKeys.map(
    ({ prefix, effect }) => markup`<tr><td><code>${prefix}…</code></td><td>${prose(effect)}</td></tr>`,
  )
  const videos = testVideos.map(
    ({ name, effect }) => markup`<tr><td><code>…/${name}.mp4</code></td><td>${prose(effect)}</td></tr>`,
  )
  const poor = curl(place, '/v1/jobs', ["-H 'X-Api-Key: test_no_credits_1'"], {
    video_url: 'https://example.com/cat.mp4',
  })
  const failing = curl(place, '/v1/jobs', [keyHeader], { video_url: 'https://example.com/fail.mp4' })
  return page(
    '/docs/test-values',
    'Test values',
    markup`<p>Any key that starts with <code>test_</code> is valid, and gets a world of its own on first use. Some mean more:</p>
<h2>Keys</h2>${table([], [...keys, markup`<tr><td><code>test_&lt;scenario&gt;__…</code></td><td>plays that <a href="/docs/scenarios">scenario</a></td></tr>`])}${block(poor)}
<h2>Videos</h2><p>The name of an upload, or the last part of a video_url:</p>${table([], videos)}${block(failing)}`,
  )
}

export function faultsPage(place: Place): string {
  const rows = Object.entries(faults).map(([name, { summary, params }]) => {
    const names = Object.keys(params).map(param => markup`<code>${param}</code> `)
    return markup`<tr><td><code>${name}</code></td><td>${summary}</td><td>${names}</td></tr>`
  })
  const one = (header: string, parts: string[] = []) =>
    curl(place, '/v1/jobs', [keyHeader, `-H 'X-Mock-Fault: ${header}'`, ...parts])
  return page(
    '/docs/faults',
    'Faults',
    markup`<p>The header <code>X-Mock-Fault</code> makes one answer fail. It takes an <a href="/docs/errors">error's case</a>, or a fault on the wire, and parameters after a semicolon. A scenario's <code>then: { fault: … }</code> takes the same.</p>
${block([one('rate_limited; retry_after=2', ['-i']), one('timeout; delay=1s'), one('truncated_body; after_bytes=10', ['-S'])].join('\n'))}
${table(['fault', 'what the client meets', 'parameters'], rows)}`,
  )
}

const groups: readonly (readonly [ControlRoute['group'], string])[] = [
  ['scenarios', 'Scenarios'],
  ['state', 'Time and state'],
  ['journal', 'The journal'],
  ['mock', 'The mock'],
]

export function controlPage(place: Place): string {
  const sections = groups.map(([group, title]) => {
    const routes = controlRoutes.filter(route => route.group === group)
    return markup`<h2 id="${group}">${title}</h2>${routes.map(route => controlSection(route, place))}`
  })
  return page(
    '/docs/control',
    'Control API',
    markup`<p>What belongs to the mock, not to the API: none of it is in the journal, or counts against a limit. Off loopback it wants the mock's <code>--admin-token</code> as <code>X-Admin-Token</code>. <code>key</code> is an API key, its fingerprint, or <code>anonymous</code>; <code>world</code> is a value of <code>X-Mock-World</code>.</p>
${credentials(false)}${sections}`,
  )
}

function controlSection(route: ControlRoute, place: Place): Markup {
  const { method, path, what, more, query = [], body } = route
  const link = more === undefined ? nothing : markup` <a href="/docs/guide/${more.replace('.md', '.html')}">More</a>`
  return markup`<h3><span class="method">${method}</span> <code>${path}</code></h3><p>${prose(`${what[0]?.toUpperCase()}${what.slice(1)}`)}.${link}</p>
${block(linesOf(route, place))}${path.endsWith('/stream') ? nothing : tryIt({ method, path, query, body, auth: 'token' })}`
}

/** In the place of the guide, where it has not been built. */
export const unbuiltPage = (): string =>
  page(
    '/docs/guide/',
    'The guide is not built',
    markup`<p>This is a source checkout. The guide is made from <code>README.md</code> and <code>docs/</code>, which can be read as they are; to see it here, build it once:</p>
${block('npm install && npm run docs:site')}<p>The <a href="/docs">API reference</a> needs no build.</p>`,
  )
