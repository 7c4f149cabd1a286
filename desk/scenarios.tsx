/** Scenarios: what there is, what is on, how often each rule fires; and an editor that tries a draft on past calls. */
import { useSignal } from '@preact/signals'
import { useEffect, useRef } from 'preact/hooks'
import type { ScenarioTrial, WorldList } from '../client/desk.ts'
import { ask, errorText, send } from './api.ts'
import type { EditorHandle, Problem } from './editor.ts'
import { Action, Notice, plural, Status, usePolled } from './parts.tsx'
import { loadScenarios, ScenarioPicker, type ScenarioSummary, scenarios } from './picker.tsx'
import { announce, draft, go, linkTo, place } from './state.ts'

export function ScenariosView() {
  const { id } = place.value
  const wanted = useSignal('')
  const worlds = usePolled(() => ask<WorldList>('worlds?limit=100'), 1000, [])
  useEffect(() => {
    loadScenarios().catch(error => announce(errorText(error), true))
  }, [])
  if (id !== undefined) return <ScenarioPage key={id} name={id} worlds={worlds.value} again={worlds.again} />
  const words = wanted.value.toLowerCase().split(/\s+/).filter(Boolean)
  const shown = scenarios.value.filter(one => words.every(word => JSON.stringify(one).toLowerCase().includes(word)))
  const on = (name: string) => (worlds.value?.worlds ?? []).filter(({ active }) => active.scenario === name).length
  return (
    <div class="page">
      <div class="bar">
        <label>
          Find{' '}
          <input
            type="search"
            autocomplete="off"
            value={wanted.value}
            placeholder="a word, or a clause"
            onInput={event => (wanted.value = event.currentTarget.value)}
          />
        </label>
        <a class="button" href={linkTo('scenarios', 'new')}>
          Write a new one
        </a>
      </div>
      <section class="card every" aria-label="Every key">
        <h2>Every key</h2>
        <ScenarioPicker />
      </section>
      <ul class="scenarios">
        {shown.map(scenario => (
          <Listed key={scenario.name} scenario={scenario} worlds={on(scenario.name)} />
        ))}
      </ul>
      {shown.length === 0 && <Notice>No scenario fits.</Notice>}
    </div>
  )
}

const Listed = ({
  scenario: { name, description, clauses, rules, problems },
  worlds,
}: {
  scenario: ScenarioSummary
  worlds: number
}) => (
  <li>
    <a href={linkTo('scenarios', name)}>
      <b>{name}</b>
    </a>{' '}
    {worlds > 0 && <span class="tag rule">on for {plural(worlds, 'world')}</span>}
    <div>{description}</div>
    <div class="quiet">
      {plural(rules.length, 'rule')}
      {clauses.length > 0 && ` · ${clauses.join(' ')}`}
    </div>
    {problems?.map(problem => (
      <Notice key={problem} isBad>
        {problem}
      </Notice>
    ))}
  </li>
)

const template = `name: my-scenario
description: What a client meets, in a sentence.
rules:
  - name: down
    when: { route: POST /v1/jobs }
    first: 1
    then: { error: internal_error }
`

