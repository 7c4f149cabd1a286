/**
 * Sequences of calls that nobody wrote: a model-based property test of the contract. Every answer is judged by the same
 * clauses as the checks' are; what breaks one is shrunk to the shortest sequence that still does.
 */

import fc from 'fast-check'
import { NoAnswer } from '../../base/http.ts'
import { field } from '../../contracts/answers.ts'
import { curlOf, type ObservedExchange, type Redact, redactor } from '../../contracts/observedExchange.ts'
import { expectAnswer, Probe } from '../probe.ts'
import type { Report } from '../report.ts'
import { NotTried, type Recorded, type Run, Stopped } from '../session.ts'
import { type Command, draft, sequences as drawn, type Sequence } from './commands.ts'
import { type ApiModel, emptyModel, modelKey, type Real } from './model.ts'

export interface ExploreOptions {
  sequences: number
  seed: string
  /** 32 bits of the seed, as fast-check takes them. */
  seedNumber: number
  mayStart: boolean
}

/** After so many different finds the rest is more of the same. */
const mostFinds = 5

/** A clause that a sequence broke. */
class Broken extends Error {
  readonly findings: Recorded[]
  readonly script: string
  constructor(findings: Recorded[], script = '') {
    super(findings[0]?.found)
    this.findings = findings
    this.script = script
  }
}

/** Adds what it finds to the run's findings, as those of the check "explore". */
export async function explore(
  run: Run,
  { sequences, seed, seedNumber, mayStart }: ExploreOptions,
): Promise<Report['explored']> {
  const callsBefore = run.requests
  const known = new Set(run.findings.filter(({ holds }) => !holds).flatMap(({ clauses }) => clauses))
  let left = sequences
  let done = 0
  let ended: unknown
  const video = await new Probe(run, 'explore').video()

  const play = async ({ drafts, commands }: Sequence): Promise<void> => {
    if (ended !== undefined) return
    const probe = new Probe(run, 'explore')
    const from = run.findings.length
    run.trace = []
    const { mockSupport, keys } = run.environment
    const fresh = {
      main: mockSupport ? await mockSupport.freshKey() : keys.main,
      second: mockSupport ? await mockSupport.freshKey() : keys.second,
    }
    const mark = run.environment.tag(`sequence ${run.requests}`)
    const real: Real = {
      t: probe,
      keys: fresh,
      isAlone: mockSupport !== undefined,
      mayStart,
      videoUrl: video.url,
      idem: n => `${mark}-${n}`,
      usageBefore: undefined,
    }
    try {
      if (mockSupport) real.usageBefore = await probe.usage(modelKey(real, 'main'))
      run.trace = []
      await fc.asyncModelRun(
        () => ({ model: emptyModel(), real }),
        guarded([...Array.from({ length: drafts }, (_, n) => draft(n)), ...commands], run, from, known),
      )
    } catch (error) {
      if (error instanceof NoAnswer) expectAnswer(probe, error)
      const findings = run.findings
        .slice(from)
        .filter(({ holds, clauses }) => !holds && clauses.some(clause => !known.has(clause)))
      // What could not go on may have been stopped by what it broke.
      if (findings.length > 0 && !(error instanceof Stopped)) {
        throw new Broken(findings, scriptOf([video.exchange, ...(run.trace ?? [])], redactorOf(run, fresh)))
      }
      // A budget that is used up, or a user who has seen enough: no sequence is to blame.
      if (error instanceof Stopped || (error instanceof NotTried && error.needs.includes('--max-credits')))
        ended = error
      else if (!(error instanceof NotTried || error instanceof Broken || error instanceof NoAnswer)) throw error
    } finally {
      run.trace = undefined
      // A sequence proves nothing by itself: only what it breaks is kept, once it is at its shortest.
      run.findings.length = from
    }
  }

  for (let find = 0; find < mostFinds && left > 0 && ended === undefined; find++) {
    let lastBroken: Broken | undefined
    const property = fc.asyncProperty(drawn, async sequence => {
      try {
        await play(sequence)
      } catch (error) {
        if (error instanceof Broken) lastBroken = error
        throw error
      }
    })
    const result = await fc.check(property, { numRuns: left, seed: seedNumber + find })
    done += result.numRuns
    left -= result.numRuns
    if (!result.failed) break
    if (lastBroken === undefined) throw result.errorInstance
    for (const finding of lastBroken.findings) {
      run.findings.push({ ...finding, curl: lastBroken.script })
      for (const clause of finding.clauses) known.add(clause)
    }
  }
  return { sequences: done, calls: run.requests - callsBefore, seed }
}

/** The same commands, each followed by a look at what it has broken. */
function* guarded(sequence: Iterable<Command>, run: Run, from: number, known: ReadonlySet<string>) {
  // What is known already has changed more than the model can follow: the rest of the sequence says nothing.
  let isOver = false
  for (const command of sequence) {
    yield {
      check: (model: Readonly<ApiModel>) => !isOver && command.check(model),
      run: async (model: ApiModel, real: Real) => {
        await command.run(model, real)
        const broken = run.findings.slice(from).filter(({ holds }) => !holds)
        if (broken.length === 0) return
        isOver = true
        if (broken.some(({ clauses }) => clauses.some(clause => !known.has(clause)))) throw new Broken(broken)
      },
      toString: () => command.toString(),
    }
  }
}

/** The sequence's own keys stand for the user's; the suite's are none to show either. */
function redactorOf(
  run: Run,
  { main, second }: { main?: string; second?: string },
): (names: Record<string, string>) => Redact {
  const own: Record<string, string> = {
    ...(main !== undefined && { API_KEY: main }),
    ...(second !== undefined && { SECOND_KEY: second }),
  }
  return names => text => run.redact(redactor({ ...own, ...names })(text))
}

/** What the endpoint draws, and later calls need: by operation, the variable's kind and the field. */
const given: Record<string, [kind: string, field: string]> = {
  createJob: ['JOB', 'id'],
  uploadVideo: ['VIDEO', 'video_url'],
}

/** Lines for a shell that do the same: ids that the endpoint draws are caught in variables, and used further down. */
function scriptOf(trace: readonly ObservedExchange[], redactWith: (names: Record<string, string>) => Redact): string {
  const names: Record<string, string> = {}
  const nameOf = (kind: string, text: string): string | undefined => {
    if (Object.values(names).includes(text)) return undefined
    const name = `${kind}_${Object.keys(names).filter(known => known.startsWith(kind)).length + 1}`
    names[name] = text
    return name
  }
  const lines: string[] = []
  for (const exchange of trace) {
    const key = exchange.sent.headers['Idempotency-Key']
    const idem = key === undefined ? undefined : nameOf('IDEM', key)
    if (idem !== undefined) lines.push(`${idem}=again-$RANDOM$RANDOM$RANDOM`)
    const line = curlOf(exchange.sent, redactWith(names))
    const [kind, from] = given[exchange.operation ?? ''] ?? []
    const text = kind === undefined || from === undefined ? undefined : field(exchange, from)
    const name = kind !== undefined && typeof text === 'string' ? nameOf(kind, text) : undefined
    const caught = `${name}=$(${line.replace('curl -i', 'curl -s')} | tee /dev/stderr | grep -o '"${from}": *"[^"]*"' | cut -d'"' -f4)`
    const added = name === undefined ? line : caught
    // A job that is polled is asked the same again and again.
    if (added !== lines.at(-1)) lines.push(added)
  }
  return lines.join('\n')
}
