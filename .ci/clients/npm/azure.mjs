import {
  createDefaultHttpClient,
  createHttpHeaders,
  createPipelineFromOptions,
  createPipelineRequest,
} from '@azure/core-rest-pipeline'
import { careful, init, longest, method, retryAfter, tell, timeout, url } from './call.mjs'

// <careful>
const settings = { retryOptions: { maxRetries: 4, retryDelayInMs: 2000 } }
/** A wait of a day is not waited for. */
const giveUp = {
  name: 'giveUp',
  async sendRequest(request, next) {
    const response = await next(request)
    const wait = retryAfter({ 'retry-after': response.headers.get('retry-after') })
    if (wait > longest) throw new Error(`asked to wait ${wait} ms`)
    return response
  },
}
// </careful>
const pipeline = createPipelineFromOptions(careful ? settings : {})
if (careful) pipeline.addPolicy(giveUp, { phase: 'Sign' })
const request = createPipelineRequest({
  url,
  method,
  headers: createHttpHeaders(init.headers),
  body: init.body,
  allowInsecureConnection: true,
  ...(timeout && { timeout }),
})
await tell(async () => (await pipeline.sendRequest(createDefaultHttpClient(), request)).status)
