/** Which scenario is active for a key, which of the four ways won, how often each rule has fired; and another one. */
import { signal, useSignal } from '@preact/signals'
import { useEffect } from 'preact/hooks'
import type { ActiveScenario } from '../client/mock.ts'
import { ask, selectorOf } from './api.ts'
import { Action, plural, usePolled } from './parts.tsx'
import { linkTo } from './state.ts'

export interface ScenarioSummary {
  name: string
  description: string
  clauses: string[]
  rules: string[]
  problems?: string[]
}

/** All there are; asked for when a view that needs them is opened. */
export const scenarios = signal<readonly ScenarioSummary[]>([])
export const loadScenarios = async (): Promise<void> => {
  scenarios.value = (await ask<{ scenarios: ScenarioSummary[] }>('scenarios')).scenarios
}

interface PickerProps {
  /** Every key without one. */
  world?: string
  active?: ActiveScenario
  again?: () => void
}

export function ScenarioPicker({ world, active: known, again = () => {} }: PickerProps) {
  const chosen = useSignal('')
  const own = usePolled(() => ask<ActiveScenario>('scenario'), known === undefined ? 1000 : Number.POSITIVE_INFINITY, [
    known === undefined,
  ])
  const active = known ?? own.value
  useEffect(() => {
    if (scenarios.value.length === 0) void loadScenarios().catch(() => {})
  }, [])
  const key = world === undefined ? undefined : selectorOf(world).key
  const of = world ?? 'every key'
  const refresh = (): void => {
    own.again()
    again()
  }
  return (
    <div class="scenario">
      <div class="line">
        <span class="what">Scenario</span>
        {active?.scenario ? (
          <>
            <a class="tag rule" href={linkTo('scenarios', active.scenario)}>
              {active.scenario}
            </a>{' '}
            <span class="quiet">{active.why}</span>
          </>
        ) : (
          <span class="quiet">{active === undefined ? '…' : active.source === null ? 'none' : active.why}</span>
        )}
      </div>
      {active?.rules !== undefined && active.rules.length > 0 && (
        <ul class="fired">
          {active.rules.map(({ name, fired }) => (
            <li key={name} class={fired > 0 ? 'has-fired' : ''}>
              {name}: fired {plural(fired, 'time')}
            </li>
          ))}
        </ul>
      )}
      {active !== undefined && active.overridden.length > 0 && (
        <p class="quiet">
          Overrides {active.overridden.map(({ scenario, why }) => `${scenario} (${why})`).join(', ')}.
        </p>
      )}
      <div class="line">
        <select
          aria-label={`Scenario for ${of}`}
          value={chosen.value}
          onChange={event => (chosen.value = event.currentTarget.value)}
        >
          <option value="">choose a scenario</option>
          {scenarios.value.map(({ name }) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
        <Action
          class="small"
          disabled={chosen.value === ''}
          aria-label={`Switch on for ${of}`}
          done={`${chosen.value} is on for ${of}`}
          run={() =>
            ask('scenario', {
              method: 'PUT',
              body: { scenario: chosen.value, ...(key !== undefined && { key }) },
            }).then(refresh)
          }
        >
          Switch on
        </Action>
        {(active?.source === 'put_key' || (key === undefined && active?.source === 'put_all')) && (
          <Action
            class="small"
            aria-label={`Switch off for ${of}`}
            done="Switched off"
            run={() => ask(`scenario${key === undefined ? '' : `?key=${key}`}`, { method: 'DELETE' }).then(refresh)}
          >
            Switch off
          </Action>
        )}
      </div>
    </div>
  )
}
