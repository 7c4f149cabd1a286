/** The desk's filter box, without a browser. */
import t from 'tap'
import type { JournalRow } from '../../client/desk.ts'
import { filteredBy, parseFilter, withName } from '../../desk/filter.ts'

const row: JournalRow = {
  seq: 12,
  kind: 'exchange',
  time: '2026-11-29T10:31:05.250Z',
  method: 'POST',
  url: '/v1/jobs?x=1',
  route: 'POST /v1/jobs',
  status: 402,
  ms: 1,
  world: 'abc123/w 1',
  job_id: 'job_9',
  request_id: 'req_7',
  code: 'insufficient_credits',
  said: 'Not enough credits: needs 2',
  scenario: 'go-live',
  rule: 'once',
  trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
}

t.test('words and names fit what a row shows; all of them have to', async t => {
  const fits = [
    '',
    '402',
    'NOT enough',
    'status:4xx',
    'status:402 method:post',
    'route:"POST /v1"',
    'world:"w 1"',
    'job:job_9',
  ]
  const more = [
    'req:req_7 rule:once',
    'scenario:go trace:4bf9',
    'code:credits',
    'kind:call',
    'seq:10-12',
    'from:10:31 to:10:32',
  ]
  for (const text of [...fits, ...more]) t.equal(parseFilter(text).fits(row), true, text)
  const not = [
    '403',
    'status:5xx',
    'status:40',
    'method:get',
    'kind:webhook',
    'seq:13',
    'from:10:32',
    'to:10:31:05',
    'enough nothing',
  ]
  for (const text of not) t.equal(parseFilter(text).fits(row), false, text)
})

t.test('a name that is none is told, and a URL is a word', async t => {
  t.same(parseFilter('stauts:402 http://localhost:1 a"b').unknown, ['stauts'])
  t.same(parseFilter('http://localhost:1').words, ['http://localhost:1'])
  t.same(parseFilter('constructor:1').unknown, ['constructor'])
})

t.test('a name is set, read and taken away again', async t => {
  const set = withName('needle status:402', 'route', 'POST /v1/jobs')
  t.equal(set, 'route:"POST /v1/jobs" needle status:402')
  t.equal(filteredBy(set, 'route'), 'POST /v1/jobs')
  t.equal(withName(set, 'route', undefined), 'needle status:402')
  t.equal(withName(set, 'status', '5xx'), 'status:5xx route:"POST /v1/jobs" needle')
  t.equal(filteredBy('needle', 'status'), '')
})