function ScenarioPage({ name, worlds, again }: { name: string; worlds: WorldList | undefined; again: () => void }) {
  const isNew = name === 'new'
  const text = useSignal<string | undefined>(undefined)
  const error = useSignal<string | undefined>(undefined)
  const isEdited = useSignal(isNew)
  const notes = useSignal<readonly string[]>([])
  useEffect(() => {
    if (isNew) {
      text.value = draft.value?.yaml ?? template
      notes.value = draft.value?.notes ?? []
      draft.value = undefined
      return
    }
    send(`scenarios/${encodeURIComponent(name)}`, { accept: 'application/yaml' })
      .then(answer => answer.text())
      .then(found => {
        text.value = found
      })
      .catch(problem => {
        error.value = errorText(problem)
      })
  }, [name])
  const summary = scenarios.value.find(one => one.name === name)
  const key = useSignal('')
  const playing = (worlds?.worlds ?? []).filter(({ active }) => active.scenario === name)
  const keys = [...new Set((worlds?.worlds ?? []).map(world => world.key_fingerprint))]
  return (
    <div class="page">
      <div class="bar">
        <a href={linkTo('scenarios')}>← All scenarios</a>
        <h2>{isNew ? 'A new scenario' : name}</h2>
        <span class="quiet">{summary?.description}</span>
      </div>
      {error.value !== undefined && <Notice isBad>{error.value}</Notice>}
      {notes.value.map(note => (
        <Notice key={note}>{note}</Notice>
      ))}
      {!isNew && summary && (
        <section class="card every" aria-label="Where it is on">
          <div class="line">
            <label>
              For{' '}
              <input
                list="keys"
                value={key.value}
                placeholder="every key"
                aria-label="For which key"
                spellcheck={false}
                autocomplete="off"
                onInput={event => (key.value = event.currentTarget.value)}
              />
            </label>
            <datalist id="keys">
              {keys.map(one => (
                <option key={one} value={one} />
              ))}
            </datalist>
            <Action
              done={`${name} is on for ${key.value || 'every key'}`}
              run={() =>
                ask('scenario', {
                  method: 'PUT',
                  body: { scenario: name, ...(key.value.trim() !== '' && { key: key.value.trim() }) },
                }).then(again)
              }
            >
              Switch on
            </Action>
            <Action
              done={`Switched off for ${key.value || 'every key'}`}
              run={() =>
                ask(`scenario${key.value.trim() === '' ? '' : `?key=${encodeURIComponent(key.value.trim())}`}`, {
                  method: 'DELETE',
                }).then(again)
              }
            >
              Switch off
            </Action>
          </div>
          {playing.length === 0 ? (
            <p class="quiet">It is not on for any key that has been used.</p>
          ) : (
            <table>
              <thead>
                <tr>
                  <th>World</th>
                  <th>How</th>
                  <th>Rules</th>
                </tr>
              </thead>
              <tbody>
                {playing.map(({ name: world, active, rate_limit: limit }) => (
                  <tr key={world}>
                    <td class="fingerprint">{world}</td>
                    <td>{active.why}</td>
                    <td>
                      {active.rules?.map(({ name: rule, fired }) => (
                        <div key={rule} class={fired > 0 ? 'has-fired' : ''}>
                          {rule}: fired {plural(fired, 'time')}
                        </div>
                      ))}
                      {active.rules?.length === 0 &&
                        limit !== null &&
                        `no rules; ${limit.remaining} of ${limit.calls} requests left`}
                    </td>
                  </tr>
                ))}
              </tbody>
            </table>
          )}
        </section>
      )}
      {text.value !== undefined && (
        <>
          {!isEdited.value && (
            <>
              <pre class="snippet" tabIndex={0}>
                {text.value}
              </pre>
              <p class="buttons">
                <button type="button" onClick={() => (isEdited.value = true)}>
                  Edit
                </button>
                <Try text={() => text.value ?? ''} />
              </p>
            </>
          )}
          {isEdited.value && <Editor text={text.value} own={isNew ? undefined : name} />}
        </>
      )}
    </div>
  )
}

