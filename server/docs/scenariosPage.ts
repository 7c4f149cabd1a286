/** /docs/scenarios: each scenario with its rules. In a file of its own, as it has every scenario read. */
import { markup, nothing } from '../../reports/markup.ts'
import type { Mock } from '../mock.ts'
import { doesOf } from '../scenarios/explain.ts'
import { block, clauseLinks, page } from './frame.ts'
import { control, curl, type Place } from './lines.ts'

export async function scenariosPage(mock: Mock, place: Place): Promise<string> {
  await mock.scenarios.library.readAll()
  const sections = mock.scenarios.library.list().map(({ name, scenario }) => {
    if (scenario === undefined)
      return markup`<section id="${name}"><h2>${name}</h2><p>It can't be played: <a href="/__mock/scenarios">what is wrong</a></p></section>`
    const rules = scenario.rules.map(rule => {
      return markup`<li><strong>${rule.name}</strong>: ${doesOf(rule.then)}</li>`
    })
    const source = JSON.stringify(scenario.source, null, 2)
    return markup`<section id="${name}"><h2>${name}</h2><p>${scenario.description} ${clauseLinks(scenario.clauses)}</p>
${rules.length > 0 ? markup`<ol>${rules}</ol>` : nothing}
<details><summary>As it is written</summary>${block(source)}</details></section>`
  })
  const header = (name: string) => `-H '${name}'`
  return page(
    '/docs/scenarios',
    'Scenarios',
    markup`<p>A scenario is switched on for a key by the key's name, for one call by a header, or for a key or all by the <a href="/docs/control#scenarios">control API</a>:</p>
${block(
  [
    curl(place, '/v1/jobs', [header('X-Api-Key: test_internal-error-once__a')]),
    curl(place, '/v1/jobs', [header('X-Api-Key: test_b'), header('X-Mock-Scenario: internal-error-once')]),
    control(place, `/__mock/scenario`, ['-X PUT'], { scenario: 'internal-error-once', key: 'test_c' }),
  ].join('\n'),
)}${sections}`,
  )
}
