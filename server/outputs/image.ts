/** A picture for behind the subject: from this machine only, as webhooks are, since a job must not lead the mock to other hosts. */
import { writeFile } from 'node:fs/promises'
import { NoAnswer } from '../../base/http.ts'
import { isLoopback } from '../../base/loopback.ts'
import { makeTransport } from '../../base/send.ts'
import { RenderError } from './look.ts'

const fetchMs = 5_000
const maxImageBytes = 32 * 1024 * 1024
const imageTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/gif', 'image/bmp']

/** Fetches it into a file and gives its path; undefined where it is on another machine. Throws where it is none. */
export async function fetchImage(
  url: string | undefined,
  path: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (url === undefined || !isLoopback(new URL(url).hostname)) return undefined
  const { fileTypeFromBuffer } = await import('file-type')
  const transport = makeTransport({ onlyLoopback: true }, signal)
  try {
    const { status, bytes } = await transport.send({ method: 'GET', url, headers: {}, timeoutMs: fetchMs })
    const type = status === 200 ? (await fileTypeFromBuffer(bytes))?.mime : undefined
    if (status !== 200) throw new RenderError(`its background's image_url is answered ${status}`, { isFinal: false })
    if (type === undefined || !imageTypes.includes(type) || bytes.length > maxImageBytes)
      throw new RenderError(
        `its background's image_url gives ${type ?? 'no picture'} of ${bytes.length} bytes; expected one of ${imageTypes.join(', ')} to ${maxImageBytes} bytes`,
        { isFinal: false },
      )
    await writeFile(path, bytes)
    return path
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error
    throw new RenderError(`its background's image_url gives no answer: ${error.message}`, { isFinal: false })
  } finally {
    transport.close()
  }
}
