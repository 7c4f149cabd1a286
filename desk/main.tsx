/** The desk: a frame around seven views, with keys for all that the mouse can do. */
import { useSignal } from '@preact/signals'
import { type ComponentType, render } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { giveToken, needsToken } from './api.ts'
import { ConductView } from './conduct.tsx'
import { IncidentView } from './incidents.tsx'
import { JobsView } from './jobs.tsx'
import { Journal } from './journal.tsx'
import { live } from './live.ts'
import { NumbersView, startSampling } from './numbers.tsx'
import { openFile } from './opened.ts'
import { Palette } from './palette.tsx'
import { Modal } from './parts.tsx'
import { ScenariosView } from './scenarios.tsx'
import { announce, go, linkTo, place, said } from './state.ts'
import { WorldsView } from './worlds.tsx'

interface View {
  title: string
  /** After g. */
  key: string
  show: ComponentType
}

const views: Readonly<Record<string, View>> = {
  calls: { title: 'Journal', key: 'c', show: () => <Journal source={live} /> },
  worlds: { title: 'Worlds', key: 'w', show: WorldsView },
  jobs: { title: 'Jobs', key: 'j', show: JobsView },
  scenarios: { title: 'Scenarios', key: 's', show: ScenariosView },
  conduct: { title: 'Conduct', key: 'k', show: ConductView },
  numbers: { title: 'Numbers', key: 'n', show: NumbersView },
  incidents: { title: 'Incidents', key: 'i', show: IncidentView },
}

function Desk() {
  const { view } = place.value
  const palette = useSignal(false)
  const help = useSignal(false)
  const isOver = useSignal(false)
  useKeys({ palette, help })
  useDrop(isOver)
  // Where a link leads, no dialog stands before it.
  useEffect(() => {
    palette.value = false
    help.value = false
  }, [place.value])
  const { title, show: Shown } = views[view] ?? (views.calls as View)
  useEffect(() => {
    document.title = `${title} · Understudy`
  }, [title])
  return (
    <>
      <header class="top">
        <a class="brand" href={linkTo('calls')}>
          Understudy
        </a>
        <nav aria-label="Views">
          {Object.entries(views).map(([name, one]) => (
            <a key={name} href={linkTo(name)} aria-current={name === view ? 'page' : undefined} title={`g ${one.key}`}>
              {one.title}
            </a>
          ))}
        </nav>
        <Connection />
        <button type="button" class="small" aria-keyshortcuts="Control+K" onClick={() => (palette.value = true)}>
          Commands <kbd>Ctrl K</kbd>
        </button>
        <button type="button" class="small" aria-label="Keys" aria-keyshortcuts="?" onClick={() => (help.value = true)}>
          ?
        </button>
      </header>
      <main>
        <h1 class="unseen">{title}</h1>
        <Shown />
      </main>
      {palette.value && <Palette views={viewList} close={() => (palette.value = false)} />}
      {help.value && <Help close={() => (help.value = false)} />}
      {needsToken.value && <AskToken />}
      {isOver.value && <div class="dropping">Drop an incident (zip) or a recording (HAR) to read it</div>}
      <Said />
    </>
  )
}

const viewList = Object.entries(views).map(([name, { title, key }]) => ({ name, title, key }))

function Connection() {
  const state = live.state.value
  const words = { connecting: 'connecting…', live: 'live', lost: 'no answer, trying again' }
  return (
    <span class={`connection ${state}`} role="status">
      {words[state]}
    </span>
  )
}

/** The key after a g counts for so long, ms. */
const afterGMs = 1500

