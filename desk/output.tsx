/**
 * A job's output, played in the page: a video, an animated image, or the frames of a zip. It is fetched by a control route:
 * to look at it is no call of the client, which a rule would count.
 */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { errorText, send } from './api.ts'
import { Notice } from './parts.tsx'

const isStill = (): boolean => matchMedia('(prefers-reduced-motion: reduce)').matches

export function Output({ id, format }: { id: string; format: string }) {
  const url = useSignal<string | undefined>(undefined)
  const file = useSignal<Blob | undefined>(undefined)
  const error = useSignal<string | undefined>(undefined)
  useEffect(() => {
    let made: string | undefined
    let isOver = false
    send(`jobs/${encodeURIComponent(id)}/output`)
      .then(answer => answer.blob())
      .then(found => {
        if (isOver) return
        made = URL.createObjectURL(found)
        file.value = found
        url.value = made
      })
      .catch(problem => {
        error.value = errorText(problem)
      })
    return () => {
      isOver = true
      if (made !== undefined) URL.revokeObjectURL(made)
    }
  }, [id])
  const name = `${id}.${format === 'png_sequence' ? 'zip' : format}`
  return (
    <section class="block" aria-label="Output">
      <h3>
        Output{' '}
        {url.value !== undefined && (
          <a href={url.value} download={name}>
            save
          </a>
        )}
      </h3>
      {error.value !== undefined && <Notice isBad>{error.value}</Notice>}
      {url.value !== undefined && file.value !== undefined && (
        <Player url={url.value} file={file.value} format={format} />
      )}
    </section>
  )
}

interface PlayerProps {
  url: string
  file: Blob
  format: string
}

function Player({ url, file, format }: PlayerProps) {
  const failed = useSignal(false)
  const fail = () => {
    failed.value = true
  }
  if (failed.value) return <Notice>This browser can't play {format}; save it, and open it in a player.</Notice>
  if (format === 'png_sequence') return <Frames file={file} />
  if (format === 'gif' || format === 'webp')
    return <img class="output" src={url} alt={`The output, an animated ${format}`} onError={fail} />
  return <video class="output" src={url} controls loop muted autoPlay={!isStill()} onError={fail} />
}

/** The frames of a png_sequence, one after the other. */
function Frames({ file }: { file: Blob }) {
  const frames = useSignal<readonly string[]>([])
  const at = useSignal(0)
  const isPlaying = useSignal(!isStill())
  const error = useSignal<string | undefined>(undefined)
  useEffect(() => {
    let made: string[] = []
    const load = async () => {
      const [{ unzipSync }, bytes] = await Promise.all([import('fflate'), file.arrayBuffer()])
      const files = unzipSync(new Uint8Array(bytes))
      const names = Object.keys(files)
        .filter(name => name.endsWith('.png'))
        .sort()
      made = names.map(name =>
        URL.createObjectURL(new Blob([files[name] as Uint8Array<ArrayBuffer>], { type: 'image/png' })),
      )
      frames.value = made
    }
    load().catch(problem => {
      error.value = errorText(problem)
    })
    return () => made.forEach(one => URL.revokeObjectURL(one))
  }, [file])
  const n = frames.value.length
  useEffect(() => {
    if (!isPlaying.value || n === 0) return
    const timer = setInterval(() => {
      at.value = (at.value + 1) % n
    }, 100)
    return () => clearInterval(timer)
  }, [isPlaying.value, n])
  if (error.value !== undefined) return <Notice isBad>{error.value}</Notice>
  if (n === 0) return <Notice>Unpacking…</Notice>
  return (
    <>
      <img class="output" src={frames.value[at.value]} alt={`Frame ${at.value + 1} of ${n}`} />
      <p class="line">
        <button type="button" class="small" onClick={() => (isPlaying.value = !isPlaying.value)}>
          {isPlaying.value ? 'Stop' : 'Play'}
        </button>
        <input
          type="range"
          min={0}
          max={n - 1}
          value={at.value}
          aria-label="Frame"
          onInput={event => {
            isPlaying.value = false
            at.value = Number(event.currentTarget.value)
          }}
        />
        <span>
          {at.value + 1} of {n}
        </span>
      </p>
    </>
  )
}
