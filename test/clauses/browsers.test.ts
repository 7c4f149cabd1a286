import t from 'tap'
import { check } from '../../suite/runCheck.ts'
import { start } from '../support.ts'

t.test('BR-1 the suite notes what a page of another origin is told, and accuses nobody', async t => {
  const mock = await start(t)
  const report = await check(mock.url, { only: ['BR-1'] })
  const clause = report.clauses.find(({ id }) => id === 'BR-1')
  t.match(clause, { level: 'open', verdict: 'passed', notes: [/^a page of http:\/\/localhost:3000 /] })
})
