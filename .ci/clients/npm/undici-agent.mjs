import { Agent, RetryAgent } from 'undici'
import { careful, init, longest, tell, timeout, url } from './call.mjs'
import { undiciSettings } from './undiciSettings.mjs'

const agent = new RetryAgent(new Agent(), careful ? undiciSettings(longest) : {})
const { origin, pathname: path } = new URL(url)
await tell(async () => {
  const { statusCode, body } = await agent.request({ origin, path, ...init, headersTimeout: timeout })
  await body.dump()
  return statusCode
})
