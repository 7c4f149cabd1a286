/** Ctrl+K: every command by its name. */
import { useSignal } from '@preact/signals'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import type { WorldList } from '../client/desk.ts'
import { ask } from './api.ts'
import { downloadIncident } from './opened.ts'
import { Modal } from './parts.tsx'
import { announce, filterText, go, linkTo } from './state.ts'

interface Command {
  name: string
  keys?: string
  run: () => unknown
}

const steps = ['1s', '10s', '1m', '10m', '1h', '1d']

export function Palette({
  views,
  close,
}: {
  views: readonly { name: string; title: string; key: string }[]
  close: () => void
}) {
  const typed = useSignal('')
  const chosen = useSignal(0)
  const scenarios = useSignal<readonly string[]>([])
  const worlds = useSignal<readonly string[]>([])
  const input = useRef<HTMLInputElement>(null)
  useEffect(() => {
    input.current?.focus()
    ask<{ scenarios: { name: string }[] }>('scenarios')
      .then(found => {
        scenarios.value = found.scenarios.map(({ name }) => name)
      })
      .catch(() => {})
    ask<WorldList>('worlds?limit=20')
      .then(found => {
        worlds.value = found.worlds.map(({ name }) => name)
      })
      .catch(() => {})
  }, [])
  const clock = (body: object) => ask('clock', { body })
  const commands: Command[] = [
    ...views.map(({ name, title, key }) => ({ name: `Go to ${title}`, keys: `g ${key}`, run: () => go(linkTo(name)) })),
    ...steps.map(step => ({ name: `Step the clock by ${step}`, run: () => clock({ step }) })),
    { name: 'Freeze the clock', run: () => clock({ freeze: true }) },
    { name: 'Let the clock go on', run: () => clock({ freeze: false }) },
    { name: 'Download the incident', run: () => downloadIncident() },
    { name: 'Switch off what was switched on', run: () => ask('scenario', { method: 'DELETE' }) },
    { name: 'Reset every world', run: () => ask('reset', { body: {} }) },
    { name: 'Show failed calls: 4xx', run: () => filterBy('status:4xx') },
    { name: 'Show failed calls: 5xx', run: () => filterBy('status:5xx') },
    { name: 'Show webhooks', run: () => filterBy('kind:webhook') },
    { name: 'Write a new scenario', run: () => go(linkTo('scenarios', 'new')) },
    ...scenarios.value.map(name => ({ name: `Open the scenario ${name}`, run: () => go(linkTo('scenarios', name)) })),
    ...scenarios.value.map(name => ({
      name: `Switch on ${name} for every key`,
      run: () => ask('scenario', { method: 'PUT', body: { scenario: name } }),
    })),
    ...worlds.value.map(name => ({ name: `Show the calls of ${name}`, run: () => filterBy(`world:${name}`) })),
    ...worlds.value.map(name => ({ name: `Grade the client ${name}`, run: () => go(linkTo('conduct', name)) })),
  ]
  const words = typed.value.toLowerCase().split(/\s+/).filter(Boolean)
  const fitting = useMemo(
    () => commands.filter(({ name }) => words.every(word => name.toLowerCase().includes(word))).slice(0, 60),
    [typed.value, scenarios.value, worlds.value],
  )
  const run = async (command: Command | undefined) => {
    if (!command) return
    close()
    try {
      await command.run()
      if (!command.name.startsWith('Go to')) announce(command.name)
    } catch (error) {
      announce(String((error as Error).message), true)
    }
  }
  const at = Math.min(chosen.value, Math.max(0, fitting.length - 1))
  return (
    <Modal title="Commands" close={close}>
      <input
        ref={input}
        type="text"
        class="palette"
        role="combobox"
        aria-label="Command"
        aria-expanded="true"
        aria-controls="commands"
        aria-activedescendant={`command-${at}`}
        autocomplete="off"
        placeholder="Type a part of it"
        value={typed.value}
        onInput={event => {
          typed.value = event.currentTarget.value
          chosen.value = 0
        }}
        onKeyDown={event => {
          if (event.key === 'ArrowDown') chosen.value = Math.min(fitting.length - 1, at + 1)
          else if (event.key === 'ArrowUp') chosen.value = Math.max(0, at - 1)
          else if (event.key === 'Enter') void run(fitting[at])
          else return
          event.preventDefault()
          document.getElementById(`command-${chosen.value}`)?.scrollIntoView({ block: 'nearest' })
        }}
      />
      <div id="commands" class="commands" role="listbox" aria-label="Commands">
        {fitting.map((command, i) => (
          <div
            key={command.name}
            id={`command-${i}`}
            role="option"
            aria-selected={i === at}
            onClick={() => run(command)}
          >
            {command.name} {command.keys && <kbd>{command.keys}</kbd>}
          </div>
        ))}
      </div>
    </Modal>
  )
}

function filterBy(text: string): void {
  filterText.value = text
  go(linkTo('calls', undefined, { q: text }))
}
