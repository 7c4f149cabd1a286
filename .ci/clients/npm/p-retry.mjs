import { setTimeout as sleep } from 'node:timers/promises'
import pRetry, { AbortError } from 'p-retry'
import { backoff, careful, init, isTransient, longest, retryAfter, tell, timeout, url } from './call.mjs'

const send = () => fetch(url, { ...init, ...(timeout && { signal: AbortSignal.timeout(timeout) }) })
async function run() {
  const response = await send()
  if (response.status === 404) throw new AbortError(response.statusText)
  if (!response.ok) throw new Error(response.statusText)
  return response.status
}

// <careful>
async function runCarefully() {
  const response = await send()
  const wait = retryAfter(response.headers)
  if (!response.ok && (!isTransient(response.status) || wait > longest)) throw new AbortError(response.statusText)
  if (!response.ok) throw Object.assign(new Error(response.statusText), { wait })
  return response.status
}
const settings = {
  retries: 4,
  minTimeout: 0,
  onFailedAttempt: ({ error, attemptNumber, retriesLeft }) =>
    retriesLeft > 0 ? sleep(Math.max(error.wait ?? 0, backoff(attemptNumber - 1))) : undefined,
}
// </careful>
await tell(() => (careful ? pRetry(runCarefully, settings) : pRetry(run, { retries: 5 })))
