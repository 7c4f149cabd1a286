/** One exchange: what was sent and answered, why, what it shows of the client's conduct, and lines to take along. */
import { useSignal } from '@preact/signals'
import { useEffect, useLayoutEffect, useRef } from 'preact/hooks'
import type { JournalRow } from '../client/desk.ts'
import type { ExchangeEntry, ExplainedRule, Explanation, JournalEntry, JournalPage } from '../client/mock.ts'
import type { ConductReport } from '../conduct/report.ts'
import { ask, errorText, query, selectorOf } from './api.ts'
import { findIncident } from './opened.ts'
import { Action, CopyButton, clockTime, count, duration, Facts, Json, Notice, plural, Status } from './parts.tsx'
import { snippets } from './snippets.ts'
import { isNarrow, journalLink, linkTo, worldLink } from './state.ts'

interface CallProps {
  /** A request_id, or the place of what has none. */
  id: string
  incident: string | undefined
  row: JournalRow | undefined
  close: () => void
}

interface Found {
  id: string
  entry?: JournalEntry
  explanation?: Explanation
  evidence?: ConductEvidence[]
  /** Why it is not there. */
  gone?: string
}

interface ConductEvidence {
  rule: string
  title: string
  passed: boolean
  said: string
  advice: string
}

export function Call({ id, incident, row, close }: CallProps) {
  const found = useSignal<Found>({ id })
  const panel = useRef<HTMLElement>(null)
  useEffect(() => {
    let isOver = false
    const show = (more: Omit<Found, 'id'>): void => {
      if (!isOver) found.value = { ...(found.value.id === id ? found.value : {}), id, ...more }
    }
    void load(id, incident, show)
    return () => {
      isOver = true
    }
  }, [id, incident])
  // On a small screen the call takes the place of the list.
  useLayoutEffect(() => {
    panel.current?.scrollTo(0, 0)
    if (isNarrow.value) panel.current?.focus()
  }, [id])
  const { entry, explanation, evidence, gone } = found.value.id === id ? found.value : ({} as Found)
  return (
    <section class="pane detail" aria-label="The open call" tabIndex={0} ref={panel}>
      <header class="detail-head">
        <button type="button" class="small" onClick={close}>
          {isNarrow.value ? '← Journal' : 'Close'}
        </button>
        <CopyButton label="Copy link" text={location.href} />
        <code class="id">{id}</code>
      </header>
      {gone !== undefined && <Notice isBad>{gone}</Notice>}
      {entry === undefined && gone === undefined && (
        <Notice>{row === undefined ? 'Looking…' : `${row.method} ${row.url}`}</Notice>
      )}
      {entry && <Summary entry={entry} />}
      {explanation && <Why explanation={explanation} />}
      {evidence !== undefined && evidence.length > 0 && <Evidence evidence={evidence} world={entry?.world ?? ''} />}
      {entry && <Exchange entry={entry} />}
      {entry?.kind === 'webhook' && incident === undefined && (
        <p class="buttons">
          <Action
            done="Sent again"
            run={() => ask(`webhooks/${encodeURIComponent(entry.delivery_id)}/redeliver`, { method: 'POST' })}
          >
            Deliver it once more
          </Action>
        </p>
      )}
      {entry?.kind === 'exchange' && <Snippets entry={entry} isLive={incident === undefined} />}
    </section>
  )
}

async function load(id: string, incident: string | undefined, show: (found: Omit<Found, 'id'>) => void): Promise<void> {
  try {
    if (incident !== undefined) {
      const { entries, conduct } = await findIncident(incident)
      const entry = entries.find(one => String(one.seq) === id || (one.kind === 'exchange' && one.request_id === id))
      if (!entry) return show({ gone: `The file has no call ${id}.` })
      return show({ entry, evidence: 'rules' in conduct ? evidenceOf(conduct, entry.seq) : [] })
    }
    const path = /^\d+$/.test(id) ? query({ since: Number(id) - 1, limit: 1 }) : query({ request_id: id })
    const page = await ask<JournalPage>(`journal${path}`)
    const entry = page.entries.find(one => !/^\d+$/.test(id) || String(one.seq) === id)
    if (!entry)
      return show({
        gone:
          page.evicted > 0
            ? `${id} is not in the journal any more, or never was: ${count(page.evicted)} entries had to make room. The mock keeps more with --journal-entries and --journal-bytes.`
            : `${id} is not in the journal: it was cleared, its world was reset, or it is of another run of the mock.`,
      })
    show({ entry })
    if (entry.kind === 'exchange')
      show({ explanation: await ask<Explanation>(`explain/${encodeURIComponent(entry.request_id)}`) })
    const report = await ask<ConductReport>(`conduct${query(selectorOf(entry.world))}`)
    show({ evidence: evidenceOf(report, entry.seq) })
  } catch (error) {
    show({ gone: errorText(error) })
  }
}