function Editor({ text, own }: { text: string; own: string | undefined }) {
  const box = useRef<HTMLDivElement>(null)
  const handle = useRef<EditorHandle | undefined>(undefined)
  const problems = useSignal<readonly Problem[] | undefined>(undefined)
  const failed = useSignal<string | undefined>(undefined)
  useEffect(() => {
    let isOver = false
    import('./editor.ts')
      .then(({ openEditor }) => {
        if (isOver || !box.current) return
        handle.current = openEditor(box.current, text, async content => {
          const found = await ask<{ problems: Problem[] }>('scenarios?validate=true&problems=true', {
            body: content,
            type: 'application/yaml',
          })
          problems.value = found.problems
          return found.problems
        })
      })
      .catch(error => {
        failed.value = errorText(error)
      })
    return () => {
      isOver = true
      handle.current?.close()
    }
  }, [text])
  const content = () => handle.current?.text() ?? text
  const add = async () => {
    const added = await ask<{ name: string }>('scenarios', { body: content(), type: 'application/yaml' })
    await loadScenarios()
    return added
  }
  return (
    <section aria-label="Editor">
      {failed.value !== undefined && <Notice isBad>{failed.value}</Notice>}
      <div class="editor" ref={box} />
      {problems.value !== undefined && (
        <div role="status">
          {problems.value.length === 0 ? (
            <p class="good">It can be played.</p>
          ) : (
            <ul class="problems">
              {problems.value.map(({ line, column, field, message }) => (
                <li key={`${line} ${column} ${message}`}>
                  <button type="button" class="small" onClick={() => handle.current?.goTo(line ?? 1, column ?? 1)}>
                    {line === undefined ? 'all' : `${line}:${column}`}
                  </button>{' '}
                  {field !== '' && <code>{field}</code>} {message}
                </li>
              ))}
            </ul>
          )}
        </div>
      )}
      <p class="buttons">
        <Action
          done="It can be switched on by its name now"
          run={async () => {
            const { name } = await add()
            go(linkTo('scenarios', name))
          }}
        >
          Add it to the mock
        </Action>
        <Try text={content} />
        {own !== undefined && (
          <Action
            class="small"
            run={async () => {
              await ask(`scenarios/${encodeURIComponent(own)}`, { method: 'DELETE' })
              await loadScenarios()
              go(linkTo('scenarios'))
            }}
          >
            Remove what was added
          </Action>
        )}
        <span class="quiet">
          It is kept until the mock ends; put it into the folder of --scenarios to keep it for good.
        </span>
      </p>
    </section>
  )
}

/** A draft against the last calls, without playing it. */
function Try({ text }: { text: () => string }) {
  const limit = useSignal('200')
  const trial = useSignal<ScenarioTrial | undefined>(undefined)
  return (
    <>
      <label>
        Try it on the last{' '}
        <input
          type="number"
          min={1}
          max={10_000}
          value={limit.value}
          onInput={event => (limit.value = event.currentTarget.value)}
        />{' '}
        calls
      </label>
      <Action
        run={async () => {
          const scenario = text().endsWith('\n') ? text() : `${text()}\n`
          trial.value = await ask<ScenarioTrial>('scenarios/try', { body: { scenario, limit: Number(limit.value) } })
        }}
      >
        Try
      </Action>
      {trial.value && <Trial trial={trial.value} />}
    </>
  )
}

function Trial({ trial: { rules, calls, notes } }: { trial: ScenarioTrial }) {
  const met = calls.filter(({ rule }) => rule !== null)
  return (
    <section class="block trial" aria-label="What it would have done">
      <h3>
        Of {plural(calls.length, 'call')}, {met.length} would have met a rule
      </h3>
      <ul>
        {rules.map(({ name, fired, does }) => (
          <li key={name} class={fired > 0 ? 'has-fired' : ''}>
            <b>{name}</b>: {plural(fired, 'time')} <span class="quiet">{does}</span>
          </li>
        ))}
      </ul>
      {met.length > 0 && (
        <table>
          <tbody>
            {met.slice(-100).map(({ seq, request_id: id, route, status, rule }) => (
              <tr key={seq}>
                <td>
                  <a href={linkTo('calls', id)}>{id}</a>
                </td>
                <td>{route}</td>
                <td>
                  was <Status status={status} />
                </td>
                <td>
                  <span class="tag rule">{rule}</span>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {notes.map(note => (
        <p key={note} class="quiet">
          {note}
        </p>
      ))}
    </section>
  )
}
