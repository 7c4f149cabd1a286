import { bytesPerSecond, fault } from './fault.ts'
import { sendHeadSlowly } from './wire.ts'

export const slowHead = fault({
  summary: "sends the answer's head byte by byte, so many a second, then the body at once",
  params: { bytes_per_second: bytesPerSecond(100) },
  needsAnswer: true,
  explain: ({ bytes_per_second }) => `sends the head at ${bytes_per_second} bytes/s`,
  send: ({ bytes_per_second }, answer, wire) => answer && sendHeadSlowly(answer, wire, bytes_per_second),
})
