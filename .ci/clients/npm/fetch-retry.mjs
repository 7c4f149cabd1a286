import fetchRetry from 'fetch-retry'
import { backoff, careful, init, isTransient, longest, retryAfter, tell, timeout, url } from './call.mjs'

const fetch = fetchRetry(
  // A signal belongs to one try, so it is made here.
  (input, options) => globalThis.fetch(input, { ...options, ...(timeout && { signal: AbortSignal.timeout(timeout) }) }),
)
// <careful>
const settings = {
  retryOn: (n, error, response) =>
    n < 4 && (error !== null || (isTransient(response.status) && retryAfter(response.headers) <= longest)),
  retryDelay: (n, _error, response) => Math.max(backoff(n), retryAfter(response?.headers)),
}
// </careful>
const ordinary = { retries: 3, retryDelay: 1000 }
await tell(async () => (await fetch(url, { ...init, ...(careful ? settings : ordinary) })).status)
