import got from 'got'
import { careful, headers, isPost, json, longest, method, tell, timeout, url } from './call.mjs'

// <careful>
const settings = {
  retry: {
    limit: 4,
    methods: ['GET', 'POST'],
    maxRetryAfter: longest,
    // Its own noise is 0.1 s at most. 0: it gives up.
    calculateDelay: ({ computedValue }) => computedValue * (1 + Math.random()),
  },
}
// </careful>
await tell(async () => {
  const own = { method, headers, ...(isPost && { json }), ...(timeout && { timeout: { request: timeout } }) }
  return (await got(url, { ...own, ...(careful && settings) })).statusCode
})
