/** /docs/try.js: what the API reference does in a browser. It copies blocks, and sends forms to the mock that serves the page. */
export const tryScript = `'use strict'
for (const block of document.querySelectorAll('.copy')) {
  const button = document.createElement('button')
  button.textContent = 'Copy'
  button.addEventListener('click', async () => {
    await navigator.clipboard.writeText(block.querySelector('code').textContent)
    button.textContent = 'Copied'
    setTimeout(() => { button.textContent = 'Copy' }, 1500)
  })
  block.append(button)
}

const valueOf = id => document.getElementById(id)?.value.trim()

document.addEventListener('submit', async event => {
  const form = event.target
  if (!form.matches('form.try')) return
  event.preventDefault()
  const output = form.querySelector('output')
  const { method, path, auth } = form.dataset
  const headers = {}
  if (auth === 'key' && valueOf('key')) headers['X-Api-Key'] = valueOf('key')
  if (auth === 'token' && valueOf('token')) headers['X-Admin-Token'] = valueOf('token')
  let body
  let url = path
  const query = new URLSearchParams()
  for (const [name, value] of new FormData(form)) {
    const [kind, field] = name.split(':')
    if (kind === 'path') url = url.replace('{' + field + '}', encodeURIComponent(value))
    else if (kind === 'query') { if (value !== '') query.append(field, value) }
    else if (kind === 'file') { body = new FormData(); if (value.name) body.append('file', value) }
    else if (kind === 'body' && value.trim() !== '') { body = value; headers['Content-Type'] = 'application/json' }
  }
  if (query.size > 0) url += '?' + query
  output.textContent = method + ' ' + url + ' …'
  const begun = performance.now()
  try {
    const answer = await fetch(url, { method, headers, body, signal: AbortSignal.timeout(30000) })
    const head = answer.status + ' ' + answer.statusText + '   ' + Math.round(performance.now() - begun) + ' ms'
    output.textContent = [method + ' ' + url, head, ...headersOf(answer), '', await textOf(answer)].join('\\n')
  } catch (error) {
    output.textContent = method + ' ' + url + '\\nno answer: ' + error.message
  }
})

const shown = /^(x-request-id|x-mock-.*|retry-after|ratelimit.*|content-type|location|idempotency.*)$/
const headersOf = answer => [...answer.headers].filter(([name]) => shown.test(name)).map(([name, value]) => name + ': ' + value)

async function textOf(answer) {
  const type = answer.headers.get('content-type') ?? ''
  if (!/json|text|xml/.test(type)) return (await answer.arrayBuffer()).byteLength + ' bytes'
  const text = await answer.text()
  if (!type.includes('json')) return text
  try {
    const found = JSON.parse(text)
    remember(found)
    return JSON.stringify(found, null, 2)
  } catch {
    return text
  }
}

/** What a call has made is what the next one is about. */
function remember({ id, video_id, video_url }) {
  if (typeof id === 'string' && id.startsWith('job_')) fill('path:job_id', id)
  if (typeof video_id === 'string') fill('path:video_id', video_id)
  if (typeof video_id !== 'string' || typeof video_url !== 'string') return
  for (const area of document.querySelectorAll('textarea[name=body]'))
    area.value = area.value.replace(/("video_url": )"[^"]*"/, '$1' + JSON.stringify(video_url))
}
const fill = (name, value) => { for (const input of document.getElementsByName(name)) input.value = value }
`
