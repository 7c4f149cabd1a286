/** A multipart form in a recording's text, taken apart: what browsers write of one is not all that was sent. */
import { partDisposition } from '../base/multipart.ts'
import type { HarParam } from './har.ts'

/** Its parts, each with its text; undefined for what is no form. Without a known boundary it is that of the first line. */
export function formParams(text: string, known: string | undefined): HarParam[] | undefined {
  const boundary = known ?? /^--(\S+)\r?$/m.exec(text)?.[1]
  if (boundary === undefined) return undefined
  // What stands before the first boundary and behind the last is none of its parts; Firefox puts the head there.
  const pieces = text.split(`--${boundary}`).slice(1)
  const params = pieces.filter(piece => !piece.startsWith('--')).flatMap(paramOf)
  return params.length === 0 ? undefined : params
}

function paramOf(piece: string): HarParam[] {
  const [, head = '', value = ''] = /^\r?\n([\s\S]*?)\r?\n\r?\n([\s\S]*?)(?:\r?\n)?$/.exec(piece) ?? []
  const disposition = /^content-disposition:(.*)$/im.exec(head)?.[1] ?? ''
  const { name, filename: fileName } = partDisposition(disposition)
  if (name === undefined) return []
  const contentType = /^content-type:\s*(.*?)\r?$/im.exec(head)?.[1]
  return [
    {
      name,
      value,
      ...(fileName !== undefined && { fileName }),
      ...(contentType !== undefined && contentType !== '' && { contentType }),
    },
  ]
}
