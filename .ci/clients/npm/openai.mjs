import OpenAI from 'openai'
import { careful, headers, isPost, json, tell, timeout, url } from './call.mjs'

// <careful>
const settings = { maxRetries: 4 }
// </careful>
// Calls of its own API go through the same post() and get().
const { origin: baseURL, pathname } = new URL(url)
const client = new OpenAI({
  ...{ apiKey: 'sk-test', baseURL, defaultHeaders: headers },
  ...(timeout && { timeout }),
  ...(careful && settings),
})
await tell(async () => {
  const sent = isPost ? client.post(pathname, { body: json }) : client.get(pathname)
  return (await sent.asResponse()).status
})
