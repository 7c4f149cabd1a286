/** Multipart forms: what is read of their headers; and made here because no client library sends a part without a type (UP-4). */

import { parse } from 'content-disposition'
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

/** What the Content-Disposition of a form's part says. */
export interface PartDisposition {
  /** "form-data", in lower case. */
  disposition: string
  name: string | undefined
  filename: string | undefined
}

/** Reads one as clients write it. filename* is the name that is meant, wherever it stands (RFC 6266, 4.3). */
export function partDisposition(header: string): PartDisposition {
  // Browsers write %22 for a quote and leave a backslash as it is; others escape both with a backslash.
  const { type, parameters } = parse(header.trim(), { multipart: !/\\["\\]/.test(header) })
  return { disposition: type.toLowerCase(), name: parameters.name, filename: parameters.filename }
}

/** The boundary that a form's Content-Type says. */
export function boundaryOf(type: string): string | undefined {
  const [, quoted, bare] = /;\s*boundary=(?:"([^"]+)"|([^;\s]+))/i.exec(type) ?? []
  return quoted ?? bare
}

export const usualBoundary = 'understudy-suite-boundary'

export const contentSize = (content: Outgoing['content']): number =>
  content === undefined ? 0 : content instanceof Uint8Array ? content.length : content.size

/** What is written of a part before its content. */
export interface PartHead {
  field: string
  /** undefined: the part is a text, not a file. */
  filename?: string | undefined
  /** undefined: the part has no Content-Type. */
  type?: string | undefined
}

/** The bytes around the contents of a form: one head for each part, and what ends the form. */
export function formFrame(parts: readonly PartHead[], boundary: string): { heads: Uint8Array[]; tail: Uint8Array } {
  const encoder = new TextEncoder()
  const heads = parts.map(({ field, filename, type }, i) => {
    const file = filename === undefined ? '' : `; filename="${filename}"`
    const contentType = type === undefined ? '' : `\r\nContent-Type: ${type}`
    const before = i === 0 ? '' : '\r\n'
    return encoder.encode(
      `${before}--${boundary}\r\nContent-Disposition: form-data; name="${field}"${file}${contentType}\r\n\r\n`,
    )
  })
  return { heads, tail: encoder.encode(`${parts.length === 0 ? '' : '\r\n'}--${boundary}--\r\n`) }
}

/** The body of an upload: a form with one file. */
export function multipart({
  name,
  type,
  content,
  field = 'file',
  boundary = usualBoundary,
}: UploadFile): NonNullable<Outgoing['content']> {
  const { heads, tail } = formFrame([{ field, filename: name, type }], boundary)
  const head = heads[0] as Uint8Array
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
