/** A real Chromium for the desk's tests: the one that this machine has (Debian's package `chromium`). */
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type Browser, chromium, type Page } from 'playwright-core'
import type { Test } from 'tap'

const places = [
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
]
export const chromiumPath = places.find(path => existsSync(path))

/** One for a whole file. */
export async function openBrowser(t: Test): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error(`Chromium is not installed; expected it at ${places.join(' or ')}`)
  const browser = await chromium.launch({ executablePath: chromiumPath, args: ['--no-sandbox'] })
  t.teardown(() => browser.close())
  return browser
}

/** A page for desks, and all that went wrong in it: errors, and what its policy refused. */
export async function openPage(browser: Browser) {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, acceptDownloads: true })
  page.setDefaultTimeout(20_000)
  const problems: string[] = []
  page.on('pageerror', error => problems.push(error.message))
  page.on('dialog', dialog => {
    problems.push(`a dialog: ${dialog.message()}`)
    void dialog.dismiss()
  })
  page.on('console', message => {
    // A route that answers 4xx is no error of the page.
    if (message.type() === 'error' && !/^Failed to load resource/.test(message.text())) problems.push(message.text())
  })
  return { page, problems }
}

/** Goes to the desk of a mock. A desk keeps nothing outside its own origin, and a page more costs Chromium a second. */
export async function openDesk(t: Test, page: Page, url: string): Promise<void> {
  t.teardown(() => page.goto('about:blank'))
  await page.goto(`${url}/__mock/`)
  await page.getByText('live', { exact: true }).waitFor()
}

/** The page of an app on another port, which calls the mock as an app does: from a browser. */
export async function openApp(t: Test, browser: Browser, mock: { url: string }) {
  const server = createServer((_request, response) =>
    response.setHeader('content-type', 'text/html').end('<!doctype html><title>app</title>'),
  )
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const page: Page = await browser.newPage()
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`)
  const call = (method: string, path: string, key: string, body?: object, headers: Record<string, string> = {}) =>
    page.evaluate(
      async ([url, how, apiKey, sent, more]) => {
        const type: Record<string, string> = sent === undefined ? {} : { 'content-type': 'application/json' }
        const answer = await fetch(url, {
          method: how,
          headers: { 'x-api-key': apiKey, ...type, ...more },
          ...(sent !== undefined && { body: JSON.stringify(sent) }),
        })
        return { status: answer.status, body: await answer.json() }
      },
      [mock.url + path, method, key, body, headers] as const,
    )
  return { page, call }
}
