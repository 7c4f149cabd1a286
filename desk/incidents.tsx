/** Incidents: what happened as one file, and such a file (or another tool's HAR) read like the live journal. */
import { useEffect } from 'preact/hooks'
import type { OpenedIncident, WorldList } from '../client/desk.ts'
import { ask, errorText } from './api.ts'
import { Grade } from './conduct.tsx'
import { Journal } from './journal.tsx'
import type { Source } from './live.ts'
import { downloadIncident, errors, findIncident, opened, openFile } from './opened.ts'
import { Action, Facts, Notice, plural, usePolled } from './parts.tsx'
import { announce, linkTo, place } from './state.ts'

export function IncidentView() {
  const { id } = place.value
  return id === undefined ? <Overview /> : <Opened id={id.split('/')[0] as string} />
}

function Overview() {
  const worlds = usePolled(() => ask<WorldList>('worlds?limit=50'), 5000, [])
  return (
    <div class="page">
      <section class="card" aria-label="Save">
        <h2>Save what happened</h2>
        <p>
          The journal as a recording (HAR), a snapshot of each world, the scenario and the versions, in one zip. No key,
          token or signature is in it.
        </p>
        <p class="buttons">
          <Action done="Saved" run={() => downloadIncident()}>
            Download the incident
          </Action>
          {worlds.value?.worlds
            .filter(({ entries }) => entries > 0)
            .slice(0, 12)
            .map(({ name }) => (
              <Action key={name} class="small" done="Saved" run={() => downloadIncident(name)}>
                of {name} only
              </Action>
            ))}
        </p>
      </section>
      <section class="card" aria-label="Open">
        <h2>Open one</h2>
        <p>
          Drop a zip of the mock, or a HAR of any tool, anywhere on this page. It is read by the mock on this machine,
          and judged by check and conduct.
        </p>
        <p class="buttons">
          <label class="file">
            Choose a file
            <input
              type="file"
              accept=".zip,.har,.json,.gz"
              onChange={event => {
                const file = event.currentTarget.files?.[0]
                event.currentTarget.value = ''
                if (file) void openFile(file).catch(error => announce(errorText(error), true))
              }}
            />
          </label>
        </p>
        <ul>
          {[...opened.value.values()].map(({ id, name, rows }) => (
            <li key={id}>
              <a href={linkTo('incidents', id)}>{name}</a>, {plural(rows.length, 'entry', 'entries')}
            </li>
          ))}
        </ul>
      </section>
    </div>
  )
}

const sources = new WeakMap<OpenedIncident, Source>()
function sourceOf(incident: OpenedIncident): Source {
  const found = sources.get(incident) ?? {
    rows: incident.rows,
    version: { value: 1 },
    added: incident.rows.length,
    epoch: 1,
  }
  sources.set(incident, found)
  return found
}

function Opened({ id }: { id: string }) {
  const incident = opened.value.get(id)
  useEffect(() => {
    if (!incident)
      findIncident(id).catch(error => {
        errors.value = new Map([...errors.value, [id, errorText(error)]])
      })
  }, [id, incident])
  if (!incident) return <Notice isBad={errors.value.has(id)}>{errors.value.get(id) ?? 'Reading…'}</Notice>
  const { name, about, check, conduct, left_out: leftOut } = incident
  return (
    <div class="incident">
      <details class="card" open={place.value.id === id}>
        <summary>
          <b>{name}</b> <Verdict name="check" judged={check} /> <Verdict name="conduct" judged={conduct} />
        </summary>
        {about && (
          <Facts
            rows={(['understudy', 'node', 'os', 'seed'] as const)
              .filter(field => typeof about[field] === 'string')
              .map(field => [field, String(about[field])])}
          />
        )}
        {leftOut > 0 && <Notice>{plural(leftOut, 'older entry is', 'older entries are')} left out.</Notice>}
        <h3>Contract</h3>
        {'error' in check ? (
          <Notice isBad>{check.error}</Notice>
        ) : (
          <ul class="rules">
            {check.clauses
              .filter(({ verdict }) => verdict === 'failed')
              .map(({ id: clause, title, findings }) => (
                <li key={clause} class="failed">
                  <span class="tag bad">{clause}</span> {title}
                  {findings.map(found => (
                    <div key={found} class="quiet">
                      {found}
                    </div>
                  ))}
                </li>
              ))}
            {check.clauses.every(({ verdict }) => verdict !== 'failed') && <li>Nothing in it breaks the contract.</li>}
          </ul>
        )}
        <h3>Conduct</h3>
        {'error' in conduct ? (
          <Notice isBad>{conduct.error}</Notice>
        ) : (
          <Grade report={conduct} linkOf={entry => `#/incidents/${id}/${entry.number}`} showsAll />
        )}
      </details>
      <Journal source={sourceOf(incident)} incident={id} />
    </div>
  )
}

function Verdict({ name, judged }: { name: string; judged: OpenedIncident['check'] | OpenedIncident['conduct'] }) {
  if ('error' in judged) return <span class="tag">{name}: not judged</span>
  const summary = judged.summary as Record<string, number>
  const failed = summary.failed ?? 0
  return (
    <span class={`tag ${failed > 0 ? 'bad' : 'good'}`}>
      {name}: {failed} failed, {summary.passed ?? 0} passed
    </span>
  )
}
