import { Readable } from 'node:stream'
import { fault } from './fault.ts'
import { resetConnection } from './wire.ts'

export const cutUpload = fault({
  summary: "resets the connection (RST) in the middle of the request's body",
  params: {
    after_bytes: {
      type: 'integer',
      minimum: 0,
      default: 1024,
      description: 'Bytes of the file, or of the JSON, that are read; 1024 by default.',
    },
  },
  needsAnswer: true,
  cuts: { when: 'in_request', how: 'reset' },
  explain: ({ after_bytes }) => `resets the connection after ${after_bytes} bytes of the request's body`,
  receive: ({ after_bytes }, body, wire) => {
    function end(): never {
      wire.release()
      resetConnection(wire)
      throw new Error('the upload was cut')
    }
    async function* cut() {
      let seen = 0
      for await (const chunk of body) {
        seen += chunk.length
        if (seen >= after_bytes) end()
        yield chunk
      }
      // It was shorter than that: nothing was left to cut but its end.
      end()
    }
    return Readable.from(cut(), { objectMode: false })
  },
})
