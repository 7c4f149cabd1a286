/** A list of any length: only what can be seen is in the document. */
import { useSignal } from '@preact/signals'
import type { ComponentChildren } from 'preact'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'

interface VirtualListProps {
  count: number
  rowHeight: number
  /** Rows that came on top so far: who has scrolled down goes on seeing the same rows. */
  added: number
  /** The row that has to be seen. */
  focus: number | undefined
  label: string
  id: string
  active: string | undefined
  onKeyDown: (event: KeyboardEvent) => void
  row: (index: number) => ComponentChildren
  head: ComponentChildren
}

const beyond = 8

export function VirtualList({
  count,
  rowHeight,
  added,
  focus,
  row,
  label,
  id,
  active,
  onKeyDown,
  head,
}: VirtualListProps) {
  const box = useRef<HTMLDivElement>(null)
  const top = useSignal(0)
  const height = useSignal(600)
  const before = useRef(added)
  useEffect(() => {
    const element = box.current as HTMLDivElement
    const observer = new ResizeObserver(() => {
      height.value = element.clientHeight
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  useLayoutEffect(() => {
    const element = box.current as HTMLDivElement
    const more = added - before.current
    before.current = added
    if (more > 0 && element.scrollTop > rowHeight) element.scrollTop += more * rowHeight
  }, [added])
  useLayoutEffect(() => {
    const element = box.current as HTMLDivElement
    if (focus === undefined || focus < 0) return
    const from = focus * rowHeight
    if (from < element.scrollTop) element.scrollTop = from
    else if (from + rowHeight > element.scrollTop + element.clientHeight - rowHeight)
      element.scrollTop = from + rowHeight * 2 - element.clientHeight
  }, [focus])
  const first = Math.max(0, Math.floor(top.value / rowHeight) - beyond)
  const last = Math.min(count, Math.ceil((top.value + height.value) / rowHeight) + beyond)
  const rows = []
  for (let i = first; i < last; i++) rows.push(row(i))
  return (
    <div
      class="grid"
      role="grid"
      id={id}
      tabIndex={0}
      aria-label={label}
      aria-rowcount={count + 1}
      aria-activedescendant={active}
      onKeyDown={onKeyDown}
      ref={box}
      onScroll={event => {
        top.value = event.currentTarget.scrollTop
      }}
    >
      {head}
      <div role="rowgroup" class="rows" style={{ height: `${count * rowHeight}px` }}>
        <div role="presentation" class="window" style={{ transform: `translateY(${first * rowHeight}px)` }}>
          {rows}
        </div>
      </div>
    </div>
  )
}