const evidenceOf = ({ rules }: ConductReport, seq: number): ConductEvidence[] =>
  rules.flatMap(({ id, title, advice, evidence }) =>
    evidence
      .filter(({ entries }) => entries.some(({ number }) => number === seq))
      .map(({ passed, said }) => ({ rule: id, title, passed, said, advice })),
  )

function Summary({ entry }: { entry: JournalEntry }) {
  const { status, url, ms, time, world, job_id: jobId, trace_id: traceId, fault } = entry
  const method = entry.kind === 'webhook' ? `webhook ${entry.event}` : entry.method
  return (
    <>
      <h2 class="call-title">
        <Status status={status} /> <span class="method">{method}</span> <span class="url">{url}</span>
      </h2>
      <Facts
        rows={[
          ['Time', `${clockTime(time)} UTC, ${time.slice(0, 10)}`],
          ['Took', duration(ms)],
          [
            'World',
            <a key="world" href={worldLink(world)}>
              {world}
            </a>,
          ],
          ...(jobId === null
            ? []
            : ([
                [
                  'Job',
                  <span key="job">
                    <a href={linkTo('jobs', jobId)}>{jobId}</a> <a href={journalLink(`job:${jobId}`)}>its calls</a>
                  </span>,
                ],
              ] as const)),
          ...(traceId === undefined
            ? []
            : ([
                [
                  'Trace',
                  <span key="trace">
                    <code>{traceId}</code> <a href={journalLink(`trace:${traceId}`)}>its calls</a>
                  </span>,
                ],
              ] as const)),
          ...(entry.kind === 'webhook'
            ? ([
                ['Delivery', entry.delivery_id],
                ['Try', String(entry.attempt)],
                ...(entry.error === null ? [] : ([['Failed', entry.error]] as const)),
                ...(entry.next_try_at === null ? [] : ([['Next try', clockTime(entry.next_try_at)]] as const)),
              ] as const)
            : ([['Route', entry.route ?? 'none that is documented']] as const)),
          ...(fault === undefined ? [] : ([['Fault', fault]] as const)),
          ...(entry.kind === 'exchange' && entry.aborted ? ([['Ended', 'the client hung up']] as const) : []),
        ]}
      />
    </>
  )
}

/** The explain view. */
function Why({ explanation }: { explanation: Explanation }) {
  const { scenario, why, rule, reasons, steps, rules, nearest, status } = explanation
  const refused = steps.find(({ outcome }) => outcome === 'refused')
  const headline =
    rule !== null
      ? `The rule “${rule}” of ${scenario} fired.`
      : refused !== undefined
        ? `Refused by the mock's ${stepNames[refused.step]}.`
        : status >= 400
          ? 'The mock by itself answered so.'
          : scenario === null
            ? 'Answered as documented; no scenario was active.'
            : `Answered as documented; no rule of ${scenario} fired.`
  return (
    <section class="block why" aria-label="Why">
      <h3>Why</h3>
      <p class="headline">{headline}</p>
      {reasons.length > 0 && (
        <ul class="reasons">
          {reasons.map(reason => (
            <li key={reason}>{reason}</li>
          ))}
        </ul>
      )}
      {steps.length > 0 && (
        <ol class="steps">
          {steps.map(({ step, outcome, said }) => (
            <li key={step} class={outcome}>
              <b>{stepNames[step]}</b> <span class="unseen">{outcome}:</span> {said}
            </li>
          ))}
        </ol>
      )}
      <p class="quiet">
        {scenario === null ? '' : <a href={linkTo('scenarios', scenario)}>{scenario}</a>} {why}
      </p>
      {nearest && (
        <p>
          Nearest miss: <b>{nearest.rule}</b>.{' '}
          {nearest.unmet.map(({ what, expected, found }) => `${what} was ${found}, not ${expected}`).join('; ')}
        </p>
      )}
      {rules.length > 0 && (
        <ul class="rules">
          {rules.map(one => (
            <Rule key={one.rule} rule={one} />
          ))}
        </ul>
      )}
    </section>
  )
}

const stepNames = {
  key: 'key',
  limits: 'limits',
  idempotency: 'idempotency',
  schema: 'schema',
  credits: 'credits',
} as const

const verdicts = {
  fired: 'fired',
  not_met: 'not met',
  not_reached: 'not reached: another rule had fired',
  not_asked: 'not asked: the call was refused before its body had come',
} as const

