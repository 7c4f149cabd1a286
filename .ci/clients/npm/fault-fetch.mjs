import { see, timeout } from './faultCall.mjs'

await see(({ url, ...init }) =>
  fetch(url, { ...init, signal: AbortSignal.timeout(timeout) }).then(answer => ({
    status: answer.status,
    text: () => answer.text(),
  })),
)
