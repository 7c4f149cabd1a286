/**
 * The proof of the conduct rules: sample clients are played under every scenario that ships, with real time replaced by
 * the clock. A good one is never accused; one with a bad habit is accused of that habit and of nothing else.
 */
import t from 'tap'
import { type BadClient, badClients, goodClients } from '../clients/bad.ts'
import { good, type Policy } from '../clients/policy.ts'
import { everyScenario, openStage, type Take } from '../clients/stage.ts'

/** Never broken: what a client logs is not seen, and a path that it didn't take is none that it did wrong. */
const unbreakable = ['observability.request-id', 'goLive.audit', 'goLive.paths']

/**
 * All is played before the first test begins, as tap follows every step of what its tests do, which takes as long again.
 * The themes are played at the same time: a slow webhook endpoint is slow in real time.
 */
async function play(clients: readonly { name: string; habit: Partial<Policy> }[]): Promise<Take[][]> {
  const stage = await openStage()
  const played: Take[][] = []
  for (const { name, habit } of clients) played.push(await stage.perform(name, { ...good, ...habit }))
  await stage.close()
  return played
}

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
    everyScenario,
  )
})

for (const [n, [theme, clients]] of themes.entries()) {
  t.test(`a client with one bad habit is accused of it, and of nothing else: ${theme}`, async t => {
    for (const [m, client] of clients.entries()) {
      const accusations = accusationsIn(badTakes[n]?.[m] ?? [])
      t.same(mistakes(client, accusations), [], `${client.name}: ${client.breaks}`)
    }
  })
}

/** What was said of a bad client that it should not be, and what was not said. */
function mistakes({ breaks, shownIn }: BadClient, accusations: readonly Accusation[]): string[] {
  const found = new Set(accusations.filter(({ rule }) => rule === breaks).map(({ scenario }) => scenario))
  return [
    ...wrongs(accusations.filter(({ rule }) => rule !== breaks)),
    ...shownIn.filter(scenario => !found.has(scenario)).map(scenario => `${scenario}: not accused of ${breaks}`),
  ]
}

t.test('every rule that can be broken has a client that breaks it', async t => {
  const rules = goodTakes[0]?.[0]?.report.rules.map(({ id }) => id)
  const broken = themes.flatMap(([, clients]) => clients.map(({ breaks }) => breaks))
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