const Rule = ({ rule: { rule, verdict, conditions, does } }: { rule: ExplainedRule }) => (
  <li class={verdict}>
    <details open={verdict === 'fired'}>
      <summary>
        <b>{rule}</b> <span class="tag">{verdicts[verdict]}</span> <span class="quiet">{does}</span>
      </summary>
      <ul class="conditions">
        {conditions.map(({ what, expected, found, met }) => (
          <li key={what} class={met ? 'met' : 'unmet'}>
            {met ? '✓' : '✗'} {what} {expected}
            {!met && `: it was ${found}`}
          </li>
        ))}
        {conditions.length === 0 && <li class="met">✓ any call</li>}
      </ul>
    </details>
  </li>
)

function Evidence({ evidence, world }: { evidence: ConductEvidence[]; world: string }) {
  const broken = evidence.filter(({ passed }) => !passed)
  const kept = evidence.filter(({ passed }) => passed)
  return (
    <section class="block" aria-label="Conduct">
      <h3>
        Conduct of the client <a href={linkTo('conduct', world)}>all rules</a>
      </h3>
      <Findings evidence={broken} />
      {kept.length > 0 && (
        <details>
          <summary>
            {broken.length === 0 && 'Nothing wrong in this call. '}It shows that{' '}
            {plural(kept.length, 'rule was', 'rules were')} kept
          </summary>
          <Findings evidence={kept} />
        </details>
      )}
    </section>
  )
}

const Findings = ({ evidence }: { evidence: ConductEvidence[] }) => (
  <ul class="findings">
    {evidence.map(({ rule, title, passed, said, advice }) => (
      <li key={`${rule} ${said}`}>
        <span class={`tag ${passed ? 'good' : 'bad'}`}>{passed ? 'kept' : 'broken'}</span> <b>{title}</b>{' '}
        <span class="quiet">{rule}</span>
        <div>{said}</div>
        {!passed && <div class="quiet">{advice}</div>}
      </li>
    ))}
  </ul>
)

function Exchange({ entry }: { entry: JournalEntry }) {
  const { request } = entry
  const response = entry.kind === 'exchange' ? entry.response : undefined
  return (
    <>
      <section class="block" aria-label="Request">
        <h3>Request</h3>
        {entry.kind === 'exchange' && entry.upload && (
          <Facts
            rows={[
              ['File', entry.upload.filename],
              ['Size', `${count(entry.upload.size)} bytes`],
              ['Type', entry.upload.type],
              ['SHA-256', <code key="sha">{entry.upload.sha256}</code>],
            ]}
          />
        )}
        <Message headers={request.headers} body={request.body} />
      </section>
      {entry.kind === 'exchange' && (
        <section class="block" aria-label="Response">
          <h3>Response</h3>
          {response === undefined ? (
            <p class="quiet">No HTTP answer was sent.</p>
          ) : (
            <Message headers={response.headers} body={response.body} />
          )}
        </section>
      )}
    </>
  )
}

const Message = ({ headers, body }: { headers: Record<string, string>; body?: unknown }) => (
  <>
    <details>
      <summary>{count(Object.keys(headers).length)} headers</summary>
      <table class="headers">
        <tbody>
          {Object.entries(headers).map(([name, value]) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              <td>{String(value)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
    {body === undefined ? (
      <p class="quiet">No body.</p>
    ) : typeof body === 'string' ? (
      <pre tabIndex={0}>{body}</pre>
    ) : (
      <div class="tree">
        <Json value={body} />
      </div>
    )}
  </>
)

/** Lines to take along: for a shell, a program, a recording, a test, a scenario. */
function Snippets({ entry, isLive }: { entry: ExchangeEntry; isLive: boolean }) {
  const chosen = useSignal<keyof typeof snippets>('curl')
  const text = useSignal('')
  useEffect(() => {
    let isOver = false
    snippets[chosen.value]
      .make(entry, isLive)
      .catch(errorText)
      .then(made => {
        if (!isOver) text.value = made
      })
    return () => {
      isOver = true
    }
  }, [entry, chosen.value])
  return (
    <section class="block" aria-label="Take along">
      <h3>Take along</h3>
      <div class="tabs">
        {Object.entries(snippets).map(([name, { label }]) => (
          <button
            key={name}
            type="button"
            aria-pressed={chosen.value === name}
            onClick={() => (chosen.value = name as keyof typeof snippets)}
          >
            {label}
          </button>
        ))}
        <span class="spacer" />
        <CopyButton text={text.value} />
      </div>
      <pre class="snippet" tabIndex={0}>
        {text.value}
      </pre>
    </section>
  )
}
