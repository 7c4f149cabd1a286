/** The tool that runs a test suite against broken servers: it tells how far it is, and ends with its call. */
import { laterReal } from '../../base/clock.ts'
import { UnderstudyError } from '../../base/errors.ts'
import { defined } from '../../base/inputs.ts'
import { countSchema as count, textSchema as text, textsSchema as texts } from '../../base/jsonSchema.ts'
import { ConfigError } from '../../base/options.ts'
import { oneLine, plural } from '../../base/text.ts'
import { mutateOptions } from '../../mutate/options.ts'
import { MutationReport, type MutationResult } from '../../mutate/report.ts'
import { blindSpots, clauseText, refused, resultText, unclear } from '../../mutate/shared.ts'
import { defineTool, durationIn, type ToolAnswer } from '../tool.ts'
import { commandField, commandHints, commandOf, envField, printed } from './commands.ts'

const mostBlind = 10

const brokenFields = {
  id: text,
  clause: text,
  what: { ...text, description: 'how that server differs, in a sentence' },
} as const

export const mutateTool = defineTool({
  name: 'mutate',
  title: 'Would my tests notice?',
  description:
    'Runs a test command against mocks that are broken in one place each, and names those that it does not notice, with what a test would assert; also correct ones that it refuses. The command finds the mock as that of rehearse does. Begin with sample: 40, or only: the whole may take a hundred runs.',
  hints: commandHints,
  input: {
    type: 'object',
    additionalProperties: false,
    required: ['command'],
    properties: {
      command: { ...commandField, description: 'the tests, without a shell: ["npm", "test"]; red by exit code' },
      only: {
        type: 'array',
        items: { type: 'string' },
        minItems: 1,
        description: 'clauses, mutants or variants: "JOB-5", "job-output-url-null"',
      },
      sample: { type: 'integer', minimum: 1, maximum: 10_000, description: 'run so many, of each clause one first' },
      seed: { type: 'string', minLength: 1, description: 'the same gives the same sample' },
      jobs: {
        type: 'integer',
        minimum: 1,
        maximum: 64,
        description: `runs in parallel; ${mutateOptions.jobs.default()} by default; 1 for tests that can't run beside themselves`,
      },
      min_score: { type: 'number', minimum: 0, maximum: 100, description: 'lowest score that is ok, in percent' },
      require: { enum: ['must'], description: 'not ok if one goes unnoticed by which data, money or users are lost' },
      timeout: {
        type: 'string',
        description: `timeout of a run on the healthy mock, such as "20s"; ${mutateOptions.timeout.defaultText} by default`,
      },
      time_limit: { type: 'string', description: 'of the whole, such as "2m": then it ends and says what is known' },
      env: envField,
      rate_limit: { type: 'integer', minimum: 0, description: 'requests a minute of the mock; 0: no limit' },
      job_limit: { type: 'integer', minimum: 0, description: 'jobs at a time of the mock; 0: no limit' },
    },
  },
  output: {
    type: 'object',
    required: [
      'ok',
      'complete',
      'why',
      'score',
      'outcomes',
      'blind_spots',
      'refused',
      'unclear',
      'never_called',
      'not_run',
    ],
    properties: {
      ok: { type: 'boolean', description: 'false: it was stopped, or min_score or require does not hold' },
      complete: { type: 'boolean', description: 'false: it was stopped by time_limit' },
      why: text,
      score: { type: ['number', 'null'], description: 'mutants noticed, of those reached, in percent' },
      outcomes: MutationReport.properties.outcomes,
      blind_spots: {
        type: 'array',
        description: `Mutants that no test noticed, the musts first, ${mostBlind} at the most.`,
        items: {
          type: 'object',
          required: ['id', 'clause', 'what', 'asserts'],
          properties: {
            ...brokenFields,
            severity: { enum: ['must', 'may'], description: 'must: a client that does not notice loses something' },
            loses: text,
            call: { ...text, description: 'where it showed itself' },
            asserts: { ...text, description: 'what a test that notices it asserts' },
          },
        },
      },
      refused: {
        type: 'array',
        description: 'Correct servers that the tests refuse: those are brittle there.',
        items: {
          type: 'object',
          required: ['id', 'clause', 'what', 'grants'],
          properties: { ...brokenFields, grants: { ...text, description: 'the sentence that grants it' } },
        },
      },
      unclear: { ...texts, description: 'failed once and passed once: the tests are flaky there' },
      never_called: { ...texts, description: 'operations that no test called: nothing is known of them' },
      not_run: { ...count, description: 'how many sample or time_limit left out' },
    },
  },
  async run({ command, env, min_score, timeout, time_limit, rate_limit, job_limit, ...given }, context) {
    const running = commandOf({ command, env }, context)
    const { signal, tell } = context
    const limitMs = durationIn(time_limit, 'time_limit')
    const late = new AbortController()
    const settings = defined({
      ...given,
      minScore: min_score,
      timeout: durationIn(timeout, 'timeout'),
      rateLimit: rate_limit,
      jobLimit: job_limit,
    })
    const [{ mutateCommand }, { chosenEntries }] = await Promise.all([
      import('../../mutate/run.ts'),
      import('../../mutate/catalogue.ts'),
    ])
    const all = chosenEntries(given.only).length
    const cancel = limitMs === undefined ? () => {} : laterReal(limitMs, () => late.abort())
    let healthy = 0
    const report = await mutateCommand({
      ...running,
      ...settings,
      signal: AbortSignal.any([signal, late.signal]),
      onProgress: progress => {
        if (progress.type === 'healthy') {
          healthy = progress.of
          tell(progress.run - 1, undefined, `without a mutant: run ${progress.run} of ${progress.of}`)
        } else if (progress.type === 'ended')
          tell(healthy + progress.done, healthy + progress.of, `${progress.id}: ${progress.result.outcome}`)
      },
    })
      .catch(error => {
        if (!(error instanceof UnderstudyError)) throw error
        // It may quote the tests.
        const found = printed(error.message)
        throw new ConfigError(late.signal.aborted ? `time_limit ${time_limit} is over: ${found}; give it more` : found)
      })
      .finally(cancel)
    const left = all - report.results.length
    const over = late.signal.aborted && !report.complete ? `time_limit ${time_limit}` : undefined
    return mutationAnswer(report, left, over)
  },
})

