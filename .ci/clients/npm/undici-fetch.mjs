import { Agent, fetch, RetryAgent } from 'undici'
import { careful, init, longest, tell, timeout, url } from './call.mjs'
import { undiciSettings } from './undiciSettings.mjs'

const dispatcher = new RetryAgent(new Agent({ headersTimeout: timeout }), careful ? undiciSettings(longest) : {})
await tell(async () => (await fetch(url, { dispatcher, ...init })).status)
