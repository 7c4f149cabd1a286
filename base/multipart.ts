/** An upload's body: one part, which may say no type (UP-4). No client library makes that, so it is made here. */

import type { Outgoing } from './http.ts'

export interface UploadFile {
  name: string
  /** undefined: the part says no type (UP-4). */
  type: string | undefined
  content: Uint8Array | { size: number; chunks: () => Iterable<Uint8Array> }
  /** Default: file (UP-1). */
  field?: string
  boundary?: string
}

export const usualBoundary = 'understudy-suite-boundary'

export const contentSize = (content: Outgoing['content']): number =>
  content === undefined ? 0 : content instanceof Uint8Array ? content.length : content.size

export function multipart({
  name,
  type,
  content,
  field = 'file',
  boundary = usualBoundary,
}: UploadFile): NonNullable<Outgoing['content']> {
  const lines = [`--${boundary}`, `Content-Disposition: form-data; name="${field}"; filename="${name}"`]
  if (type !== undefined) lines.push(`Content-Type: ${type}`)
  const head = new TextEncoder().encode(`${lines.join('\r\n')}\r\n\r\n`)
  const tail = new TextEncoder().encode(`\r\n--${boundary}--\r\n`)
  const size = head.length + contentSize(content) + tail.length
  return {
    size,
    *chunks() {
      yield head
      if (content instanceof Uint8Array) yield content
      else yield* content.chunks()
      yield tail
    },
  }
}
