/** An upload's body: one part, which may say no type (UP-4). No client library makes that, so it is made here. */
import type { Kit, Outgoing, Video } from './check.ts'
import type { FormPart } from './seen.ts'

export interface UploadFile {
  name: string
  /** undefined: the part says no type (UP-4). */
  type: string | undefined
  content: Uint8Array | { size: number; chunks: () => Iterable<Uint8Array> }
  /** Default: file (UP-1). */
  field?: string
  boundary?: string
}

export const asFile = ({ name, type, bytes }: Video): UploadFile => ({ name, type, content: bytes })

export const usualBoundary = 'understudy-suite-boundary'

/** The part as a report shows it. */
export const formOf = (file: UploadFile, kit: Kit): readonly FormPart[] => [
  {
    field: file.field ?? 'file',
    filename: file.name,
    type: file.type,
    size: sizeOf(file.content),
    ...sourceOf(file, kit),
  },
]

const mostText = 200

/** For who sends it again: the clip's path, or the text. */
function sourceOf({ content }: UploadFile, { clips }: Kit): Pick<FormPart, 'path' | 'text'> {
  const { path } =
    [clips.short, clips.longer, clips.difficult, ...clips.others].find(({ bytes }) => bytes === content) ?? {}
  if (path !== undefined) return { path }
  return content instanceof Uint8Array && content.length <= mostText ? { text: new TextDecoder().decode(content) } : {}
}

export const sizeOf = (content: Outgoing['content']): number =>
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
  const size = head.length + sizeOf(content) + tail.length
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
