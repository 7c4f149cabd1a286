import { ofetch } from 'ofetch'
import { backoff, careful, headers, isPost, json, longest, method, retryAfter, tell, timeout, url } from './call.mjs'

// <careful>
const settings = {
  retry: 4,
  retryStatusCodes: [429, 500, 502, 503, 504],
  retryDelay: ({ options, response }) => Math.max(backoff(4 - options.retry), retryAfter(response?.headers)),
  onResponseError({ options, response }) {
    if (retryAfter(response.headers) > longest) options.retry = false
  },
}
// </careful>
await tell(async () => {
  const own = { method, headers, timeout, ...(isPost && { body: json }) }
  return (await ofetch.raw(url, { ...own, ...(careful && settings) })).status
})
