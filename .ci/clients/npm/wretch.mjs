import wretch from 'wretch'
import AbortAddon from 'wretch/addons/abort'
import { retry } from 'wretch/middlewares'
import {
  backoff,
  careful,
  headers,
  isPost,
  isTransient,
  json,
  longest,
  retryAfter,
  tell,
  timeout,
  url,
} from './call.mjs'

let wait = 0
// <careful>
const settings = {
  maxAttempts: 4,
  retryOnNetworkError: true,
  until(response) {
    wait = retryAfter(response?.headers)
    return response && (!isTransient(response.status) || wait > longest)
  },
  delayRamp: (_delay, n) => Math.max(backoff(n - 1), wait),
}
// </careful>
const api = wretch(url)
  .addon(AbortAddon())
  .headers(headers)
  .middlewares([retry(careful ? settings : {})])
await tell(async () => {
  const chain = isPost ? api.post(json) : api.get()
  return (await (timeout ? chain.setTimeout(timeout) : chain).res()).status
})
