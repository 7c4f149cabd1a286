import { setTimeout as sleep } from 'node:timers/promises'
import retry from 'async-retry'
import { careful, init, isTransient, longest, retryAfter, tell, timeout, url } from './call.mjs'

const send = () => fetch(url, { ...init, ...(timeout && { signal: AbortSignal.timeout(timeout) }) })
async function run(bail) {
  const response = await send()
  if (response.status === 403) return bail(new Error('Unauthorized'))
  if (!response.ok) throw new Error(response.statusText)
  return response.status
}

// <careful>
async function runCarefully(bail, n) {
  const response = await send()
  if (response.ok) return response.status
  const wait = retryAfter(response.headers)
  if (!isTransient(response.status) || wait > longest) return bail(new Error(response.statusText))
  if (n <= 4) await sleep(Math.max(0, wait - 1000 * 2 ** (n - 1)))
  throw new Error(response.statusText)
}
const settings = { retries: 4, minTimeout: 1000, randomize: true }
// </careful>
await tell(() => (careful ? retry(runCarefully, settings) : retry(run, { retries: 5 })))
