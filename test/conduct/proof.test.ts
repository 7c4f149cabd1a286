/**
 * The proof of the conduct rules: sample clients are played under every scenario that ships, with real time replaced by
 * the clock. A good one is never accused; one with a bad habit is accused of that habit and of nothing else.
 */
import t from 'tap'
import { type BadClient, badClients, goodClients } from '../clients/bad.ts'
import { good } from '../clients/policy.ts'
import { everyScenario, none, openStage, type Take } from '../clients/stage.ts'
import { isProving, scenarioOfEachKind } from '../support.ts'

type GoodClient = (typeof goodClients)[number]

/** Never broken: what a client logs is not seen, and a path that it didn't take is none that it did wrong. */
const unbreakable = ['observability.request-id', 'goLive.audit', 'goLive.paths', 'secrets.key-only-where-needed']

/**
 * All is played before the first test begins, as tap follows every step of what its tests do, which takes as long again.
 * The themes are played at the same time: a slow webhook endpoint is slow in real time.
 */
async function play(clients: readonly (GoodClient | BadClient)[]): Promise<Take[][]> {
  let stage = await openStage()
  const played: Take[][] = []
  for (const client of clients) {
    played.push(await stage.perform(client.name, { ...good, ...client.habit }, scenariosFor(client)))
    // A mock forgets its oldest worlds, and all scenarios of all clients are more than it keeps.
    if (!isProving) continue
    await stage.close()
    stage = await openStage()
  }
  await stage.close()
  return played
}

/** For `npm run prove` every one; otherwise one of each kind for the good one, and for a habit where it shows, and a calm day. */
function scenariosFor(client: GoodClient | BadClient): readonly string[] {
  if (isProving) return everyScenario
  const played: readonly string[] = client === goodClients[0] ? scenarioOfEachKind : shownBy(client)
  return everyScenario.filter(name => name === none || played.includes(name))
}

/** A habit shows in each of its scenarios: the first of them is as good as the others. */
const shownBy = ({ shownIn }: GoodClient | BadClient): readonly string[] =>
  shownIn?.filter(name => name !== none).slice(0, 1) ?? ['rate-limited-then-ok', 'outage-of-30s']

const repeated = ['brownout', 'go-live']
async function playAgain(): Promise<string[][]> {
  const stage = await openStage()
  await stage.perform('again', good, repeated)
  const lines = repeated.map(scenario => inOwnTime(stage.linesOf('again', scenario)))
  await stage.close()
  return lines
}

const themes = Object.entries(badClients)
const [goodTakes, once, twice, ...badTakes] = await Promise.all([
  play(goodClients),
  playAgain(),
  playAgain(),
  ...themes.map(([, clients]) => play(clients)),
])

interface Accusation {
  rule: string
  scenario: string
  said: string
}

const accusationsIn = (takes: readonly Take[]): Accusation[] =>
  takes.flatMap(({ scenario, report }) =>
    report.rules
      .filter(({ verdict }) => verdict === 'failed')
      .map(({ id, evidence }) => ({ rule: id, scenario, said: evidence.map(({ said }) => said).join('; ') })),
  )

const wrongs = (accusations: readonly Accusation[]): string[] =>
  accusations.map(({ rule, scenario, said }) => `${scenario}: wrongly accused of ${rule}: ${said}`)

t.test('a good client is accused of nothing, whatever happens to it', async t => {
  for (const [n, { name }] of goodClients.entries()) t.same(wrongs(accusationsIn(goodTakes[n] ?? [])), [], name)
  t.same(
    goodTakes[0]?.map(({ scenario }) => scenario),
    scenariosFor(goodClients[0] as GoodClient),
  )
})

for (const [n, [theme, clients]] of themes.entries()) {
  t.test(`a client with one bad habit is accused of it, and of nothing else: ${theme}`, async t => {
    for (const [m, client] of clients.entries()) {
      const takes = badTakes[n]?.[m] ?? []
      t.ok(
        takes.some(({ scenario }) => client.shownIn.includes(scenario)),
        client.name,
      )
      t.same(mistakes(client, takes), [], `${client.name}: ${client.breaks}`)
    }
  })
}

/** What was said of a bad client that it should not be, and what was not said. */
function mistakes({ breaks, also = [], shownIn }: BadClient, takes: readonly Take[]): string[] {
  const accusations = accusationsIn(takes)
  const played = new Set(takes.map(({ scenario }) => scenario))
  const found = new Set(accusations.filter(({ rule }) => rule === breaks).map(({ scenario }) => scenario))
  return [
    ...wrongs(accusations.filter(({ rule }) => rule !== breaks && !also.includes(rule))),
    ...shownIn
      .filter(scenario => played.has(scenario) && !found.has(scenario))
      .map(scenario => `${scenario}: not accused of ${breaks}`),
  ]
}

t.test('every rule that can be broken has a client that breaks it', async t => {
  const rules = goodTakes[0]?.[0]?.report.rules.map(({ id }) => id)
  const broken = themes.flatMap(([, clients]) => clients.flatMap(({ breaks, also = [] }) => [breaks, ...also]))
  t.same([...new Set([...broken, ...unbreakable])].sort(), rules?.sort())
})

t.test('the same seed gives the same run: each call, its answer and its time', async t => {
  t.same(once, twice)
  t.ok(once.flat().length > 20)
})

/** The lines with the time since the first of them. */
function inOwnTime(lines: readonly string[]): string[] {
  const timeOf = (line: string) => Date.parse(line.slice(0, line.indexOf(' ')))
  const first = timeOf(lines[0] ?? '')
  return lines.map(line => `${timeOf(line) - first} ms${line.slice(line.indexOf(' '))}`)
}
