import { bytesPerSecond, fault } from './fault.ts'
import { readSlowly, sendSlowly } from './wire.ts'

const tickMs = 50

export const bandwidth = fault({
  summary: 'lets so many bytes a second through, up and down',
  params: { bytes_per_second: bytesPerSecond(50_000) },
  needsAnswer: true,
  explain: ({ bytes_per_second }) => `lets ${bytes_per_second} bytes/s through`,
  receive: ({ bytes_per_second }, body, wire) => readSlowly(body, wire, bytes_per_second),
  send: ({ bytes_per_second }, answer, wire) => {
    const bytes = Math.max(1, Math.round((bytes_per_second * tickMs) / 1000))
    return answer && sendSlowly(answer, wire, bytes, bytes_per_second)
  },
})
