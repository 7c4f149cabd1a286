import { Agent, request } from 'node:http'
import { see, timeout } from './faultCall.mjs'

const agent = new Agent({ keepAlive: true })
await see(
  ({ url, method, body, headers }) =>
    new Promise((resolve, reject) => {
      const sent = request(url, { agent, method, headers, timeout }, answer => {
        const text = async () => {
          const chunks = []
          for await (const chunk of answer) chunks.push(chunk)
          return Buffer.concat(chunks).toString()
        }
        resolve({ status: answer.statusCode, text })
      })
      // It says so, and goes on: to end it is left to the program.
      sent.on('timeout', () => sent.destroy(new Error('the event "timeout"')))
      sent.on('error', reject)
      sent.end(body)
    }),
)
