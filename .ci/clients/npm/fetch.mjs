import { init, tell, timeout, url } from './call.mjs'

await tell(async () => (await fetch(url, { ...init, ...(timeout && { signal: AbortSignal.timeout(timeout) }) })).status)
