/** Jobs: what happened to each, when; its output; and a state that is forced. */
import { useSignal } from '@preact/signals'
import { useEffect, useId } from 'preact/hooks'
import type { JobList, JobTimeline } from '../client/desk.ts'
import { ask, query, selectorOf } from './api.ts'
import { Output } from './output.tsx'
import {
  Action,
  CopyButton,
  clockTime,
  count,
  duration,
  Facts,
  Json,
  Notice,
  plural,
  Status,
  usePolled,
} from './parts.tsx'
import { go, journalLink, linkTo, place, worldLink } from './state.ts'

const states = ['created', 'pending', 'processing', 'completed', 'failed'] as const

export function JobsView() {
  const { id, query: given } = place.value
  const world = given.get('world') ?? undefined
  const status = useSignal('')
  const wanted = { ...(world !== undefined && selectorOf(world)), status: status.value || undefined, limit: 100 }
  const list = usePolled(() => ask<JobList>(`jobs${query(wanted)}`), 1000, [world, status.value])
  const jobs = list.value?.jobs ?? []
  const step = (by: number): void => {
    const at = jobs.findIndex(({ job }) => job.id === id)
    const next = jobs[at === -1 ? 0 : Math.min(jobs.length - 1, Math.max(0, at + by))]
    if (next) go(linkTo('jobs', next.job.id, world === undefined ? undefined : { world }))
  }
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      if (
        (event.target as HTMLElement).closest('input, select, textarea, dialog, video') ||
        event.ctrlKey ||
        event.metaKey
      )
        return
      if (event.key === 'j' || event.key === 'ArrowDown') step(1)
      else if (event.key === 'k' || event.key === 'ArrowUp') step(-1)
      else if (event.key === 'Escape' && id !== undefined) go(linkTo('jobs'))
      else return
      event.preventDefault()
    }
    addEventListener('keydown', listen)
    return () => removeEventListener('keydown', listen)
  })
  return (
    <div class={id === undefined ? 'split' : 'split open'}>
      <section class="pane list" aria-label="Jobs">
        <div class="toolbar">
          <label>
            State{' '}
            <select value={status.value} onChange={event => (status.value = event.currentTarget.value)}>
              <option value="">any</option>
              {states.map(state => (
                <option key={state} value={state}>
                  {state}
                </option>
              ))}
            </select>
          </label>
          {world !== undefined && (
            <span>
              of {world} <a href={linkTo('jobs')}>all worlds</a>
            </span>
          )}
          <span class="quiet">{list.value && plural(list.value.count, 'job')}</span>
        </div>
        {list.error !== undefined && <Notice isBad>{list.error}</Notice>}
        {list.value && jobs.length === 0 && (
          <Notice>There is no job{status.value === '' ? '' : ` that is ${status.value}`} yet.</Notice>
        )}
        <div class="scroll" tabIndex={0} role="region" aria-label="List of jobs">
          <ul class="jobs">
            {jobs.map(one => (
              <li key={one.job.id} class={one.job.id === id ? 'is-open' : ''}>
                <a
                  href={linkTo('jobs', one.job.id, world === undefined ? undefined : { world })}
                  aria-current={one.job.id === id ? 'true' : undefined}
                >
                  <span class={`state ${one.job.status}`}>{one.job.status}</span> <code>{one.job.id}</code>
                  <span class="quiet">
                    {clockTime(one.job.created_at)} · {one.job.model} → {one.job.output_format} · {one.credits} credits
                  </span>
                </a>
                <Timeline timeline={one} />
              </li>
            ))}
          </ul>
        </div>
      </section>
      {id !== undefined && <JobDetail key={id} id={id} />}
    </div>
  )
}

function JobDetail({ id }: { id: string }) {
  const found = usePolled(() => ask<JobList>(`jobs?job_id=${encodeURIComponent(id)}`), 1000, [id])
  const timeline = found.value?.jobs[0]
  return (
    <section class="pane detail" aria-label="The open job" tabIndex={0}>
      <header class="detail-head">
        <button type="button" class="small" onClick={() => go(linkTo('jobs'))}>
          Close
        </button>
        <CopyButton label="Copy link" text={location.href} />
        <code class="id">{id}</code>
      </header>
      {found.error !== undefined && <Notice isBad>{found.error}</Notice>}
      {found.value && timeline === undefined && (
        <Notice isBad>There is no job {id}: its world was reset, or it is of another run of the mock.</Notice>
      )}
      {timeline && <Job timeline={timeline} again={found.again} />}
    </section>
  )
}

function Job({ timeline, again }: { timeline: JobTimeline; again: () => void }) {
  const { job, world, attempt, credits, due_at: dueAt } = timeline
  return (
    <>
      <h2 class="call-title">
        <span class={`state ${job.status}`}>{job.status}</span> {job.status === 'processing' && `${job.progress} %`}
      </h2>
      <Facts
        rows={[
          [
            'World',
            <a key="world" href={worldLink(world)}>
              {world}
            </a>,
          ],
          [
            'Calls',
            <a key="calls" href={journalLink(`job:${job.id}`)}>
              in the journal
            </a>,
          ],
          ['Made', `${clockTime(job.created_at)} UTC, ${job.created_at.slice(0, 10)}`],
          ['Model', `${job.model} → ${job.output_format}, ${job.bg_type}`],
          ['Credits', `${credits}${job.billing_status === null ? '' : `, ${job.billing_status}`}`],
          ...(attempt > 1 ? ([['Started', plural(attempt, 'time')]] as const) : []),
          ...(dueAt === null || job.status === 'completed' ? [] : ([['Moves on', `${clockTime(dueAt)} UTC`]] as const)),
          ...(job.error === null ? [] : ([['Error', job.error]] as const)),
        ]}
      />
      <section class="block" aria-label="Timeline">
        <h3>Timeline</h3>
        <Timeline timeline={timeline} isLarge />
        <Events timeline={timeline} again={again} />
      </section>
      {job.status === 'completed' && <Output id={job.id} format={job.output_format ?? ''} />}
      <Force timeline={timeline} again={again} />
      <section class="block" aria-label="The job as the API shows it">
        <h3>As the API shows it</h3>
        <div class="tree">
          <Json value={job} />
        </div>
      </section>
    </>
  )
}

