/** Tools that start and stop mocks, and switch scenarios on. */
import { defined } from '../../base/inputs.ts'
import { textSchema as text, textsSchema as texts } from '../../base/jsonSchema.ts'
import { ConfigError, parseAs } from '../../base/options.ts'
import type { ScenarioChoice } from '../../client/mock.ts'
import { noScenario } from '../../rehearse/run.ts'
import { options } from '../../server/config.ts'
import type { AgentSession } from '../session.ts'
import { defineTool, keyField, mockField, type ToolAnswer } from '../tool.ts'

export const mockTool = defineTool({
  name: 'mock',
  title: 'Start or stop a mock of the API',
  description:
    'start: starts a mock on a free port of this machine, or attaches to the one at `url`. Point the client at the `url` of the answer with `key`; next: use_scenario, then what_happened. stop: stops the one at `url`, or all; those that were attached to are left running.',
  hints: { readOnlyHint: false, destructiveHint: true, openWorldHint: false },
  input: {
    type: 'object',
    additionalProperties: false,
    required: ['action'],
    properties: {
      action: { enum: ['start', 'stop'] },
      url: {
        type: 'string',
        description: 'start: attach to the mock that runs here, instead of starting one; stop: this one alone',
      },
      port: { type: 'integer', minimum: 0, maximum: 65535, description: 'start: TCP port; a free one by default' },
      speed: { type: 'string', description: 'start: speed factor of jobs, such as "10", or "instant"; "1" by default' },
      seed: { type: 'string', minLength: 1, description: 'start: seed of everything random: the same, the same run' },
      credits: { type: 'number', minimum: 0, description: 'start: credits that each key has at first' },
    },
  },
  output: {
    type: 'object',
    required: ['stopped', 'left'],
    properties: {
      url: { ...text, description: 'of what was started; this and the next three are there after start' },
      key: { ...text, description: 'a key that works; so does any other that starts with test_' },
      seed: text,
      started: { type: 'boolean', description: 'false: it was running before, and stop leaves it running' },
      stopped: { ...texts, description: 'URLs of those that were stopped' },
      left: { ...texts, description: 'URLs of those that were attached to: they run on' },
    },
  },
  async run({ action, url, ...given }, { session }) {
    const [name] = Object.keys(given)
    if (name !== undefined && (action === 'stop' || url !== undefined))
      throw new ConfigError(
        action === 'stop'
          ? `"${name}" is of a mock that is started; expected only "url" with action: "stop"`
          : `"${name}" is of a mock that is started, and "url" attaches to one that runs: leave one of them out`,
      )
    return action === 'stop' ? stop(session, url) : start(session, url, given)
  },
})

async function start(
  session: AgentSession,
  url: string | undefined,
  { speed, ...given }: { port?: number; speed?: string; seed?: string; credits?: number },
): Promise<ToolAnswer> {
  const { mock, own } =
    url === undefined
      ? await session.start({
          ...defined(given),
          ...(speed !== undefined && { speed: parseAs(options.speed, speed, 'speed') }),
        })
      : await session.attach(url)
  const what = own ? 'A mock is started' : 'A running mock is used'
  return {
    text: `${what}: ${mock.url}, key ${mock.key}, seed ${mock.seed}`,
    data: { url: mock.url, key: mock.key, seed: mock.seed, started: own !== undefined, stopped: [], left: [] },
  }
}

async function stop(session: AgentSession, url: string | undefined): Promise<ToolAnswer> {
  const { stopped, left } = await session.stop(url)
  const said = [
    stopped.length === 0 ? 'No mock was started here' : `Stopped: ${stopped.join(', ')}`,
    ...(left.length === 0 ? [] : [`left running: ${left.join(', ')}`]),
  ]
  return { text: said.join('; '), data: { stopped, left } }
}

export const useScenarioTool = defineTool({
  name: 'use_scenario',
  title: 'Switch a scenario on',
  description: `Has the mock fail as a scenario says, for every key or for one; "${noScenario}" switches it off again. The resource understudy://scenarios lists those that ship, understudy://scenario-format says how to write one.`,
  hints: { readOnlyHint: false, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  input: {
    type: 'object',
    additionalProperties: false,
    properties: {
      scenario: {
        type: 'string',
        description: `name of a scenario, such as "internal-error-once", or "${noScenario}"`,
      },
      definition: { type: 'object', description: 'a scenario of your own, in place of a name: { rules: [...] }' },
      key: keyField,
      mock: mockField,
    },
  },
  output: {
    type: 'object',
    required: ['scenario', 'why', 'rules'],
    properties: {
      scenario: { type: ['string', 'null'] },
      why: text,
      description: text,
      clauses: texts,
      rules: {
        type: 'array',
        items: {
          type: 'object',
          required: ['name', 'fired'],
          properties: { name: text, fired: { type: 'integer' } },
        },
      },
    },
  },
  async run({ scenario, definition, key, mock: url }, { session }) {
    if ((scenario === undefined) === (definition === undefined))
      throw new ConfigError(`give either "scenario", a name or "${noScenario}", or "definition"`)
    const { mock, scenarios } = session.find(url)
    const forKey = defined({ key })
    const before = scenarios.get(key ?? '')
    // The new one first: a name that does not exist changes nothing.
    const next =
      scenario === noScenario ? undefined : await mock.use((scenario ?? definition) as ScenarioChoice, forKey)
    scenarios.delete(key ?? '')
    await before?.end()
    if (next !== undefined) scenarios.set(key ?? '', next)
    const active = await mock.activeScenario(key)
    const { description, clauses, rules = [] } = active
    return {
      text:
        active.scenario === null
          ? 'No scenario is active: the mock answers as documented'
          : [
              `${active.scenario} is active (${active.why}): ${description ?? ''} ${clauses?.join(' ') ?? ''}`.trim(),
              ...rules.map(rule => `- ${rule.name}: fired ${rule.fired} times`),
            ].join('\n'),
      data: {
        scenario: active.scenario,
        why: active.why,
        ...defined({ description, clauses }),
        rules: rules.map(({ name, fired }) => ({ name, fired })),
      },
    }
  },
})
