import axios from 'axios'
import * as rax from 'retry-axios'
import { careful, headers, isPost, json, longest, method, tell, timeout, url } from './call.mjs'

// <careful>
const settings = {
  retry: 4,
  retryDelay: 4000,
  maxRetryDelay: 16_000,
  jitter: 'equal',
  httpMethodsToRetry: ['GET', 'POST'],
  maxRetryAfter: longest,
}
// </careful>
rax.attach()
await tell(async () => {
  const own = { url, method, headers, timeout, ...(isPost && { data: json }) }
  return (await axios({ ...own, ...(careful && { raxConfig: settings }) })).status
})
