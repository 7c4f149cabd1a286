import fetch from 'make-fetch-happen'
import { init, tell, timeout, url } from './call.mjs'

await tell(async () => (await fetch(url, { ...init, retry: 3, ...(timeout && { timeout }) })).status)
