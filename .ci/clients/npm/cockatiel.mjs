import { ExponentialBackoff, handleAll, handleWhen, retry } from 'cockatiel'
import { backoff, careful, init, isTransient, longest, retryAfter, tell, timeout, url } from './call.mjs'

async function run() {
  const response = await fetch(url, { ...init, ...(timeout && { signal: AbortSignal.timeout(timeout) }) })
  if (!response.ok) throw Object.assign(new Error(response.statusText), { response })
  return response.status
}

// <careful>
const mayRepeat = handleWhen(
  ({ response }) => !response || (isTransient(response.status) && retryAfter(response.headers) <= longest),
)
const waits = {
  next: ({ attempt, result }) => ({
    duration: Math.max(backoff(attempt - 1), retryAfter(result.error?.response?.headers)),
    next: waits.next,
  }),
}
const settings = { maxAttempts: 4, backoff: waits }
// </careful>
const policy = careful
  ? retry(mayRepeat, settings)
  : retry(handleAll, { maxAttempts: 3, backoff: new ExponentialBackoff() })
await tell(() => policy.execute(run))
