/** The journal: each call and webhook as it happens, with what decided about it; and the one that is open beside it. */
import { type Signal, useComputed, useSignal, useSignalEffect } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { JournalRow, RowPage, ScenarioDraftAnswer } from '../client/desk.ts'
import { ask, query } from './api.ts'
import { Call } from './call.tsx'
import { filteredBy, filterNames, parseFilter, withName } from './filter.ts'
import { VirtualList } from './list.tsx'
import { FilteredRows, live, maxRows, type Source } from './live.ts'
import { Action, clockTime, count, duration, Modal, Notice, plural, Status } from './parts.tsx'
import { announce, draft, filterText, go, idOf, isNarrow, linkTo, mark, marked, place } from './state.ts'

interface JournalProps {
  source: Source
  /** Of an opened incident: where its calls are in the address. */
  incident?: string
}

export function Journal({ source, incident }: JournalProps) {
  const isPaused = useSignal(false)
  const pausedRows = useRef<readonly JournalRow[]>([])
  const hits = useSignal<ReadonlySet<number>>(new Set())
  // An opened file has a filter of its own.
  const ownFilter = useSignal('')
  const given = incident === undefined ? filterText : ownFilter
  const text = given.value
  const filter = useMemo(() => parseFilter(text), [text])
  const filtered = useMemo(
    () => new FilteredRows(source, row => filter.fits(row) || (hits.peek().has(row.seq) && filter.fitsNames(row))),
    [source, filter, hits.value],
  )
  useBodySearch(incident === undefined ? filter.words : [], hits)
  // Reading it makes the view follow.
  const version = source.version.value
  if (!isPaused.value) filtered.update()
  const rows = isPaused.value ? pausedRows.current : filtered.rows
  const openId = place.value.id
  const view = incident === undefined ? 'calls' : `incidents/${incident}`
  const own = incident === undefined ? openId : openId?.slice(incident.length + 1) || undefined
  const open = (row: JournalRow): void =>
    go(incident === undefined ? linkTo('calls', idOf(row), { q: filterText.value }) : `#/${view}/${idOf(row)}`)
  const close = (): void =>
    go(incident === undefined ? linkTo('calls', undefined, { q: filterText.value }) : `#/${view}`)
  const openIndex = own === undefined ? -1 : rows.findLastIndex(row => idOf(row) === own)
  const shown = openIndex === -1 ? undefined : rows.length - 1 - openIndex
  const cursor = useSignal(0)
  const at = shown ?? Math.min(cursor.value, Math.max(0, rows.length - 1))
  const rowAt = (i: number): JournalRow => rows[rows.length - 1 - i] as JournalRow

  const move = (by: number): void => {
    if (rows.length === 0) return
    const next = Math.min(rows.length - 1, Math.max(0, at + by))
    cursor.value = next
    if (own !== undefined) open(rowAt(next))
  }
  const keys = (event: KeyboardEvent): void => {
    const target = event.target as HTMLElement
    if (event.ctrlKey || event.metaKey || event.altKey || /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName)) return
    const act = rowKeys[event.key]
    if (act === undefined) return
    event.preventDefault()
    act()
  }
  const rowKeys: Record<string, () => void> = {
    j: () => move(1),
    ArrowDown: () => move(1),
    k: () => move(-1),
    ArrowUp: () => move(-1),
    PageDown: () => move(20),
    PageUp: () => move(-20),
    Home: () => move(-rows.length),
    End: () => move(rows.length),
    Enter: () => rows.length > 0 && open(rowAt(at)),
    x: () => rows.length > 0 && mark(rowAt(at).seq),
    Escape: close,
    p: () => setPaused(!isPaused.value),
  }
  const setPaused = (paused: boolean): void => {
    pausedRows.current = [...filtered.rows]
    isPaused.value = paused
  }
  // j and k work wherever one is on the page, but in a field.
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement
      if (target.closest('dialog, [role=grid], .editor') || target.isContentEditable) return
      if (/^[jkxp]$|^Escape$/.test(event.key)) keys(event)
    }
    addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  })

  const rowHeight = isNarrow.value ? 52 : 30
  return (
    <div class={own === undefined ? 'split' : 'split open'}>
      <section class="pane list" aria-label="Journal">
        <Toolbar
          source={source}
          isLive={incident === undefined}
          filter={given}
          fitting={rows.length}
          isPaused={isPaused.value}
          behind={isPaused.value ? source.rows.length - pausedRows.current.length : 0}
          setPaused={setPaused}
          unknown={filter.unknown}
        />
        <VirtualList
          id="journal"
          label="Calls and webhooks, the newest first"
          count={rows.length}
          rowHeight={rowHeight}
          added={isPaused.value ? -version : filtered.added}
          focus={shown ?? (cursor.value === 0 ? undefined : at)}
          active={rows.length === 0 ? undefined : `row-${rowAt(at)?.seq}`}
          onKeyDown={keys}
          head={<Head />}
          row={i => {
            const row = rowAt(i)
            return (
              <Row
                // Rows that move on change their texts, and not their places.
                key={i}
                row={row}
                index={i}
                isActive={i === at}
                isOpen={i === shown}
                isMarked={marked.value.has(row.seq)}
                open={() => {
                  cursor.value = i
                  open(row)
                }}
              />
            )
          }}
        />
        {rows.length === 0 && <Empty filter={given} all={source.rows.length} />}
        <Foot source={source} isLive={incident === undefined} />
      </section>
      {own !== undefined && (
        <Call id={own} incident={incident} row={shown === undefined ? undefined : rowAt(shown)} close={close} />
      )}
    </div>
  )
}

