import ky from 'ky'
import { backoff, careful, headers, isPost, json, longest, method, retryAfter, tell, timeout, url } from './call.mjs'

// <careful>
const settings = {
  retry: {
    limit: 4,
    methods: ['get', 'post'],
    delay: n => backoff(n - 1),
    retryOnTimeout: true,
    shouldRetry: ({ error }) => (retryAfter(error.response?.headers) > longest ? false : undefined),
  },
  totalTimeout: false,
}
// </careful>
await tell(async () => {
  const own = { method, headers, ...(isPost && { json }), ...(timeout && { timeout }) }
  return (await ky(url, { ...own, ...(careful && settings) })).status
})
