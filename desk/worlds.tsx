/** Each key's world: credits, limits, scenario, clock; and all that can be done to it. */
import { useSignal } from '@preact/signals'
import { useId } from 'preact/hooks'
import type { WorldList, WorldState } from '../client/desk.ts'
import { ask, query, selectorOf } from './api.ts'
import { ClockPanel } from './clock.tsx'
import { Action, count, download, Notice, plural, shortTime, usePolled } from './parts.tsx'
import { ScenarioPicker } from './picker.tsx'
import { announce, linkTo, worldLink } from './state.ts'

export function WorldsView() {
  const wanted = useSignal('')
  const asked = wanted.value.trim()
  const worlds = usePolled(() => ask<WorldList>(`worlds${query({ limit: 100, key: asked || undefined })}`), 1000, [
    asked,
  ])
  return (
    <div class="page">
      <div class="bar">
        <label>
          Key{' '}
          <input
            type="search"
            placeholder="test_… or its fingerprint"
            autocomplete="off"
            spellcheck={false}
            value={wanted.value}
            onInput={event => {
              wanted.value = event.currentTarget.value
            }}
          />
        </label>
        <span class="quiet">Keys are told by their fingerprints. Type one to see its world alone.</span>
      </div>
      <section class="card every" aria-label="Every key">
        <h2>Every key</h2>
        <ClockPanel />
        <ScenarioPicker />
        <p class="buttons">
          <Action class="danger" done="Every world is as new" run={() => ask('reset', { body: {} }).then(worlds.again)}>
            Reset all
          </Action>
        </p>
      </section>
      {worlds.error !== undefined && <Notice isBad>{worlds.error}</Notice>}
      <div class="cards">
        {worlds.value?.worlds.map(world => (
          <World key={world.name} world={world} again={worlds.again} />
        ))}
      </div>
      {worlds.value?.worlds.length === 0 && (
        <Notice>
          {asked === '' ? 'No key has been used yet.' : `${asked} has not been used yet. `}
          {/^test_./.test(asked) && (
            <Action
              class="small"
              done="It is ready"
              run={() => ask('keys', { body: { key: asked } }).then(worlds.again)}
            >
              Make it ready
            </Action>
          )}
        </Notice>
      )}
      {worlds.value && worlds.value.count > worlds.value.worlds.length && (
        <Notice>
          {count(worlds.value.worlds.length)} of {count(worlds.value.count)} worlds, those that were called last. Type a
          key to see another.
        </Notice>
      )}
    </div>
  )
}

function World({ world, again }: { world: WorldState; again: () => void }) {
  const { name, credits, revoked, jobs, entries, evicted, clock, active } = world
  const selector = selectorOf(name)
  const change = (body: object) => ask('keys', { body: { ...selector, ...body } }).then(again)
  const id = useId()
  const amount = useSignal('100')
  const isKeyed = selector.key !== 'anonymous'
  return (
    <article class="card world" aria-labelledby={id}>
      <h2 id={id}>
        <span class="fingerprint">{name}</span> {revoked && <span class="tag bad">revoked</span>}
      </h2>
      <p>
        <a href={worldLink(name)}>{plural(entries, 'entry', 'entries')}</a>
        {evicted > 0 && <span class="quiet"> ({count(evicted)} made room)</span>} ·{' '}
        <a href={linkTo('jobs', undefined, { world: name })}>{jobsText(jobs)}</a> ·{' '}
        <a href={linkTo('conduct', name)}>conduct</a>
      </p>
      <Limit name="Requests" limit={world.rate_limit} endsAt={world.rate_limit_ends_at} />
      <Limit name="Job creations" limit={world.job_limit} endsAt={world.job_limit_ends_at} />
      <div class="line">
        <span class="what">Credits</span>
        <b>{credits.available.toLocaleString('en', { maximumFractionDigits: 3 })}</b>
        {credits.reserved > 0 && <span class="quiet">and {credits.reserved.toLocaleString('en')} reserved</span>}
        <input
          type="number"
          min="0"
          aria-label={`Credits to add to ${name}`}
          value={amount.value}
          onInput={event => (amount.value = event.currentTarget.value)}
        />
        <Action class="small" done="Topped up" run={() => change({ top_up: Number(amount.value) })}>
          Top up
        </Action>
        <Action class="small" done="No credits are left" run={() => change({ credits: 0 })}>
          Use up
        </Action>
      </div>
      <ClockPanel world={name} known={clock} again={again} />
      <ScenarioPicker world={name} active={active} again={again} />
      <p class="buttons">
        <Action class="small" done="As new" run={() => ask('reset', { body: selector }).then(again)}>
          Reset
        </Action>
        {isKeyed && (
          <Action
            class="small"
            done={revoked ? 'The key is valid again' : 'The key is revoked'}
            run={() => change({ revoked: !revoked })}
          >
            {revoked ? 'Restore the key' : 'Revoke the key'}
          </Action>
        )}
        <Action
          class="small"
          run={async () => {
            const snapshot = await ask(`snapshot${query(selector)}`)
            download(
              `${name.replace('/', '-')}.snapshot.json`,
              new Blob([JSON.stringify(snapshot, null, 2)], { type: 'application/json' }),
            )
          }}
        >
          Save a snapshot
        </Action>
        <label class="file small">
          Restore one
          <input
            type="file"
            accept=".json,application/json"
            onChange={async event => {
              const file = event.currentTarget.files?.[0]
              event.currentTarget.value = ''
              if (!file) return
              try {
                await ask(`snapshot${query(selector)}`, { method: 'PUT', body: await file.text() })
                announce('Restored')
              } catch (error) {
                announce((error as Error).message, true)
              }
              again()
            }}
          />
        </label>
      </p>
    </article>
  )
}

const jobsText = (jobs: Record<string, number>): string => {
  const some = Object.entries(jobs).filter(([, n]) => n > 0)
  return some.length === 0 ? 'no jobs' : `jobs: ${some.map(([state, n]) => `${count(n)} ${state}`).join(', ')}`
}

interface LimitProps {
  name: string
  limit: WorldState['rate_limit']
  endsAt: string | null
}

function Limit({ name, limit, endsAt }: LimitProps) {
  if (limit === null)
    return (
      <div class="line">
        <span class="what">{name}</span> <span class="quiet">no limit</span>
      </div>
    )
  const { calls, per_ms: perMs, remaining } = limit
  return (
    <div class="line">
      <span class="what">{name}</span>
      <meter min={0} max={calls} low={calls / 4} optimum={calls} value={remaining} aria-label={`${name} left`} />
      <span>
        {remaining} of {calls} left in {perMs / 1000} s
      </span>
      {endsAt !== null && <span class="quiet">until {shortTime(endsAt)}</span>}
    </div>
  )
}
