import { Agent } from 'node:http'
import axios from 'axios'
import { see, timeout } from './faultCall.mjs'

const client = axios.create({ timeout, httpAgent: new Agent({ keepAlive: true }) })
// It reads and parses the body before it resolves.
await see(async ({ body, ...own }) => {
  const { status, data } = await client({ ...own, data: body })
  return { status, text: async () => data, json: value => value }
})
