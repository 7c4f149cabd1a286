/**
 * Sequences of calls that nobody wrote: a model-based property test of the contract. Every answer is judged by the same
 * clauses as the checks' are; what breaks one is shrunk to the shortest sequence that still does.
 */
import fc from 'fast-check'
import { field, NotTried, Probe, type Recorded, type Run, Stopped } from '../probe.ts'
import type { Report } from '../report.ts'
import { curlOf, redactor, type Seen } from '../seen.ts'
import { commands } from './commands.ts'
import { emptyModel, keyOf, type Model, type Real } from './model.ts'

export interface ExploreOptions {
  sequences: number
  seed: string
  /** 32 bits of the seed, as fast-check takes them. */
  seedNumber: number
  mayStart: boolean
}

type Command = fc.AsyncCommand<Model, Real>

const longestSequence = 14
/** After so many different finds the rest is more of the same. */
const mostFinds = 5

/** A clause that a sequence broke. */
class Broken extends Error {
  readonly findings: Recorded[]
  readonly trace: readonly Seen[]
  readonly secrets: Record<string, string>
  constructor(findings: Recorded[], trace: readonly Seen[], secrets: Record<string, string>) {
    super(findings[0]?.found)
    this.findings = findings
    this.trace = trace
    this.secrets = secrets
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

  const play = async (sequence: Iterable<Command>): Promise<void> => {
    if (ended !== undefined) return
    const probe = new Probe(run, 'explore')
    const from = run.findings.length
    run.trace = []
    const { aid, keys } = run.kit
    const fresh = { main: aid ? await aid.freshKey() : keys.main, second: aid ? await aid.freshKey() : keys.second }
    const mark = run.kit.tag(`sequence ${run.requests}`)
    const real: Real = {
      t: probe,
      keys: fresh,
      isAlone: aid !== undefined,
      mayStart,
      videoUrl: video.url,
      idem: n => `${mark}-${n}`,
      usageBefore: undefined,
    }
    try {
      if (aid) real.usageBefore = await probe.usage(keyOf(real, 'main'))
      run.trace = []
      await fc.asyncModelRun(() => ({ model: emptyModel(), real }), guarded(sequence, run, from, known))
    } catch (error) {
      if (!(error instanceof NotTried) && !(error instanceof Stopped)) {
        if (error instanceof Broken)
          throw new Broken(error.findings, [video.seen, ...(run.trace ?? [])], secretsOf(run, fresh))
        throw error
      }
      // A budget that is used up, or a user who has seen enough: no sequence is to blame.
      if (error instanceof Stopped || error.needs.includes('--max-credits')) ended = error
    } finally {
      run.trace = undefined
      // A sequence proves nothing by itself: only what it breaks is kept, once it is at its shortest.
      run.findings.length = from
    }
  }

  for (let find = 0; find < mostFinds && left > 0 && ended === undefined; find++) {
    let lastBroken: Broken | undefined
    const property = fc.asyncProperty(fc.commands(commands, { maxCommands: longestSequence }), async sequence => {
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
    const broken = lastBroken
    const script = scriptOf(broken.trace, broken.secrets)
    for (const finding of broken.findings) {
      run.findings.push({ ...finding, curl: script })
      for (const clause of finding.clauses) known.add(clause)
    }
  }
  return { sequences: done, calls: run.requests - callsBefore, seed }
}

/** The same commands, each followed by a look at what it has broken. */
function* guarded(sequence: Iterable<Command>, run: Run, from: number, known: ReadonlySet<string>) {
  for (const command of sequence) {
    yield {
      check: (model: Readonly<Model>) => command.check(model),
      run: async (model: Model, real: Real) => {
        await command.run(model, real)
        const broken = run.findings
          .slice(from)
          .filter(({ holds, clauses }) => !holds && clauses.some(clause => !known.has(clause)))
        if (broken.length > 0) throw new Broken(broken, [], {})
      },
      toString: () => command.toString(),
    }
  }
}

/** The sequence's own keys stand for the user's. */
function secretsOf(run: Run, { main, second }: { main?: string; second?: string }): Record<string, string> {
  return {
    ...run.kit.secrets,
    ...(main !== undefined && { API_KEY: main }),
    ...(second !== undefined && { SECOND_KEY: second }),
  }
}

/** What the endpoint draws, and later calls need: by operation, the variable's kind and the field. */
const given: Record<string, [kind: string, field: string]> = {
  createJob: ['JOB', 'id'],
  uploadVideo: ['VIDEO', 'video_url'],
}

/** Lines for a shell that do the same: ids that the endpoint draws are caught in variables, and used further down. */
function scriptOf(trace: readonly Seen[], secrets: Record<string, string>): string {
  const names: Record<string, string> = {}
  const nameOf = (kind: string, text: string): string | undefined => {
    if (Object.values(names).includes(text)) return undefined
    const name = `${kind}_${Object.keys(names).filter(known => known.startsWith(kind)).length + 1}`
    names[name] = text
    return name
  }
  const lines: string[] = []
  for (const seen of trace) {
    const key = seen.sent.headers['Idempotency-Key']
    const idem = key === undefined ? undefined : nameOf('IDEM', key)
    if (idem !== undefined) lines.push(`${idem}=again-$RANDOM$RANDOM$RANDOM`)
    const line = curlOf(seen.sent, redactor({ ...secrets, ...names }))
    const [kind, from] = given[seen.operation ?? ''] ?? []
    const text = kind === undefined || from === undefined ? undefined : field(seen, from)
    const name = kind !== undefined && typeof text === 'string' ? nameOf(kind, text) : undefined
    const caught = `${name}=$(${line.replace('curl -i', 'curl -s')} | tee /dev/stderr | grep -o '"${from}": *"[^"]*"' | cut -d'"' -f4)`
    const added = name === undefined ? line : caught
    // A job that is polled is asked the same again and again.
    if (added !== lines.at(-1)) lines.push(added)
  }
  return lines.join('\n')
}
