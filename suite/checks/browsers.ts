/** BR-1: what a page of another origin is told. Nothing of it is documented, so that nobody is accused. */
import type { Check } from '../check.ts'
import type { Probe } from '../probe.ts'

export const browserChecks: readonly Check[] = [
  {
    id: 'browsers.cors',
    title: 'what a page of another origin is told (CORS): noted, never accused',
    clauses: ['BR-1'],
    async run(t: Probe) {
      const exchange = await t.get('/health', { key: null, headers: { Origin: 'http://localhost:3000' } })
      const allowed = exchange.headers['access-control-allow-origin']
      const note =
        allowed === undefined
          ? 'a page of http://localhost:3000 may not read answers: no Access-Control-Allow-Origin'
          : `a page of http://localhost:3000 is told Access-Control-Allow-Origin: ${allowed}`
      t.expect('BR-1', true, 'any answer', allowed ?? 'no Access-Control-Allow-Origin', { exchange, note })
    },
  },
]
