/** What each program in this folder is called with, and how it says what its caller's code gets to see. */
import { randomUUID } from 'node:crypto'

export const { URL: url, METHOD: method, SETTINGS } = process.env
/** Whether the settings that keep the rules are tried; else the library is left as it comes. */
export const careful = SETTINGS === 'careful'
/** ms; undefined: the library's own. */
export const timeout = process.env.TIMEOUT ? Number(process.env.TIMEOUT) : undefined
export const isPost = method === 'POST'
export const json = { video_url: 'https://example.com/cat.mp4#t=5' }
/** One key for one order: each try sends the same. */
export const headers = { 'X-Api-Key': process.env.KEY, ...(careful && isPost && { 'Idempotency-Key': randomUUID() }) }
/** The same for whoever takes what fetch takes. */
export const init = {
  method,
  headers: { ...headers, ...(isPost && { 'Content-Type': 'application/json' }) },
  ...(isPost && { body: JSON.stringify(json) }),
}

/** What Retry-After asks for, in ms; 0 without one. For libraries that don't read it. */
export function retryAfter(given) {
  const value = given?.get?.('retry-after') ?? given?.['retry-after'] ?? ''
  return Math.max(0, /^\d+$/.test(value) ? value * 1000 : Date.parse(value) - Date.now() || 0)
}
/** 1 to 2 s, 2 to 4 s, 4 to 8 s, then 8 to 16 s; `n` is 0 for the first. */
export const backoff = n => 1000 * 2 ** Math.min(n, 3) * (1 + Math.random())
/** What may be sent again: a request that was limited, or that the server failed at. */
export const isTransient = status => status === 429 || status >= 500
/** Nobody waits longer than a minute for an answer: who is asked to gives up. */
export const longest = 60_000

/** Prints the status that the call resolved with, or what it threw. */
export async function tell(call) {
  try {
    console.log(`answer ${await call()}`)
  } catch (error) {
    const causes = []
    for (let one = error; one && causes.length < 3; one = one.cause)
      causes.push([one.name ?? one.constructor?.name, one.code, JSON.stringify(one.message)].filter(Boolean).join(' '))
    console.log(`error ${causes.join(' <- ')}`)
  }
  process.exit()
}
