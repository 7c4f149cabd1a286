/** The journal's live stream (server-sent events), entry by entry. */
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { wordsFor } from '../base/send.ts'
import { TargetError } from '../base/targetError.ts'
import { type Trust, tlsTrust } from '../base/wire.ts'
import type { JournalEntry } from './mock.ts'

interface EntryStream {
  url: string
  headers: Record<string, string>
  trust: Trust
  listener: (entry: JournalEntry) => void
}

/** Resolves when the mock listens, with what ends the stream. Rejects with a TargetError when it does not answer. */
export function openEntryStream({ url, headers, trust: given, listener }: EntryStream): Promise<() => void> {
  const target = new URL(url)
  const trust = tlsTrust(given)
  return new Promise((resolve, reject) => {
    const call =
      target.protocol === 'https:' ? httpsRequest(target, { headers, ...trust }) : httpRequest(target, { headers })
    call.on('error', error => reject(new TargetError(`${target.origin}: ${wordsFor(error, target)}`)))
    call.on('response', answer => {
      if (answer.statusCode !== 200) {
        call.destroy()
        return reject(new TargetError(`${target.origin}: the journal's stream was answered ${answer.statusCode}`))
      }
      let text = ''
      answer.setEncoding('utf8').on('error', () => {})
      answer.on('data', (chunk: string) => {
        // The first that comes is a comment: the mock listens now.
        resolve(() => call.destroy())
        const events = (text + chunk).split('\n\n')
        text = events.pop() as string
        for (const event of events) {
          const data = /^data: (.*)$/m.exec(event)?.[1]
          if (data !== undefined) listener(JSON.parse(data))
        }
      })
    })
    call.end()
  })
}
