import type { FormPart } from '../base/http.ts'
import { contentSize, type UploadFile } from '../base/multipart.ts'
import type { Video } from '../media/clip.ts'
import type { SuiteEnvironment } from './environment.ts'
export const asFile = ({ name, type, bytes }: Video): UploadFile => ({ name, type, content: bytes })

/** The part as a report shows it. */
export const formOf = (file: UploadFile, environment: SuiteEnvironment): readonly FormPart[] => [
  {
    field: file.field ?? 'file',
    filename: file.name,
    type: file.type,
    size: contentSize(file.content),
    ...sourceOf(file, environment),
  },
]

const mostText = 200

/** For who sends it again: the clip's path, or the text. */
function sourceOf({ content }: UploadFile, { clips }: SuiteEnvironment): Pick<FormPart, 'path' | 'text'> {
  const { path } =
    [clips.short, clips.longer, clips.difficult, ...clips.others].find(({ bytes }) => bytes === content) ?? {}
  if (path !== undefined) return { path }
  return content instanceof Uint8Array && content.length <= mostText ? { text: new TextDecoder().decode(content) } : {}
}