function Force({ timeline: { job, world }, again }: { timeline: JobTimeline; again: () => void }) {
  const id = useId()
  const error = useSignal('')
  const change = (body: object) =>
    ask(`jobs/${encodeURIComponent(job.id)}`, { body: { ...selectorOf(world), ...body } }).then(again)
  const said = error.value.trim()
  return (
    <section class="block" aria-labelledby={id}>
      <h3 id={id}>Force a state</h3>
      <p class="buttons">
        {states.slice(1).map(state => (
          <Action
            key={state}
            class="small"
            disabled={state === job.status}
            done={`It is ${state}`}
            run={() => change({ status: state, ...(state === 'failed' && said !== '' && { error: said }) })}
          >
            {state}
          </Action>
        ))}
        <Action class="small" done="It stays as it is" run={() => change({ hold: true })}>
          hold
        </Action>
        <label>
          Error, where it fails{' '}
          <input
            value={error.value}
            placeholder="The video is too dark"
            onInput={event => (error.value = event.currentTarget.value)}
          />
        </label>
      </p>
    </section>
  )
}

/** From its making to its end, to scale: waiting, processing, polls as ticks, webhooks as diamonds. */
function Timeline({ timeline, isLarge }: { timeline: JobTimeline; isLarge?: boolean }) {
  const { job, processing_at: begun, completed_at: completed, due_at: due, polls, deliveries } = timeline
  const ms = (iso: string): number => Date.parse(iso)
  const from = ms(job.created_at)
  const failed = deliveries.find(({ event }) => event === 'job.failed')?.time
  const end = completed ?? (job.status === 'failed' ? (failed ?? polls.at(-1)?.time ?? begun) : due)
  const all = [end, begun, ...polls.map(({ time }) => time), ...deliveries.map(({ time }) => time)].filter(
    time => time !== null && time !== undefined,
  )
  const to = Math.max(from + 1, ...all.map(ms))
  const at = (iso: string): string =>
    `${Math.min(100, Math.max(0, ((ms(iso) - from) / (to - from)) * 100)).toFixed(2)}%`
  const span = (a: string, b: string) => ({ left: at(a), width: `calc(${at(b)} - ${at(a)})` })
  return (
    <div
      class={isLarge ? 'timeline large' : 'timeline'}
      role="img"
      aria-label={`Timeline of ${duration(to - from)}: ${plural(polls.length, 'poll')}, ${plural(deliveries.length, 'webhook attempt')}`}
    >
      {begun !== null && <span class="waiting" style={span(job.created_at, begun)} />}
      {begun !== null && end !== null && end !== undefined && (
        <span class={`working ${job.status}`} style={span(begun, end)} />
      )}
      {polls.map(({ seq, time }) => (
        <span key={seq} class="poll" style={{ left: at(time) }} />
      ))}
      {deliveries.map(({ seq, time, error, event }) => (
        <span
          key={seq}
          class={error === null ? 'hook' : 'hook bad'}
          style={{ left: at(time) }}
          title={`${event}${error === null ? '' : `: ${error}`}`}
        />
      ))}
      {isLarge && <span class="length quiet">{duration(to - from)}</span>}
    </div>
  )
}

function Events({ timeline, again }: { timeline: JobTimeline; again: () => void }) {
  const { job, processing_at: begun, completed_at: completed, polls, deliveries } = timeline
  const events = [
    { time: job.created_at, what: <b>created</b> },
    ...(begun === null ? [] : [{ time: begun, what: <b>processing</b> }]),
    ...(completed === null ? [] : [{ time: completed, what: <b>completed</b> }]),
    ...deliveries.map(({ seq, time, delivery_id: id, event, attempt, status, error }) => ({
      time,
      what: (
        <>
          <Status status={status} /> <a href={linkTo('calls', String(seq))}>webhook {event}</a>
          {attempt > 1 && `, try ${attempt}`} {error !== null && <span class="tag fault">{error}</span>}{' '}
          <Action
            class="small"
            done="Sent again"
            aria-label={`Deliver ${event} once more`}
            run={() => ask(`webhooks/${encodeURIComponent(id)}/redeliver`, { method: 'POST' }).then(again)}
          >
            once more
          </Action>
        </>
      ),
    })),
  ].sort((a, b) => a.time.localeCompare(b.time))
  return (
    <>
      <ol class="events">
        {events.map(({ time, what }, i) => (
          <li key={`${time} ${i}`}>
            <span class="c-time">{clockTime(time)}</span> {what}
          </li>
        ))}
      </ol>
      {polls.length > 0 && (
        <p class="quiet">
          Polled {count(polls.length)}×, last at {clockTime((polls.at(-1) as { time: string }).time)}
        </p>
      )}
    </>
  )
}
