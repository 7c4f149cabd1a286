import { bytesPerSecond, fault } from './fault.ts'
import { sendSlowly } from './wire.ts'

/** As often as timers come; faster ones send more bytes at a time. */
const shortestMs = 5

export const dribble = fault({
  summary: 'sends the body byte by byte, so many a second',
  params: { bytes_per_second: bytesPerSecond(10) },
  needsAnswer: true,
  explain: ({ bytes_per_second }) => `dribbles the body at ${bytes_per_second} bytes/s`,
  send: ({ bytes_per_second }, answer, wire) => {
    const bytes = Math.max(1, Math.round((bytes_per_second * shortestMs) / 1000))
    return answer && sendSlowly(answer, wire, bytes, bytes_per_second)
  },
})