const Head = () => (
  <div role="rowgroup" class="head">
    <div role="row" class="row" aria-rowindex={1}>
      {['Mark', 'Time', 'Status', 'Call', 'Took', 'Why', 'World', 'IDs'].map(name => (
        <span key={name} role="columnheader" class={`c-${name.toLowerCase()}`}>
          {name === 'Mark' ? <span class="unseen">Mark</span> : name}
        </span>
      ))}
    </div>
  </div>
)

interface RowProps {
  row: JournalRow
  index: number
  isActive: boolean
  isOpen: boolean
  isMarked: boolean
  open: () => void
}

function Row({ row, index, isActive, isOpen, isMarked, open }: RowProps) {
  const { seq, time, kind, method, url, status, ms, world, job_id: jobId, request_id: requestId, event, attempt } = row
  return (
    <div
      role="row"
      id={`row-${seq}`}
      class={`row${isOpen ? ' is-open' : isActive ? ' is-active' : ''}${kind === 'webhook' ? ' is-webhook' : ''}`}
      aria-rowindex={index + 2}
      aria-selected={isOpen}
      tabIndex={-1}
      onClick={open}
    >
      <span role="gridcell" class="c-mark">
        <input
          type="checkbox"
          tabIndex={-1}
          checked={isMarked}
          aria-label={`Mark ${method} ${url}`}
          onClick={click => click.stopPropagation()}
          onChange={() => mark(seq)}
        />
      </span>
      <span role="gridcell" class="c-time">
        {clockTime(time)}
      </span>
      <span role="gridcell" class="c-status">
        <Status status={status} />
      </span>
      <span role="gridcell" class="c-call" title={url}>
        <b>{kind === 'webhook' ? '⇢' : method}</b>{' '}
        {kind === 'webhook' ? `${event} ${attempt && attempt > 1 ? `(try ${attempt}) ` : ''}` : ''}
        <span class={kind === 'webhook' ? 'quiet' : ''}>{url}</span>
      </span>
      <span role="gridcell" class="c-took">
        {duration(ms)}
      </span>
      <span role="gridcell" class="c-why">
        <Why row={row} />
      </span>
      <span role="gridcell" class="c-world quiet">
        {world}
      </span>
      <span role="gridcell" class="c-ids quiet">
        {requestId} {jobId}
      </span>
    </div>
  )
}

