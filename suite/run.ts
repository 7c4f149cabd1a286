/** Runs the checks against an endpoint, one after the other, and makes the report. */

import { NoAnswer, type Sent } from '../base/http.ts'
import { TargetError } from '../base/targetError.ts'
import type { Check } from './check.ts'
import { keySpellings } from './checks/auth.ts'
import type { SuiteEnvironment } from './environment.ts'
import type { Costs, Profile } from './needs.ts'
import { expectAnswer, noDraftWaits, Probe } from './probe.ts'
import type { Report } from './report.ts'
import type { RunOptions } from './runOptions.ts'

import { NotTried, type Recorded, Run, round, Stopped } from './session.ts'
import { type CheckOutcome, failedIn, left, suiteReportOf } from './verdict.ts'

export async function runSuite(environment: SuiteEnvironment, options: RunOptions): Promise<Report> {
  const run = new Run(environment, options)
  const startedAt = environment.now()
  const refusal = await preflight(run).catch(error => {
    if (!(error instanceof Stopped)) throw error
    return undefined
  })
  // Sent along where none is needed, a key that is refused would have its endpoint accused.
  if (refusal !== undefined) delete environment.keys.main
  const selected = options.checks.filter(check => isCheckSelected(check, options))
  const outcomes: CheckOutcome[] = []
  let isOver = false
  // What the profile leaves out is no step on the way.
  const steps = selected.filter(check => mayRun(check, options.profile))
  for (const check of selected) {
    const index = steps.indexOf(check)
    const place = { check: check.id, index, of: steps.length }
    const tell = index === -1 ? undefined : options.onProgress
    tell?.({ type: 'started', ...place, title: check.title, requests: run.requests })
    const outcome = isOver
      ? left(check, run.gone ?? run.ended ?? 'the run ended before', run.isTimeOver ? ['--max-time'] : [])
      : await runCheck(run, check, options.profile, refusal)
    outcomes.push(outcome)
    const isEnough = run.ended !== undefined || (options.bail && outcome.verdict === 'failed')
    if (isEnough || run.gone !== undefined) isOver = true
    const failed = failedIn(run, check.id)
    tell?.({ type: 'ended', ...place, verdict: outcome.verdict, failed, requests: run.requests })
  }
  if (options.explore && !isOver) {
    const of = steps.length
    options.onProgress?.({
      type: 'started',
      check: 'explore',
      title: 'generated sequences',
      index: of,
      of: of + 1,
      requests: run.requests,
    })
  }
  const explored = isOver ? undefined : await options.explore?.(run)
  if (options.explore && run.ended !== undefined) isOver = true
  return suiteReportOf(run, options, outcomes, {
    complete: !isOver,
    ms: environment.now() - startedAt,
    refusal,
    explored,
  })
}

/** What costs anything is left out by the profile safe, what takes long by the profile quick. */
function mayRun({ costs }: Check, profile: Profile): boolean {
  if (profile === 'full' || costs === undefined) return true
  return profile === 'quick' && costs.upload === undefined && costs.burst === undefined
}

/** What the checks that would run may cost: printed before anything is sent. */
export function costsOf(
  options: Pick<RunOptions, 'checks' | 'profile' | 'only' | 'skip'>,
): Required<Costs> & { checks: number } {
  const chosen = options.checks.filter(check => isCheckSelected(check, options) && mayRun(check, options.profile))
  const sum = (name: keyof Costs) => chosen.reduce((all, { costs }) => all + (costs?.[name] ?? 0), 0)
  return {
    checks: chosen.length,
    credits: round(sum('credits')),
    jobs: chosen.reduce((all, { costs }) => all + (costs?.jobs ?? (costs?.credits ? 1 : 0)), 0),
    burst: sum('burst'),
    upload: sum('upload'),
    seconds: sum('seconds'),
  }
}

export function isCheckSelected(
  { id, clauses: own }: Check,
  { only = [], skip = [] }: Pick<RunOptions, 'only' | 'skip'>,
): boolean {
  const names = [id, id.split('.', 1)[0] as string]
  const isNamed = (name: string) => names.includes(name) || own.some(clause => clause === name.toUpperCase())
  // A clause that is skipped takes a check along only if it is all that it speaks for.
  const isSkipped = (name: string) => names.includes(name) || own.every(clause => clause === name.toUpperCase())
  return (only.length === 0 || only.some(isNamed)) && !skip.some(isSkipped)
}

/**
 * Is there anything, and is it the API? Throws a TargetError if not. Gives back why the key can't be used, where the
 * endpoint refuses it everywhere: that is the key's fault as likely as the endpoint's, so nobody is accused.
 */
