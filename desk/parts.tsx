/** Small parts that all views share. */
import { useSignal } from '@preact/signals'
import type { ButtonHTMLAttributes, ComponentChildren } from 'preact'
import { useEffect, useId, useLayoutEffect, useRef } from 'preact/hooks'
import { errorText } from './api.ts'
import { live } from './live.ts'
import { announce } from './state.ts'

/** What is shown is never older than `everyMs`; when the journal has news, not older than this. */
const newsMs = 250

/** Runs `load` at once and again every so often while the view is open, one at a time, and sooner when something happens. */
export function usePolled<T>(load: () => Promise<T>, everyMs: number, inputs: readonly unknown[]): Polled<T> {
  const found = useSignal<T | undefined>(undefined)
  const error = useSignal<string | undefined>(undefined)
  const again = useRef<() => void>(() => {})
  useEffect(() => {
    let isOver = false
    let isLoading = false
    let hasNews = false
    let timer: ReturnType<typeof setTimeout> | undefined
    /** What is dear to work out is asked for less often. */
    let rest = newsMs
    let ended = 0
    const round = async (): Promise<void> => {
      clearTimeout(timer)
      isLoading = true
      hasNews = false
      const begun = performance.now()
      try {
        const next = await load()
        if (isOver) return
        found.value = next
        error.value = undefined
      } catch (problem) {
        if (!isOver) error.value = errorText(problem)
      }
      isLoading = false
      ended = performance.now()
      rest = Math.max(newsMs, (ended - begun) * 5)
      if (!isOver && Number.isFinite(everyMs)) timer = setTimeout(round, hasNews ? rest : Math.max(everyMs, rest))
    }
    again.current = () => void round()
    void round()
    const stop = live.version.subscribe(() => {
      hasNews = true
      if (isLoading || !Number.isFinite(everyMs)) return
      clearTimeout(timer)
      timer = setTimeout(round, Math.max(0, ended + rest - performance.now()))
    })
    return () => {
      isOver = true
      stop()
      clearTimeout(timer)
    }
  }, inputs)
  return { value: found.value, error: error.value, again: () => again.current() }
}

export interface Polled<T> {
  value: T | undefined
  error: string | undefined
  again(): void
}

/** A button whose work may fail: what went wrong is said beside it, and aloud. */
export function Action({
  run,
  children,
  done,
  ...rest
}: {
  run: () => Promise<unknown>
  children: ComponentChildren
  done?: string
} & Omit<ButtonHTMLAttributes, 'onClick'>) {
  const isBusy = useSignal(false)
  const click = async () => {
    if (isBusy.value) return
    isBusy.value = true
    try {
      await run()
      if (done !== undefined) announce(done)
    } catch (error) {
      announce(errorText(error), true)
    }
    isBusy.value = false
  }
  return (
    <button type="button" {...rest} aria-busy={isBusy.value} onClick={click}>
      {children}
    </button>
  )
}

export async function copyText(text: string): Promise<void> {
  // Off loopback without TLS a page has no clipboard but this one.
  if (navigator.clipboard === undefined) {
    const area = document.createElement('textarea')
    area.value = text
    document.body.append(area)
    area.select()
    document.execCommand('copy')
    area.remove()
    return
  }
  await navigator.clipboard.writeText(text)
}

export const CopyButton = ({ text, label = 'Copy' }: { text: string | (() => Promise<string>); label?: string }) => (
  <Action class="small" done="Copied" run={async () => copyText(typeof text === 'string' ? text : await text())}>
    {label}
  </Action>
)

/** A status, in words for who sees no colours. */
export function Status({ status }: { status: number }) {
  const kind =
    status === 0 ? 'none' : status < 300 ? 'good' : status < 400 ? 'moved' : status < 500 ? 'client' : 'server'
  return (
    <span class={`status ${kind}`} title={status === 0 ? 'no HTTP answer' : undefined}>
      {status === 0 ? '—' : status}
    </span>
  )
}

export const clockTime = (iso: string): string => iso.slice(11, 23)
export const shortTime = (iso: string): string => iso.slice(11, 19)
export const duration = (ms: number): string =>
  ms >= 100_000
    ? `${Math.round(ms / 1000)} s`
    : ms >= 1000
      ? `${(ms / 1000).toFixed(2)} s`
      : ms >= 10
        ? `${Math.round(ms)} ms`
        : `${ms.toFixed(1)} ms`
export const count = (n: number): string => n.toLocaleString('en').replaceAll(',', '\u2009')
export const plural = (n: number, one: string, many = `${one}s`): string => `${count(n)} ${n === 1 ? one : many}`

/** JSON as a tree that can be folded; a text as it is. */
export function Json({ value, depth = 0 }: { value: unknown; depth?: number }) {
  if (typeof value !== 'object' || value === null) return <Plain value={value} />
  const entries = Object.entries(value)
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}']
  if (entries.length === 0) return <span>{`${open}${close}`}</span>
  return (
    <details class="json" open={depth < 2}>
      <summary>
        {open} <span class="quiet">{plural(entries.length, Array.isArray(value) ? 'item' : 'field')}</span>
      </summary>
      <Fields entries={entries} isList={Array.isArray(value)} depth={depth} />
      {close}
    </details>
  )
}

function Fields({ entries, isList, depth }: { entries: [string, unknown][]; isList: boolean; depth: number }) {
  const shown = useSignal(100)
  return (
    <ul>
      {entries.slice(0, shown.value).map(([name, value]) => (
        <li key={name}>
          <span class="name">{isList ? name : JSON.stringify(name)}</span>: <Json value={value} depth={depth + 1} />
        </li>
      ))}
      {entries.length > shown.value && (
        <li>
          <button type="button" class="small" onClick={() => (shown.value += 1000)}>
            {entries.length - shown.value} more
          </button>
        </li>
      )}
    </ul>
  )
}

function Plain({ value }: { value: unknown }) {
  const kind = value === null ? 'null' : typeof value
  return <span class={`json-${kind}`}>{value === undefined ? 'absent' : JSON.stringify(value)}</span>
}

/** Names and values. */
export const Facts = ({ rows }: { rows: readonly (readonly [string, ComponentChildren])[] }) => (
  <dl class="facts">
    {rows.map(([name, value]) => (
      <div key={name}>
        <dt>{name}</dt>
        <dd>{value}</dd>
      </div>
    ))}
  </dl>
)

export function Modal({
  title,
  close,
  children,
  wide,
}: {
  title: string
  close: () => void
  children: ComponentChildren
  wide?: boolean
}) {
  const dialog = useRef<HTMLDialogElement>(null)
  const id = useId()
  useLayoutEffect(() => {
    dialog.current?.showModal()
  }, [])
  return (
    <dialog ref={dialog} aria-labelledby={id} class={wide ? 'wide' : ''} onClose={close}>
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" class="small" onClick={() => dialog.current?.close()}>
          Close
        </button>
      </header>
      {children}
    </dialog>
  )
}

/** What a list shows when it is empty, or while it is not there yet. */
export const Notice = ({ children, isBad }: { children: ComponentChildren; isBad?: boolean }) => (
  <p class={isBad ? 'notice bad' : 'notice'}>{children}</p>
)

export function download(name: string, content: Blob): void {
  const url = URL.createObjectURL(content)
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