/** What decided: a rule, the scenario's own account, or the mock. */
function Why({ row: { scenario, rule, fault, code, said: message, aborted } }: { row: JournalRow }) {
  if (rule !== undefined)
    return (
      <span title={`${scenario}: ${rule}`}>
        <span class="tag rule">{rule}</span> {fault !== undefined && <span class="tag fault">{fault}</span>}{' '}
        <span class="quiet">{scenario}</span>
      </span>
    )
  if (aborted) return <span class="tag fault">the client hung up</span>
  if (scenario !== undefined && code === 'rate_limited')
    return (
      <span title={message}>
        <span class="tag rule">its limit</span> <span class="quiet">{scenario}</span> {code}
      </span>
    )
  if (code !== undefined)
    return (
      <span title={message}>
        <span class="tag">{code}</span> {message?.replace(/^[^:]*: /, '')}
      </span>
    )
  if (message !== undefined) return <span class="tag fault">{message}</span>
  if (fault !== undefined) return <span class="tag fault">{fault}</span>
  return scenario === undefined ? null : <span class="quiet">{scenario}: no rule fired</span>
}

interface ToolbarProps {
  source: Source
  filter: Signal<string>
  isLive: boolean
  fitting: number
  isPaused: boolean
  behind: number
  setPaused: (paused: boolean) => void
  unknown: readonly string[]
}

function Toolbar({ source, filter, isLive, fitting, isPaused, behind, setPaused, unknown }: ToolbarProps) {
  const asksToClear = useSignal(false)
  const asksHelp = useSignal(false)
  const choices = useChoices(source)
  const set = (name: string) => (event: { currentTarget: HTMLSelectElement }) => {
    filter.value = withName(filter.value, name, event.currentTarget.value || undefined)
  }
  const selected = (name: string, options: readonly string[]) => {
    const value = filteredBy(filter.value, name)
    return (
      <label class="pick">
        <span class="unseen">{name}</span>
        <select value={value} onChange={set(name)}>
          <option value="">any {name}</option>
          {[...new Set([...options, ...(value === '' ? [] : [value])])].map(option => (
            <option key={option} value={option}>
              {option}
            </option>
          ))}
        </select>
      </label>
    )
  }
  return (
    <div class="toolbar">
      <label class="search">
        <span class="unseen">Filter</span>
        <input
          id="filter"
          type="search"
          placeholder="Filter: words, or status:4xx job:… req:… trace:…   ( / )"
          value={filter.value}
          autocomplete="off"
          spellcheck={false}
          onInput={event => {
            filter.value = event.currentTarget.value
          }}
          onKeyDown={event => {
            if (event.key === 'Escape' || event.key === 'ArrowDown' || event.key === 'Enter') {
              event.preventDefault()
              document.getElementById('journal')?.focus()
            }
          }}
        />
      </label>
      <button type="button" class="small" aria-label="What the filter takes" onClick={() => (asksHelp.value = true)}>
        ?
      </button>
      {selected('world', choices.worlds)}
      {selected('route', choices.routes)}
      {selected('status', ['2xx', '4xx', '5xx', '0', ...choices.statuses])}
      <span class="quiet counted">{count(fitting)}</span>
      <span class="spacer" />
      <Marked isLive={isLive} />
      {isLive && (
        <>
          <button type="button" aria-pressed={isPaused} onClick={() => setPaused(!isPaused)}>
            {isPaused ? `Go on${behind > 0 ? ` (${count(behind)} new)` : ''}` : 'Pause'}
          </button>
          <button type="button" onClick={() => (asksToClear.value = true)}>
            Clear
          </button>
        </>
      )}
      {unknown.length > 0 && (
        <p class="hint" role="status">
          There is no filter {unknown.map(name => `${name}:`).join(', ')}; expected{' '}
          {Object.keys(filterNames)
            .map(name => `${name}:`)
            .join(' ')}
        </p>
      )}
      {asksToClear.value && (
        <Modal title="Clear the journal?" close={() => (asksToClear.value = false)}>
          <p>
            The mock forgets all of its {plural(source.rows.length, 'entry', 'entries')}, for everybody who looks.
            Worlds and jobs stay.
          </p>
          <p class="buttons">
            <Action
              class="danger"
              done="The journal is empty"
              run={async () => {
                await ask('journal', { method: 'DELETE' })
                live.emptied()
                marked.value = new Set()
                asksToClear.value = false
              }}
            >
              Clear it
            </Action>
          </p>
        </Modal>
      )}
      {asksHelp.value && <FilterHelp close={() => (asksHelp.value = false)} />}
    </div>
  )
}

