import axios from 'axios'
import axiosRetry, { exponentialDelay, isRetryableError, retryAfter } from 'axios-retry'
import { careful, headers, isPost, json, longest, method, tell, timeout, url } from './call.mjs'

// <careful>
const settings = {
  retries: 4,
  retryCondition: error => (isRetryableError(error) || error.code === 'ECONNABORTED') && retryAfter(error) <= longest,
  retryDelay: (n, error) => exponentialDelay(n, error, 500),
  shouldResetTimeout: true,
}
// </careful>
axiosRetry(axios, careful ? settings : { retries: 3 })
await tell(async () => (await axios({ url, method, headers, timeout, ...(isPost && { data: json }) })).status)
