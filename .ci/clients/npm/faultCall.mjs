/** What each program of the faults is called with, and how it says where its caller's code meets the fault. */
import { readFileSync } from 'node:fs'

const { URL: url, METHOD: method, KEY, BODY, TYPE, WARM, TIMEOUT } = process.env
export const timeout = Number(TIMEOUT)
const body = BODY ? readFileSync(BODY) : undefined

/**
 * `call(request)` resolves with a status and what reads the body: `text()`, and `json()` where the client has one of its
 * own. With WARM a good call goes first, so that the connection is a kept one.
 */
export async function see(call) {
  const headers = { 'X-Api-Key': KEY }
  if (WARM) {
    const answer = await call({ url: WARM, method: 'GET', headers })
    await answer.text()
  }
  const seen = { where: 'call' }
  try {
    const answer = await call({ url, method, body, headers: { ...headers, ...(TYPE && { 'Content-Type': TYPE }) } })
    seen.status = answer.status
    seen.where = 'body'
    const text = await answer.text()
    seen.bytes = typeof text === 'string' ? text.length : undefined
    seen.where = 'json'
    const value = answer.json ? answer.json(text) : JSON.parse(text)
    seen.value = typeof value === 'object' && value !== null ? 'object' : JSON.stringify(value).slice(0, 20)
    seen.where = 'none'
  } catch (error) {
    seen.status ??= error.response?.status ?? error.response?.statusCode
    seen.error = textOf(error)
  }
  console.log(JSON.stringify(seen))
  process.exit()
}

function textOf(error) {
  const said = []
  for (let one = error; one && said.length < 2; one = one.cause)
    said.push([one.name, one.code, `"${one.message}"`].filter(Boolean).join(' '))
  return said.join(' <- ')
}
