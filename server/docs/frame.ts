/** What all pages of the API reference share: their looks, their navigation, the blocks to copy and the forms to try. */
import { type Markup, markup, nothing, raw } from '../../reports/markup.ts'

/** Each page, by its path; the guide and the OpenAPI document are no pages of these. */
export const navigation: readonly (readonly [path: string, text: string])[] = [
  ['/docs', 'Operations'],
  ['/docs/webhooks', 'Webhooks'],
  ['/docs/errors', 'Errors'],
  ['/docs/test-values', 'Test values'],
  ['/docs/scenarios', 'Scenarios'],
  ['/docs/faults', 'Faults'],
  ['/docs/control', 'Control API'],
  ['/docs/clauses', 'Clauses'],
  ['/openapi.json', 'OpenAPI'],
]

const style = `
:root { color-scheme: light dark; --line: light-dark(#d8dee6, #333b46); --soft: light-dark(#f5f7f9, #171c23); --accent: light-dark(#0a58ca, #7ab7ff); --page: light-dark(#fff, #0f1318); --quiet: light-dark(#57606a, #9aa5b1) }
* { box-sizing: border-box } html { scroll-padding-top: 4rem }
body { font: 16px/1.55 system-ui, sans-serif; margin: 0; background: var(--page); color: light-dark(#1c2128, #e3e8ee) }
header { position: sticky; top: 0; z-index: 1; background: var(--page); border-bottom: 1px solid var(--line) }
nav { display: flex; gap: 1.1rem; padding: 0.8rem 1.25rem; max-width: 76rem; margin: 0 auto; overflow-x: auto; white-space: nowrap; align-items: baseline }
nav a { text-decoration: none } nav a[aria-current] { color: inherit; font-weight: 600 } nav .guide { border-right: 1px solid var(--line); padding-right: 1.1rem }
main { max-width: 62rem; margin: 0 auto; padding: 0 1.25rem 5rem }
a { color: var(--accent) } h1 { font-size: 1.7rem; margin: 1.6rem 0 0.6rem } h2 { font-size: 1.2rem; margin: 2.2rem 0 0.5rem; overflow-wrap: anywhere } h3 { font-size: 1rem; margin: 1.4rem 0 0.4rem }
code, pre, textarea, input, output { font: 0.875em/1.5 ui-monospace, monospace }
code, pre, output { background: var(--soft); border-radius: 4px } code { padding: 0.1em 0.3em; overflow-wrap: anywhere }
pre { padding: 0.8rem; overflow-x: auto; margin: 0 } pre code { padding: 0; overflow-wrap: normal; font-size: 1em }
.copy { position: relative; margin: 0.6rem 0 } .copy button { position: absolute; top: 0.4rem; right: 0.4rem }
button { font: inherit; font-size: 0.85rem; padding: 0.2rem 0.7rem; border: 1px solid var(--line); border-radius: 6px; background: var(--page); color: inherit; cursor: pointer }
button.send { border-color: var(--accent); color: var(--accent); font-weight: 600 }
table { border-collapse: collapse; display: block; overflow-x: auto; margin: 0.6rem 0 }
th, td { text-align: left; vertical-align: top; padding: 0.4rem 1rem 0.4rem 0; border-bottom: 1px solid var(--line) } td:first-child code, td a > code { white-space: nowrap } td:last-child { min-width: 11rem }
@media (max-width: 40rem) { .contents tr { display: block; border-bottom: 1px solid var(--line); padding: 0.4rem 0 } .contents td { border: 0; display: inline-block; padding: 0 0.6rem 0 0 } .contents td:last-child { display: block } .contents td.quiet { display: none } }
.method { font-weight: 700; color: var(--accent) } .badge { font-size: 0.75rem; border: 1px solid var(--line); border-radius: 99px; padding: 0 0.5rem; white-space: nowrap }
.quiet, .clauses a { color: var(--quiet) } .clauses a { font-size: 0.85rem; margin-right: 0.4rem; white-space: nowrap }
section { border-top: 1px solid var(--line); margin-top: 2rem } section:first-of-type { border: 0; margin-top: 0 }
details { margin: 0.6rem 0 } summary { cursor: pointer; font-weight: 600 }
form.try { border: 1px solid var(--line); border-radius: 8px; padding: 0.8rem; margin: 0.6rem 0; display: grid; gap: 0.6rem }
.try label, .credentials label { display: grid; gap: 0.15rem; font-size: 0.85rem } .fields { display: flex; flex-wrap: wrap; gap: 0.8rem }
input { width: 15rem; max-width: 100% } input, textarea { padding: 0.35rem 0.5rem; border: 1px solid var(--line); border-radius: 6px; background: var(--page); color: inherit; min-width: 0 } textarea { width: 100%; resize: vertical }
.credentials { display: flex; flex-wrap: wrap; gap: 0.8rem; padding: 0.8rem; background: var(--soft); border-radius: 8px; margin: 1rem 0 }
output { display: block; padding: 0.8rem; white-space: pre-wrap; overflow-wrap: anywhere; max-height: 26rem; overflow-y: auto } output:empty { display: none }
`

