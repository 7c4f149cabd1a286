/** Tools that start and stop mocks, and switch scenarios on. */

import { defined } from '../../base/inputs.ts'
import { textSchema as text, textsSchema as texts } from '../../base/jsonSchema.ts'
import { ConfigError, parseAs } from '../../base/options.ts'
import type { ScenarioChoice } from '../../client/mock.ts'
import { noScenario } from '../../rehearse/run.ts'
import { options } from '../../server/config.ts'
import { defineTool, keyField, mockField } from '../tool.ts'

export const startMockTool = defineTool({
  name: 'start_mock',
  title: 'Start a mock of the API',
  description:
    'Starts a mock on a free port of this machine, or attaches to one that runs. Point the client at `url` with `key`. Next: use_scenario, then what_happened.',
  hints: { readOnlyHint: false, destructiveHint: false, openWorldHint: false },
  input: {
    type: 'object',
    additionalProperties: false,
    properties: {
      url: { type: 'string', description: 'attach to the mock that runs here, instead of starting one' },
      port: { type: 'integer', minimum: 0, maximum: 65535, description: 'TCP port; a free one by default' },
      speed: { type: 'string', description: 'speed factor of jobs, such as "10", or "instant"; "1" by default' },
      seed: { type: 'string', minLength: 1, description: 'seed of everything random: the same gives the same run' },
      credits: { type: 'number', minimum: 0, description: 'credits that each key starts with' },
    },
  },
  output: {
    type: 'object',
    required: ['url', 'key', 'seed', 'started'],
    properties: {
      url: text,
      key: { ...text, description: 'a key that works; so does any other that starts with test_' },
      seed: text,
      started: { type: 'boolean', description: 'false: it was running before, and stop_mock leaves it running' },
    },
  },
  async run({ url, speed, ...given }, { session }) {
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
      data: { url: mock.url, key: mock.key, seed: mock.seed, started: own !== undefined },
    }
  },
})

export const stopMockTool = defineTool({
  name: 'stop_mock',
  title: 'Stop mocks',
  description: 'Stops a mock, or all that were started here. Those that were attached to are left running.',
  hints: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  input: {
    type: 'object',
    additionalProperties: false,
    properties: { mock: { ...mockField, description: 'URL of the mock; all by default' } },
  },
  output: { type: 'object', required: ['stopped', 'left'], properties: { stopped: texts, left: texts } },
  async run({ mock }, { session }) {
    const { stopped, left } = await session.stop(mock)
    const said = [
      stopped.length === 0 ? 'No mock was started here' : `Stopped: ${stopped.join(', ')}`,
      ...(left.length === 0 ? [] : [`left running: ${left.join(', ')}`]),
    ]
    return { text: said.join('; '), data: { stopped, left } }
  },
})

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