const FilterHelp = ({ close }: { close: () => void }) => (
  <Modal title="Filter" close={close}>
    <p>Words are looked for in what a row shows, and in headers and bodies. All that is given has to fit.</p>
    <table>
      <tbody>
        {Object.entries(filterNames).map(([name, { what }]) => (
          <tr key={name}>
            <td>
              <code>{name}:</code>
            </td>
            <td>{what}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Modal>
)

/** What can be done with the rows that are marked. */
function Marked({ isLive }: { isLive: boolean }) {
  const seqs = marked.value
  if (seqs.size === 0) return null
  return (
    <span class="marked">
      {seqs.size} marked
      {isLive && (
        <Action
          run={async () => {
            draft.value = await ask<ScenarioDraftAnswer>('scenarios/draft', { body: { seqs: [...seqs] } })
            go(linkTo('scenarios', 'new'))
          }}
        >
          Make a scenario of these
        </Action>
      )}
      <button type="button" class="small" onClick={() => (marked.value = new Set())}>
        Unmark
      </button>
    </span>
  )
}

/** What the rows have to choose from; looked through anew at most every second. */
function useChoices(source: Source): { worlds: string[]; routes: string[]; statuses: string[] } {
  const tick = useComputed(() => Math.floor(source.version.value / 30))
  const length = Math.min(source.rows.length, 1)
  return useMemo(() => {
    const worlds = new Set<string>()
    const routes = new Set<string>()
    const statuses = new Set<string>()
    for (const row of source.rows) {
      worlds.add(row.world)
      if (row.route !== null) routes.add(row.route)
      statuses.add(String(row.status))
    }
    return { worlds: [...worlds].sort().slice(0, 200), routes: [...routes].sort(), statuses: [...statuses].sort() }
  }, [source, tick.value, length])
}

/** Words may stand in headers and bodies: only the mock has those. */
function useBodySearch(words: readonly string[], hits: { value: ReadonlySet<number> }): void {
  const asked = words.join(' ')
  const every = useComputed(() => Math.floor(live.version.value / 20))
  useEffect(() => {
    if (asked === '') {
      if (hits.value.size > 0) hits.value = new Set()
      return
    }
    const stop = new AbortController()
    const timer = setTimeout(async () => {
      const found: ReadonlySet<number>[] = []
      try {
        for (const text of words) {
          const path = `journal${query({ view: 'rows', order: 'newest', limit: maxRows, text })}`
          const page = await ask<RowPage>(path, { signal: stop.signal })
          found.push(new Set(page.entries.map(({ seq }) => seq)))
        }
      } catch {
        return
      }
      const next = new Set([...(found[0] ?? [])].filter(seq => found.every(one => one.has(seq))))
      if (next.size !== hits.value.size || [...next].some(seq => !hits.value.has(seq))) hits.value = next
    }, 300)
    return () => {
      clearTimeout(timer)
      stop.abort()
    }
  }, [asked, every.value])
}

const Empty = ({ filter, all }: { filter: Signal<string>; all: number }) => (
  <Notice>
    {filter.value.trim() !== '' && all > 0 ? (
      <>
        None of {plural(all, 'entry', 'entries')} fits.{' '}
        <button type="button" class="small" onClick={() => (filter.value = '')}>
          Show all
        </button>
      </>
    ) : (
      <>
        Nothing has called the mock yet. Point your app at{' '}
        <code>{new URL('..', document.baseURI).href.replace(/\/$/, '')}</code> with a key that starts with{' '}
        <code>test_</code>, and its calls appear here.
      </>
    )}
  </Notice>
)

function Foot({ source, isLive }: { source: Source; isLive: boolean }) {
  const gone = isLive ? live.gone.value : 0
  const wasLost = useRef(false)
  useSignalEffect(() => {
    if (live.state.value === 'lost') wasLost.current = true
    else if (live.state.value === 'live' && wasLost.current) {
      wasLost.current = false
      announce('Connected again')
    }
  })
  if (gone === 0) return null
  return (
    <p class="foot" role="status">
      {plural(gone, 'older entry is', 'older entries are')} not shown: the page shows the last{' '}
      {count(source.rows.length)}, the mock keeps as many as <code>--journal-entries</code> says.
    </p>
  )
}