/** A page at `path`, one of the navigation's. */
export function page(path: string, title: string, body: Markup): string {
  const links = navigation.map(
    ([to, text]) => markup`<a href="${to}"${to === path ? raw(' aria-current="page"') : nothing}>${text}</a>`,
  )
  return markup`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>${title} · Understudy</title><link rel="icon" href="data:,"><style>${raw(style)}</style><script src="/docs/try.js" defer></script></head>
<body><header><nav><strong>Understudy</strong><a href="/__mock/">Desk</a><a class="guide" href="/docs/guide/">Guide</a>${links}</nav></header>
<main><h1>${title}</h1>${body}</main></body></html>`.markup
}

/** Lines to copy. */
export const block = (text: string): Markup => markup`<div class="copy"><pre><code>${text}</code></pre></div>`

export const table = (head: readonly string[], rows: readonly Markup[]): Markup => {
  const cells = head.map(text => markup`<th>${text}</th>`)
  return markup`<table>${head.length > 0 ? markup`<tr>${cells}</tr>` : nothing}${rows}</table>`
}

/** Text with `code` in it. */
export const prose = (text: string): Markup => {
  const parts = text.split('`').map((part, i) => (i % 2 === 1 ? markup`<code>${part}</code>` : markup`${part}`))
  return markup`${parts}`
}

export const clauseLinks = (ids: readonly string[]): Markup => {
  const links = ids.map(id => markup`<a href="/docs/clauses#${id}">${id}</a>`)
  return markup`<span class="clauses">${links}</span>`
}

/** What every form of the page sends along. */
export const credentials = (withKey: boolean): Markup => {
  const key = markup`<label>X-Api-Key <input id="key" value="test_key" autocomplete="off" spellcheck="false"></label>`
  return markup`<div class="credentials">${withKey ? key : nothing}
<label>X-Admin-Token <input id="token" placeholder="only where one is needed" autocomplete="off" spellcheck="false"></label></div>`
}

export interface Trial {
  method: string
  /** With {names} to fill in. */
  path: string
  /** Names of the query's parameters. */
  query: readonly string[]
  /** What the body may be; `file` for a form with a file in it. */
  body: object | 'file' | undefined
  auth: 'key' | 'token' | 'none'
}

/** A form that sends a call to the mock that serves the page; /docs/try.js does it. */
export function tryIt({ method, path, query, body, auth }: Trial): Markup {
  const field = (kind: string, name: string, value = '') =>
    markup`<label>${name} <input name="${kind}:${name}" value="${value}" spellcheck="false"></label>`
  const named = [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) =>
    field('path', name, name === 'filename' ? 'output.webm' : ''),
  )
  const fields = [...named, ...query.map(name => field('query', name))]
  const json = typeof body === 'object' ? JSON.stringify(body, null, 2) : ''
  const content =
    body === 'file'
      ? markup`<label>file <input type="file" name="file"></label>`
      : body === undefined
        ? nothing
        : markup`<label>Body <textarea name="body" rows="${json.split('\n').length}" spellcheck="false">${json}</textarea></label>`
  return markup`<details><summary>Try it</summary><form class="try" data-method="${method}" data-path="${path}" data-auth="${auth}">
${fields.length > 0 ? markup`<div class="fields">${fields}</div>` : nothing}${content}<div><button class="send">Send</button></div><output></output></form></details>`
}
