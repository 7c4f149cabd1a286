import { Agent, interceptors, request } from 'undici'
import { careful, init, longest, tell, timeout, url } from './call.mjs'
import { undiciSettings } from './undiciSettings.mjs'

const dispatcher = new Agent().compose(interceptors.retry(careful ? undiciSettings(longest) : {}))
await tell(async () => {
  const { statusCode, body } = await request(url, { dispatcher, ...init, headersTimeout: timeout })
  await body.dump()
  return statusCode
})
