// The documented contract as cases of your own suite: node --test contract.test.mjs
// For Vitest take `import { test } from 'vitest'`, the rest is the same.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { check } from 'understudy-mock/suite'

const { API_URL = 'http://127.0.0.1:4010', API_KEY } = process.env
// safe spends no credits; full needs maxCredits where it is not on this machine.
const report = await check(API_URL, { key: API_KEY, profile: 'safe' })

for (const { id, text, verdict, reason, evidence } of report.clauses) {
  test(`${id} ${text}`, context => {
    if (verdict === 'skipped') return context.skip(reason)
    const failed = evidence.filter(({ passed }) => !passed)
    assert.equal(verdict, 'passed', failed.map(found).join('\n\n'))
  })
}

test('the run proves something, and nothing failed', () => assert.ok(report.ok, report.why))

function found({ expected, found, pointer = '', curl = '' }) {
  return `expected ${expected}, found ${found} ${pointer}\n${curl}`
}
