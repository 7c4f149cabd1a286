/** The time of the mock, or of one key. */
import { useSignal } from '@preact/signals'
import { ask, query, selectorOf } from './api.ts'
import { Action, shortTime, usePolled } from './parts.tsx'

interface ClockState {
  now: string
  frozen: boolean
  speed: number
}

const steps = ['10s', '1m', '10m']

interface ClockProps {
  /** The whole mock without one. */
  world?: string
  known?: ClockState
  again?: () => void
}

export function ClockPanel({ world, known, again = () => {} }: ClockProps) {
  const selector = world === undefined ? {} : selectorOf(world)
  // Who knows the time already asks for it.
  const own = usePolled(
    () => ask<ClockState>(`clock${query(selector)}`),
    known === undefined ? 1000 : Number.POSITIVE_INFINITY,
    [world, known === undefined],
  )
  const clock = known ?? own.value
  const step = useSignal('')
  const of = world ?? 'every key'
  const change = async (body: object): Promise<void> => {
    await ask('clock', { body: { ...selector, ...body } })
    own.again()
    again()
  }
  return (
    <div class="line clock">
      <span class="what">Clock</span>
      <span class="time" title={clock?.now}>
        {clock === undefined
          ? '…'
          : world === undefined
            ? `${clock.now.slice(0, 10)} ${shortTime(clock.now)}`
            : shortTime(clock.now)}
      </span>
      {clock?.frozen && <span class="tag">frozen</span>}
      {steps.map(by => (
        <Action
          key={by}
          class="small"
          aria-label={`Step the clock of ${of} by ${by}`}
          done={`${by} later`}
          run={() => change({ step: by })}
        >
          +{by}
        </Action>
      ))}
      <form onSubmit={event => event.preventDefault()}>
        <input
          class="step"
          aria-label={`Step the clock of ${of} by`}
          placeholder="90s"
          value={step.value}
          onInput={event => {
            step.value = event.currentTarget.value
          }}
        />
        <Action class="small" type="submit" done="Stepped" run={() => change({ step: step.value.trim() || '0s' })}>
          Step
        </Action>
      </form>
      <Action
        class="small"
        aria-label={`${clock?.frozen ? 'Let the clock go on' : 'Freeze the clock'} of ${of}`}
        run={() => change({ freeze: !clock?.frozen })}
      >
        {clock?.frozen ? 'Go on' : 'Freeze'}
      </Action>
      <label>
        <span class="unseen">Speed of {of}</span>
        <select
          value={String(clock?.speed ?? 1)}
          onChange={event => {
            void change({ speed: Number(event.currentTarget.value) })
          }}
        >
          {[...new Set(['0.1', '1', '2', '10', '60', '1000', String(clock?.speed ?? 1)])].map(speed => (
            <option key={speed} value={speed}>
              ×{speed}
            </option>
          ))}
        </select>
      </label>
    </div>
  )
}
