import { setTimeout as sleep } from 'node:timers/promises'
import { request } from 'gaxios'
import { backoff, careful, headers, isPost, json, longest, method, retryAfter, tell, timeout, url } from './call.mjs'

// <careful>
const settings = {
  retryConfig: {
    retry: 4,
    noResponseRetries: 4,
    httpMethodsToRetry: ['GET', 'POST'],
    retryBackoff: error => {
      const wait = retryAfter(error.response?.headers)
      if (wait > longest) throw error
      return sleep(Math.max(wait, backoff(error.config.retryConfig.currentRetryAttempt - 1)))
    },
  },
}
// </careful>
await tell(async () => {
  const own = { url, method, headers, ...(timeout && { timeout }), ...(isPost && { data: json }) }
  return (await request({ ...own, ...(careful ? settings : { retry: true }) })).status
})