async function preflight(run: Run): Promise<string | undefined> {
  const t = new Probe(run, 'preflight')
  const first = await t.call('GET', '/health', { key: null, takes429: true }).catch(error => {
    if (error instanceof NoAnswer) throw new TargetError(error.message)
    throw error
  })
  if (first.status >= 300 && first.status < 400) {
    const to = first.headers.location ?? 'nowhere'
    throw new TargetError(
      `it answers ${first.status} and redirects to ${to}; give the URL that it redirects to, without /health`,
    )
  }
  if (run.environment.keys.main === undefined) return undefined
  for (const path of ['/v1/jobs?limit=1', '/v1/usage/summary', '/v1/usage/events'] as const) {
    const exchange = await t.call('GET', path, { takes429: true }).catch(unlessStopped)
    if (exchange?.status !== 401) return undefined
  }
  // It may be the header that is not known, by this spelling (AUTH-1): then a check of its own says so.
  for (const name of keySpellings.slice(1)) {
    const headers = { [name]: run.environment.keys.main }
    const exchange = await t
      .call('GET', '/v1/jobs?limit=1', { key: null, headers, takes429: true })
      .catch(unlessStopped)
    if (exchange === undefined || exchange.status === 401) continue
    run.keyHeader = name
    return undefined
  }
  return 'the key that was given is answered 401 everywhere'
}

/** No answer to a call is an answer too. */
function unlessStopped(error: unknown): undefined {
  if (!(error instanceof NoAnswer)) throw error
}

async function runCheck(run: Run, check: Check, profile: Profile, refusal: string | undefined): Promise<CheckOutcome> {
  if (check.costs && !mayRun(check, profile))
    return left(check, `${costText(check.costs)}, which the profile ${profile} does not`, ['--profile full'])
  if (refusal !== undefined && check.needs?.includes('key')) return left(check, refusal, ['--key'])
  const probe = new Probe(run, check.id)
  const { requests } = run
  const from = run.findings.length
  const startedAt = run.environment.now()
  let ended: NotTried | undefined
  try {
    probe.requires(check)
    await check.run(probe)
  } catch (error) {
    if (error instanceof NotTried) ended = error
    else if (error instanceof Stopped) ended = new NotTried(error.message)
    else if (error instanceof NoAnswer) ended = await unanswered(run, check, error)
    else throw error
  }
  // What an answer shows by itself, such as a missing field, is as wrong in a job as in a draft.
  const isOfDraft = ({ holds, clauses, byItself }: Recorded) => !holds && !byItself && !clauses.includes('JOB-3')
  const ofDrafts = run.findings.slice(from).filter(isOfDraft)
  if (probe.usesDrafts && ofDrafts.length > 0 && !(await probe.draftsWait())) {
    // What becomes of a job that was no draft any more is no fault of what this check speaks of.
    run.withdraw(ofDrafts)
    ended = new NotTried(noDraftWaits)
  }
  const own = run.findings.slice(from)
  const isBroken = own.some(({ holds }) => !holds)
  const open = check.clauses.filter(clause => !own.some(finding => finding.clauses.includes(clause)))
  if (ended === undefined && open.length > 0)
    ended = new NotTried(`nothing was seen that ${open.join(' or ')} speaks of`)
  return {
    check,
    verdict: isBroken ? 'failed' : ended ? 'skipped' : 'passed',
    reason: ended?.message,
    needs: ended?.needs ?? [],
    ms: run.environment.now() - startedAt,
    requests: run.requests - requests,
  }
}

/** No answer to one call: a failure if the endpoint answers others, and the end of the run if it is gone. */
async function unanswered(run: Run, check: Check, error: NoAnswer & { sent?: Sent }): Promise<NotTried> {
  const probe = new Probe(run, check.id)
  const isThere = await probe
    .call('GET', '/health', { key: null, takes429: true })
    .then(() => true)
    .catch(() => false)
  if (run.ended !== undefined) return new NotTried(run.ended)
  const { sent } = error
  if (!isThere) {
    // It may have been killed, or the network: what is known by now is worth its report, whoever is to blame.
    run.gone = `it stopped answering${sent ? ` at ${sent.method} ${sent.url.slice(run.environment.base.length)}` : ''}: ${error.message}`
    return new NotTried(run.gone)
  }
  expectAnswer(probe, error, check.clauses[0])
  return new NotTried(error.message)
}

const costText = ({ credits, burst, upload, seconds }: Costs): string =>
  credits !== undefined
    ? 'it spends credits'
    : burst !== undefined
      ? 'it sends a burst'
      : upload !== undefined
        ? 'it uploads a lot'
        : `it takes ${seconds} s`
