import { bytesPerSecond, fault } from './fault.ts'
import { readSlowly } from './wire.ts'

export const slowUpload = fault({
  summary: "reads the request's body slowly, so many bytes a second",
  params: { bytes_per_second: bytesPerSecond(50_000) },
  needsAnswer: true,
  explain: ({ bytes_per_second }) => `reads the body at ${bytes_per_second} bytes/s`,
  receive: ({ bytes_per_second }, body, wire) => readSlowly(body, wire, bytes_per_second),
})