function useKeys({ palette, help }: { palette: { value: boolean }; help: { value: boolean } }): void {
  const gAt = useRef(Number.NEGATIVE_INFINITY)
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      const target = event.target as HTMLElement
      if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
        event.preventDefault()
        palette.value = true
        return
      }
      const isInField =
        /^(INPUT|SELECT|TEXTAREA)$/.test(target.tagName) && (target as HTMLInputElement).type !== 'checkbox'
      if (
        isInField ||
        target.isContentEditable ||
        target.closest('dialog, .editor') ||
        event.ctrlKey ||
        event.metaKey ||
        event.altKey
      )
        return
      if (event.timeStamp - gAt.current < afterGMs) {
        gAt.current = Number.NEGATIVE_INFINITY
        const found = viewList.find(({ key }) => key === event.key)
        if (found) {
          event.preventDefault()
          event.stopImmediatePropagation()
          go(linkTo(found.name))
        }
        return
      }
      if (event.key === 'g') gAt.current = event.timeStamp
      else if (event.key === '?') help.value = true
      else if (event.key === ':') palette.value = true
      else if (event.key === '/') {
        const box = document.querySelector<HTMLInputElement>('#filter, input[type=search]')
        box?.focus()
        box?.select()
      } else return
      event.preventDefault()
    }
    addEventListener('keydown', listen, true)
    return () => removeEventListener('keydown', listen, true)
  }, [])
}

/** A file that is dropped anywhere is opened. */
function useDrop(isOver: { value: boolean }): void {
  useEffect(() => {
    const over = (event: DragEvent) => {
      if (!event.dataTransfer?.types.includes('Files')) return
      event.preventDefault()
      isOver.value = true
    }
    const leave = (event: DragEvent) => {
      if (event.relatedTarget === null) isOver.value = false
    }
    const drop = (event: DragEvent) => {
      const file = event.dataTransfer?.files[0]
      isOver.value = false
      if (!file) return
      event.preventDefault()
      void openFile(file).catch(error => announce(String(error.message ?? error), true))
    }
    addEventListener('dragover', over)
    addEventListener('dragleave', leave)
    addEventListener('drop', drop)
    return () => {
      removeEventListener('dragover', over)
      removeEventListener('dragleave', leave)
      removeEventListener('drop', drop)
    }
  }, [])
}

function AskToken() {
  const given = useSignal('')
  return (
    <Modal title="Admin token" close={() => {}}>
      <form method="dialog" onSubmit={() => giveToken(given.value)}>
        <p>
          This mock listens beyond this machine, so it wants the token that it was started with (
          <code>--admin-token</code>). It is kept in this tab's memory and nowhere else.
        </p>
        <label>
          Admin token{' '}
          <input
            type="password"
            autocomplete="off"
            value={given.value}
            onInput={event => (given.value = event.currentTarget.value)}
          />
        </label>{' '}
        <button type="submit">Open</button>
      </form>
    </Modal>
  )
}

const keys: readonly (readonly [string, string])[] = [
  ['/', 'filter'],
  ['j k ↓ ↑', 'next and previous row'],
  ['Enter', 'open the row'],
  ['Esc', 'close it'],
  ['x', 'mark the row'],
  ['p', 'pause, and go on'],
  ...viewList.map(({ title, key }) => [`g ${key}`, title] as const),
  ['Ctrl K  :', 'all commands'],
  ['?', 'this help'],
]

const Help = ({ close }: { close: () => void }) => (
  <Modal title="Keys" close={close}>
    <table>
      <tbody>
        {keys.map(([key, what]) => (
          <tr key={key}>
            <td>
              {key.split(/ +/).map(one => (
                <kbd key={one}>{one}</kbd>
              ))}
            </td>
            <td>{what}</td>
          </tr>
        ))}
      </tbody>
    </table>
  </Modal>
)

function Said() {
  const { text, isBad } = said.value ?? { text: '', isBad: false }
  return (
    <div class={`said${isBad ? ' bad' : ''}${text === '' ? ' none' : ''}`} role={isBad ? 'alert' : 'status'}>
      {text}
    </div>
  )
}

render(<Desk />, document.getElementById('desk') as HTMLElement)
void live.follow()
startSampling()
