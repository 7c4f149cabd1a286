/** Conduct: the grade of each key's client, rule by rule, with the calls by which it is seen. */
import type { WorldList } from '../client/desk.ts'
import type { ConductReport, EvidenceEntry, RuleResult } from '../conduct/report.ts'
import { ask, query, selectorOf } from './api.ts'
import { Notice, plural, usePolled } from './parts.tsx'
import { linkTo, place } from './state.ts'

export function ConductView() {
  const { id } = place.value
  const worlds = usePolled(() => ask<WorldList>('worlds?limit=50'), 3000, [])
  const names = worlds.value?.worlds.filter(({ entries }) => entries > 0).map(({ name }) => name) ?? []
  const shown = id === undefined ? names : [id]
  return (
    <div class="page">
      <div class="bar">
        <nav class="tabs" aria-label="Clients">
          <a href={linkTo('conduct')} aria-current={id === undefined ? 'page' : undefined}>
            All clients
          </a>
          {names.slice(0, 20).map(name => (
            <a key={name} href={linkTo('conduct', name)} aria-current={name === id ? 'page' : undefined}>
              {name}
            </a>
          ))}
        </nav>
      </div>
      {worlds.value && shown.length === 0 && <Notice>No client has called yet.</Notice>}
      {shown.slice(0, 12).map(name => (
        <Client key={name} name={name} isAlone={id !== undefined} />
      ))}
      {shown.length > 12 && <Notice>{shown.length - 12} more; choose one above.</Notice>}
    </div>
  )
}

function Client({ name, isAlone }: { name: string; isAlone: boolean }) {
  const report = usePolled(() => ask<ConductReport>(`conduct${query(selectorOf(name))}`), isAlone ? 1000 : 3000, [name])
  return (
    <section class="card" aria-label={`The client ${name}`}>
      <h2>
        <a href={linkTo('conduct', name)}>{name}</a>
      </h2>
      {report.error !== undefined && <Notice isBad>{report.error}</Notice>}
      {report.value && (
        <Grade
          report={report.value}
          linkOf={entry => linkTo('calls', entry.request_id ?? String(entry.number))}
          showsAll={isAlone}
        />
      )}
    </section>
  )
}

interface GradeProps {
  report: ConductReport
  linkOf: (entry: EvidenceEntry) => string
  showsAll: boolean
}

export function Grade({ report, linkOf, showsAll }: GradeProps) {
  const { summary, why, calls, webhooks, incomplete, rules } = report
  const order = { failed: 0, inconclusive: 1, passed: 2, skipped: 3 } as Record<string, number>
  const sorted = [...rules].sort((a, b) => (order[a.verdict] ?? 4) - (order[b.verdict] ?? 4))
  const shown = showsAll ? sorted : sorted.filter(({ verdict }) => verdict === 'failed')
  return (
    <>
      <p>
        <span class={`tag ${report.ok ? 'good' : 'bad'}`}>{report.ok ? 'good' : 'not good'}</span>{' '}
        {Object.entries(summary)
          .map(([verdict, n]) => `${n} ${verdict}`)
          .join(', ')}
        <span class="quiet">
          {' '}
          · {plural(calls, 'call')}, {plural(webhooks, 'webhook')}
        </span>
      </p>
      {!report.ok && !/^\d+ passed, \d+ failed[^.;:]*$/.test(why) && <p class="quiet">{why}</p>}
      {incomplete !== undefined && <Notice>{incomplete}</Notice>}
      <ul class="rules">
        {shown.map(rule => (
          <RuleLine key={rule.id} rule={rule} linkOf={linkOf} most={showsAll ? 20 : 3} />
        ))}
      </ul>
    </>
  )
}

const RuleLine = ({
  rule: { id, clauses, title, verdict, reason, evidence, advice },
  linkOf,
  most,
}: {
  rule: RuleResult
  linkOf: GradeProps['linkOf']
  most: number
}) => (
  <li class={verdict}>
    <details open={verdict === 'failed'}>
      <summary>
        <span class={`tag ${verdict === 'passed' ? 'good' : verdict === 'failed' ? 'bad' : ''}`}>{verdict}</span>{' '}
        <b>{title}</b>{' '}
        <span class="quiet">
          {id} · {clauses.join(' ')}
        </span>
      </summary>
      {reason !== undefined && <p class="quiet">{reason}</p>}
      {evidence.slice(0, most).map(({ said, entries }, i) => (
        <div key={`${said} ${i}`} class="evidence">
          <p>{said}</p>
          <ul>
            {entries.map(entry => (
              <li key={entry.number}>
                <a href={linkOf(entry)}>{entry.what}</a> <span class="quiet">{entry.time.slice(11, 23)}</span>
              </li>
            ))}
          </ul>
        </div>
      ))}
      {evidence.length > most && <p class="quiet">and {evidence.length - most} more</p>}
      {verdict === 'failed' && <p class="quiet">{advice}</p>}
    </details>
  </li>
)
