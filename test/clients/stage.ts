/** A mock on which sample clients are played, under one scenario each: a key, and so a world and a clock, for each run. */
import { Agent } from 'node:http'
import { basename } from 'node:path'
import { pino } from 'pino'
import type { ConductReport } from '../../conduct/report.ts'
import { buildApp } from '../../server/app.ts'
import { completeConfig } from '../../server/config.ts'
import { scenarioFiles, shippedFolder } from '../../server/scenarios/library.ts'
import { listen } from '../../server/start.ts'
import { clip } from '../support.ts'
import { clientOf } from './client.ts'
import type { Clip } from './environment.ts'
import type { Policy } from './policy.ts'
import { openReceiver } from './receiver.ts'
import { callHeader, Run } from './run.ts'

/** No scenario at all. */
export const none = 'none'
export const everyScenario: readonly string[] = [
  none,
  ...scenarioFiles(shippedFolder).map(path => basename(path, '.yaml')),
]

/** Those whose story takes several jobs; in the others a second one would show nothing more. */
const long = new Set(['go-live', 'credits-run-out-midway', 'rate-limited-burst'])
const webhookSecret = 'whsec_proof'
/** Runs of one client at a time: more would keep each other's webhooks waiting, and those wait in real time. */
const atOnce = 12

/** GO-6; the second is paid for at three times the price, so that 40 credits are soon gone. */
const clips: readonly Clip[] = await Promise.all(
  (['short', 'longer', 'difficult'] as const).map(async name => ({
    filename: `${name}.mp4`,
    type: 'video/mp4',
    bytes: await clip(`${name}.mp4`),
    model: name === 'longer' ? ('pro' as const) : ('original' as const),
  })),
)

/** What one run was like. */
export interface Take {
  scenario: string
  /** What the client says of it. */
  said: string
  report: ConductReport
}

export interface Stage {
  /** Plays a client of that policy under every scenario, or under those that are given. One client at a time. */
  perform(name: string, policy: Policy, scenarios?: readonly string[]): Promise<Take[]>
  /** What a run's calls came to, in a line each. */
  linesOf(name: string, scenario: string): string[]
  close(): Promise<void>
}

export async function openStage(): Promise<Stage> {
  const config = completeConfig({ port: 0, logLevel: 'silent', outputs: 'canned', seed: 'conduct', webhookSecret })
  const app = buildApp(config, pino({ level: 'silent' }))
  const mock = await listen(app)
  const receiver = await openReceiver()
  const agent = new Agent({ keepAlive: true })
  const runs = new Map<string, Run>()
  app.mock.feed.listen(entry => {
    if (entry.kind !== 'exchange') return
    const at = entry.requestHeaders.indexOf(callHeader)
    const id = at === -1 ? undefined : entry.requestHeaders[at + 1]
    if (id !== undefined)
      runs.get(id.split(' ', 1)[0] as string)?.recorded(id, entry.ruleContext?.fired?.rule.then.fault?.name)
  })

  app.fastify.server.on('request', (request, response) => {
    const id = request.headers[callHeader] as string | undefined
    response.once('close', () => id !== undefined && runs.get(id.split(' ', 1)[0] as string)?.closed(id))
  })

  async function play(client: string, policy: Policy, scenario: string): Promise<Take> {
    const name = `${client}/${scenario}`
    const key = keyOf(client, scenario)
    if (scenario !== none) mock.use(scenario, { key })
    const clock = app.mock.worlds.ofKey(key, undefined)?.clock
    if (clock === undefined) throw new Error(`${key} has no world`)
    clock.freeze()
    const run = new Run({
      name,
      base: mock.url,
      key,
      webhookUrl: receiver.urlOf(`/${name}`),
      webhookSecret,
      clips: long.has(scenario) ? clips : clips.slice(0, 1),
      clock,
      agent,
    })
    runs.set(name, run)
    receiver.runs.set(`/${name}`, run)
    const said = await run.play(clientOf(policy))
    return { scenario, said, report: mock.conduct(key, { ended: true, alone: true }) }
  }

  return {
    async perform(name, policy, scenarios = everyScenario) {
      // What clients before it did without a key would be looked through for each of its runs.
      mock.journal.clear('anonymous')
      const takes: Take[] = []
      const left = scenarios.values()
      // They share one iterator: each takes the next that is left.
      const work = async () => {
        for (const scenario of left) takes.push(await play(name, policy, scenario))
      }
      await Promise.all(Array.from({ length: atOnce }, work))
      return takes.sort((a, b) => scenarios.indexOf(a.scenario) - scenarios.indexOf(b.scenario))
    },
    linesOf: (name, scenario) =>
      mock.journal
        .entries({ key: keyOf(name, scenario) })
        .map(entry =>
          entry.kind === 'webhook'
            ? `${entry.time} ${entry.event} → ${entry.status} ${entry.error ?? entry.fault ?? ''}`
            : `${entry.time} ${entry.method} ${entry.url} → ${entry.status} ${entry.fault ?? ''}`,
        ),
    async close() {
      agent.destroy()
      receiver.close()
      await mock.close()
    },
  }
}

const keyOf = (name: string, scenario: string): string => `test_proof.${name}.${scenario}`
