/** UP-1 to UP-4: what was uploaded, as far as the recording knows it, and what came of it. */
import type { FormPart } from '../../base/http.ts'
import { describeResponse, field } from '../../contracts/answers.ts'
import { videoTypes } from '../../contracts/schemas.ts'
import type { RecordedCall } from '../../recordings/traffic.ts'

import type { Observer } from './observer.ts'

const maxBytes = 500 * 1024 * 1024
const extensions: readonly string[] = Object.values(videoTypes).flat()
/** Types that are surely no video. */
const isNoVideo = (type: string): boolean => /^(text|image|audio|font)\/|^application\/(json|pdf|zip|xml)\b/i.test(type)

const extensionOf = (name: string): string => /\.(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? ''
const typeOf = ({ type }: FormPart): string => type?.split(';', 1)[0]?.trim().toLowerCase() ?? ''
const isListed = (part: FormPart): boolean =>
  ((videoTypes as Record<string, readonly string[]>)[typeOf(part)] ?? []).includes(extensionOf(part.filename))
/** Only a recorder that has seen the bytes knows how many they were. */
const sizeOf = ({ sha256, size }: FormPart): number | undefined => (sha256 === undefined ? undefined : size)

const messageOf = (call: RecordedCall): string =>
  String((field(call, 'error') as { message?: unknown } | undefined)?.message ?? '')

export const uploads: Observer = {
  id: 'traffic.uploads',
  title: 'an upload of a documented type and size is taken as what it is, and no other',
  clauses: ['UP-1', 'UP-2', 'UP-3', 'UP-4', 'ERR-4'],
  watch: look => ({
    call({ call, index, isWhole, isGood, hasBody }) {
      if (!isWhole || (call.operation !== 'uploadVideo' && call.operation !== 'uploadVideoLegacy')) return
      const files = call.sent.form ?? []
      const [part] = files
      // A replay tells of the first upload, which has the same name and bytes (ID-1).
      if (part === undefined || files.length > 1 || part.field !== 'file') return
      const said = describeResponse(call)
      const size = sizeOf(part)
      const type = typeOf(part)
      const isLarge = size !== undefined && size > maxBytes
      if (isGood) {
        look(index, 'UP-1', true, 'one file in the field "file" is taken', said)
        const isWrong = isNoVideo(type) && !extensions.includes(extensionOf(part.filename))
        if (isWrong) look(index, 'UP-2', false, `400 Invalid file type for ${part.filename}, ${type}`, said)
        else if (isLarge) look(index, 'UP-2', false, `400 File too large for ${size} bytes`, said)
        else if (isListed(part)) look(index, 'UP-2', true, `${type} is taken`, said)
        if (part.type === undefined && size !== undefined && extensions.includes(extensionOf(part.filename)))
          look(index, 'UP-4', true, 'a part without a type is known by its name and bytes', said)
        if (!hasBody) return
        const [name, shownSize] = [field(call, 'filename'), field(call, 'size')]
        // A server may well change a name with more than letters in it.
        if (typeof name === 'string' && /^\w[\w.-]*$/.test(part.filename))
          look(index, 'UP-3', name === part.filename, part.filename, name, { pointer: '/filename' })
        if (typeof shownSize === 'number' && size !== undefined)
          look(index, 'UP-3', shownSize === size, `${size} bytes`, String(shownSize), { pointer: '/size' })
        return
      }
      if (!hasBody || call.status !== 400) return
      const message = messageOf(call)
      const isType = /^Invalid file type/i.test(message)
      const isSize = /^File too large/i.test(message)
      if (isType && isNoVideo(type)) look(index, 'UP-2', true, '400 for what is not a video', said)
      if (isType && isListed(part) && isVideoByBytes(part)) look(index, 'UP-2', false, `${type} is taken`, said)
      if (isSize && isLarge) look(index, 'UP-2', true, `400 for ${size} bytes`, said)
      if (isSize && size !== undefined && size <= maxBytes)
        look(index, 'UP-2', false, `a file of ${size} bytes is taken`, said)
    },
  }),
}

/** A server may look at the bytes: a file of a few is hardly a video, whatever it is called. */
const isVideoByBytes = (part: FormPart): boolean =>
  (sizeOf(part) ?? 0) >= 1024 || (sizeOf(part) === undefined && part.type !== undefined)
