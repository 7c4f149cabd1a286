// The documented contract as cases of your own suite: tap contract.test.mjs
import t from 'tap'
import { check } from 'understudy-mock/suite'

// A run may take longer than a test usually does.
t.setTimeout(0)
const { API_URL = 'http://127.0.0.1:4010', API_KEY } = process.env
// safe spends no credits; full needs maxCredits where it is not on this machine.
const report = await check(API_URL, { key: API_KEY, profile: 'safe' })

for (const { id, text, verdict, reason, evidence } of report.clauses) {
  const extra = { passed: {}, skipped: { skip: reason }, failed: { evidence } }[verdict]
  t.not(verdict, 'failed', `${id} ${text}`, extra)
}

t.ok(report.ok, 'the run proves something, and nothing failed', { why: report.why })
