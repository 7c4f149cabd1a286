/** A job's output, played in the page: a video, an animated image, or the frames of a zip. */
import { useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import { errorText } from './api.ts'
import { Notice } from './parts.tsx'

export function Output({ path, format }: { path: string; format: string | null }) {
  const url = new URL(`..${path}`, document.baseURI).href
  return (
    <section class="block" aria-label="Output">
      <h3>
        Output <a href={url}>open</a>
      </h3>
      <Player url={url} format={format ?? ''} />
    </section>
  )
}

function Player({ url, format }: { url: string; format: string }) {
  const failed = useSignal(false)
  if (failed.value) return <Notice>This browser can't play {format}; open it in a player.</Notice>
  if (format === 'png_sequence') return <Frames url={url} />
  if (format === 'gif' || format === 'webp')
    return (
      <img class="output" src={url} alt={`The output, an animated ${format}`} onError={() => (failed.value = true)} />
    )
  return (
    <video
      class="output"
      src={url}
      controls
      loop
      muted
      autoPlay={!matchMedia('(prefers-reduced-motion: reduce)').matches}
      onError={() => (failed.value = true)}
    />
  )
}

/** The frames of a png_sequence, one after the other. */
function Frames({ url }: { url: string }) {
  const frames = useSignal<readonly string[]>([])
  const at = useSignal(0)
  const isPlaying = useSignal(!matchMedia('(prefers-reduced-motion: reduce)').matches)
  const error = useSignal<string | undefined>(undefined)
  useEffect(() => {
    let made: string[] = []
    const load = async () => {
      const [{ unzipSync }, answer] = await Promise.all([import('fflate'), fetch(url)])
      const files = unzipSync(new Uint8Array(await answer.arrayBuffer()))
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
  }, [url])
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