/** `left` were not run, as the sample has none of them or because `over` is over. */
function mutationAnswer(report: MutationReport, left: number, over: string | undefined): ToolAnswer {
  const blind = blindSpots(report)
  const shown = blind.slice(0, mostBlind).map(({ id, clause, what, severity, loses, exchange }) => ({
    id,
    clause,
    what,
    ...defined({ severity, loses }),
    ...(exchange && { call: oneLine(`${exchange.method} ${exchange.url}`) }),
    asserts: oneLine(exchange?.asserts ?? clauseText(clause)),
  }))
  const brittle = refused(report).map(({ id, clause, what }) => ({ id, clause, what, grants: clauseText(clause) }))
  const flaky = unclear(report).map(({ id }) => id)
  const { ok, complete, why, score, outcomes } = report
  const { never_called } = report.healthy
  const more = blind.length - shown.length
  return {
    text: [
      `${ok ? 'ok' : 'not ok'}: ${over === undefined ? '' : `${over} is over; `}${why}`,
      ...shown.flatMap(({ id, asserts }, i) => [
        oneLine(`✗ ${id}: ${resultText(blind[i] as MutationResult)}`),
        `    → assert ${asserts}`,
      ]),
      ...(more > 0 ? [`${plural(more, 'more blind spot')}: in the whole`] : []),
      ...brittle.flatMap(({ id, clause, what, grants }) => [
        oneLine(`✗ ${id}: refused, and correct: ${what}`),
        `    → assert less: ${clause} grants it: ${oneLine(grants)}`,
      ]),
      ...(flaky.length > 0 ? [`failed once and passed once: ${flaky.join(', ')}`] : []),
      ...(never_called.length > 0 ? [`never called: ${never_called.join(', ')}`] : []),
      ...(left > 0 ? [`not run: ${left}`] : []),
    ].join('\n'),
    data: {
      ...{ ok, complete, why, score, outcomes, blind_spots: shown, refused: brittle, unclear: flaky },
      ...{ never_called: [...never_called], not_run: left },
    },
    whole: { name: 'mutation', document: { ...report, results: report.results.map(quietly) } },
  }
}

/** A result as it may be shown: what the tests printed is theirs. */
const quietly = (result: MutationResult): MutationResult => ({
  ...result,
  runs: result.runs.map(run => (run.output === undefined ? run : { ...run, output: printed(run.output) })),
})
