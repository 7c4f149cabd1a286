// fetch in Chromium under one fault: a page of this machine, which sends back what its code has seen.
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'

const { URL: url, METHOD: method, KEY: key, BODY, TYPE: type, WARM: warm, TIMEOUT: timeout } = process.env
const asked = { url, method, key, type, warm, timeout: Number(timeout), hasBody: Boolean(BODY) }

async function see({ url, method, key, type, warm, timeout, hasBody }) {
  const headers = { 'X-Api-Key': key }
  const body = hasBody ? await (await fetch('/body')).blob() : undefined
  if (warm) await (await fetch(warm, { headers })).text()
  const seen = { where: 'call' }
  try {
    const answer = await fetch(url, {
      method,
      body,
      headers: { ...headers, ...(type && { 'Content-Type': type }) },
      signal: AbortSignal.timeout(timeout),
    })
    seen.status = answer.status
    seen.where = 'body'
    const said = await answer.text()
    seen.bytes = said.length
    seen.where = 'json'
    const value = JSON.parse(said)
    seen.value = typeof value === 'object' && value !== null ? 'object' : JSON.stringify(value).slice(0, 20)
    seen.where = 'none'
  } catch (error) {
    seen.error = `${error.name} "${error.message}"`
  }
  await fetch('/seen', { method: 'POST', body: JSON.stringify(seen) })
}

const page = `<!doctype html><title>a fault</title><script>(${see})(${JSON.stringify(asked)})</script>`
const folder = mkdtempSync(join(tmpdir(), 'chromium-'))
const server = createServer(async (request, response) => {
  if (request.url === '/body') return response.end(readFileSync(BODY))
  if (request.url !== '/seen') return response.setHeader('Content-Type', 'text/html').end(page)
  console.log(await text(request))
  browser.once('exit', () => {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
    process.exit()
  })
  browser.kill('SIGKILL')
})
await new Promise(resolve => server.listen(0, '127.0.0.1', resolve))
const browser = spawn(
  'chromium',
  [
    '--headless',
    '--no-sandbox',
    '--disable-gpu',
    '--no-first-run',
    `--user-data-dir=${folder}`,
    `http://127.0.0.1:${server.address().port}/`,
  ],
  { stdio: 'ignore' },
)
