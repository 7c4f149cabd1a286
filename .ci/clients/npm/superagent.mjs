import superagent from 'superagent'
import { headers, isPost, json, method, tell, timeout, url } from './call.mjs'

// It has no setting for a wait: none is tried.
await tell(async () => {
  const request = superagent(method, url).set(headers).retry(3)
  if (timeout) request.timeout(timeout)
  return (await (isPost ? request.send(json) : request)).status
})
