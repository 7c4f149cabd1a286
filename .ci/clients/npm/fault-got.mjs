import { Agent } from 'node:http'
import got from 'got'
import { see, timeout } from './faultCall.mjs'

const agent = { http: new Agent({ keepAlive: true }) }
// It reads and parses the body before it resolves.
await see(async ({ url, ...own }) => {
  const answer = await got(url, { ...own, agent, timeout: { request: timeout }, responseType: 'json' })
  return { status: answer.statusCode, text: async () => answer.body, json: value => value }
})
