/** The control routes as data: the API reference and docs/reference/control-api.md are made from it. */
import {
  control,
  json,
  makeCompletedJob,
  makeDelivery,
  makeJob,
  makeRefused,
  type Place,
  takeField,
  takeRequestId,
} from './lines.ts'

export interface ControlRoute {
  group: 'scenarios' | 'state' | 'journal' | 'mock'
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  /** What it does; `code` in backticks. */
  what: string
  /** A page of docs/ that has more. */
  more?: string
  query?: readonly string[]
  /** An example. */
  body?: object
  /** The lines that show it, for a mock at `base`; made of the fields above where it is left out. */
  lines?: (place: Place) => string
}

const switchedOn = (place: Place): string =>
  takeField('ID', control(place, `/__mock/scenario`, [], { scenario: 'go-live', key: 'test_a' }), 'id')

const own = {
  name: 'my-outage',
  rules: [{ name: 'down', when: { route: 'createJob' }, then: { error: 'internal_error' } }],
}

export const controlRoutes: readonly ControlRoute[] = [
  {
    group: 'scenarios',
    method: 'GET',
    path: '/__mock/scenario',
    what: 'what is active, by which of the four ways, and why; with `key` for one key',
    more: 'scenarios/switch-on.md',
    query: ['key', 'world'],
  },
  {
    group: 'scenarios',
    method: 'PUT',
    path: '/__mock/scenario',
    what: 'switches one on, by name or as a whole, in the place of what was put before; without `key` for every key',
    body: { scenario: 'go-live', key: 'test_a' },
  },
  {
    group: 'scenarios',
    method: 'DELETE',
    path: '/__mock/scenario',
    what: 'switches off what was put',
    query: ['key'],
  },
  {
    group: 'scenarios',
    method: 'POST',
    path: '/__mock/scenario',
    what: 'switches one on above what was put; the answer has its `id`, and how often each rule has fired',
    body: { scenario: 'go-live', key: 'test_a' },
  },
  {
    group: 'scenarios',
    method: 'GET',
    path: '/__mock/scenario/{id}',
    what: 'how often each of its rules has fired since; `wait=5s` waits until `rule` has, `times` times',
    query: ['rule', 'times', 'wait'],
    lines: place => `${switchedOn(place)}\n${control(place, `/__mock/scenario/$ID`)}`,
  },
  {
    group: 'scenarios',
    method: 'DELETE',
    path: '/__mock/scenario/{id}',
    what: 'switches that one off',
    lines: place => `${switchedOn(place)}\n${control(place, `/__mock/scenario/$ID`, ['-X DELETE'])}`,
  },
  {
    group: 'scenarios',
    method: 'GET',
    path: '/__mock/scenarios',
    what: 'all there are, with what is wrong with their files',
  },
  {
    group: 'scenarios',
    method: 'GET',
    path: '/__mock/scenarios/{name}',
    what: 'one as it is written; as its file has it, where `Accept` asks for `application/yaml`',
    lines: place => control(place, `/__mock/scenarios/go-live`),
  },
  {
    group: 'scenarios',
    method: 'POST',
    path: '/__mock/scenarios',
    what: 'adds one, as JSON or `application/yaml`, that can be named from then on; `validate=true` only checks it, and `problems=true` lists all that is wrong',
    more: 'scenarios/write-your-own.md',
    query: ['validate', 'problems'],
    body: own,
  },
  {
    group: 'scenarios',
    method: 'DELETE',
    path: '/__mock/scenarios/{name}',
    what: 'removes one that was added',
    lines: place =>
      `${control(place, `/__mock/scenarios`, ['-o /dev/null'], own)}\n${control(place, `/__mock/scenarios/${own.name}`, ['-X DELETE'])}`,
  },
  {
    group: 'scenarios',
    method: 'POST',
    path: '/__mock/scenarios/draft',
    what: 'a scenario that repeats what went wrong in the entries with these `seq`, as YAML',
    more: 'desk.md',
    body: { seqs: [1, 2], name: 'my-incident' },
    lines: place =>
      `${makeRefused(place)}\n${control(place, `/__mock/scenarios/draft`, ['-d "{\\"seqs\\": [$SEQ]}"', json])}`,
  },
  {
    group: 'scenarios',
    method: 'POST',
    path: '/__mock/scenarios/try',
    what: 'which rule each of the last `limit` calls would have met (200), without playing it; a name, YAML or JSON',
    more: 'desk.md',
    body: { scenario: 'go-live', limit: 50 },
  },
  {
    group: 'scenarios',
    method: 'GET',
    path: '/__mock/explain/{request_id}',
    what: 'why a request was answered as it was',
    more: 'scenarios/explain.md',
    lines: place => `${takeRequestId(place)}\n${control(place, `/__mock/explain/$REQUEST`)}`,
  },
  {
    group: 'state',
    method: 'GET',
    path: '/__mock/clock',
    what: 'the time, whether it is frozen, and how fast it passes; with `key` that of its worlds',
    query: ['key', 'world'],
  },
  {
    group: 'state',
    method: 'POST',
    path: '/__mock/clock',
    what: "`freeze`, `step` or `speed`; with `key` that key's time alone",
    body: { step: '10m' },
  },
  {
    group: 'state',
    method: 'GET',
    path: '/__mock/keys',
    what: 'every world: credits, limits, scenario, jobs by their state',
    query: ['key', 'world'],
  },
  {
    group: 'state',
    method: 'POST',
    path: '/__mock/keys',
    what: "makes or changes a key's world: `credits`, `top_up`, `rate_limit`, `job_limit`, `revoked`; without `key`, one is drawn",
    body: { key: 'test_a', credits: 10, rate_limit: { calls: 5, per: '10s' } },
  },
  {
    group: 'state',
    method: 'GET',
    path: '/__mock/worlds',
    what: 'the same of the worlds that were called last, with clock, scenario and when limits end',
    query: ['key', 'world', 'limit'],
  },
  {
    group: 'state',
    method: 'GET',
    path: '/__mock/jobs',
    what: 'the newest jobs, each with its times, polls and webhooks',
    query: ['key', 'world', 'status', 'job_id', 'limit'],
  },
  {
    group: 'state',
    method: 'GET',
    path: '/__mock/jobs/{job_id}/output',
    what: "a completed job's file; unlike a download of the client, it is in no journal and meets no rule",
    lines: place => `${makeCompletedJob(place)}\n${control(place, `/__mock/jobs/$JOB/output`, ['-o output.webm'])}`,
  },
  {
    group: 'state',
    method: 'POST',
    path: '/__mock/jobs/{job_id}',
    what: 'forces a state: `status`, `progress`, `error`, `hold`, with the charges and webhooks that belong to it',
    body: { status: 'failed', error: 'The video is too dark' },
    lines: place =>
      `${makeJob(place)}\n${control(place, `/__mock/jobs/$JOB`, [], { status: 'failed', error: 'The video is too dark' })}`,
  },
  {
    group: 'state',
    method: 'GET',
    path: '/__mock/snapshot',
    what: 'a world as one JSON document',
    query: ['key', 'world'],
    lines: place => control(place, `/__mock/snapshot?key=test_a`),
  },
  {
    group: 'state',
    method: 'PUT',
    path: '/__mock/snapshot',
    what: 'puts a world into the state of such a document',
    query: ['key', 'world'],
    body: {},
    lines: place =>
      `${control(place, `/__mock/snapshot?key=test_a`, ['-o snapshot.json'])}\n${control(place, `/__mock/snapshot?key=test_b`, ['-X PUT', "-H 'Content-Type: application/json'", '-d @snapshot.json'])}`,
  },
  {
    group: 'state',
    method: 'POST',
    path: '/__mock/reset',
    what: "makes that key's worlds as new, with `world` one of them; `{}` all",
    body: { key: 'test_a' },
  },
  {
    group: 'journal',
    method: 'GET',
    path: '/__mock/journal',
    what: 'entries, oldest first; with `order=newest` the newest',
    query: [
      'key',
      'kind',
      'route',
      'status',
      'job_id',
      'request_id',
      'trace',
      'text',
      'since',
      'before',
      'limit',
      'order',
      'view',
      'wait',
      'atLeast',
    ],
  },
  {
    group: 'journal',
    method: 'GET',
    path: '/__mock/journal/stream',
    what: 'the same, live, as server-sent events',
    lines: place => control(place, `/__mock/journal/stream`, ['-N', '--max-time 1', '|| true']),
  },
  {
    group: 'journal',
    method: 'GET',
    path: '/__mock/journal.har',
    what: 'the same as a recording',
    more: 'recordings.md',
    query: ['key', 'kind', 'route', 'status', 'job_id', 'request_id', 'trace', 'since', 'before'],
  },
  { group: 'journal', method: 'DELETE', path: '/__mock/journal', what: 'empties it', query: ['key', 'world'] },
  {
    group: 'journal',
    method: 'GET',
    path: '/__mock/conduct',
    what: "the client's grade; `max_poll_time`, `require`, `level`, `rules`",
    more: 'conduct/overview.md',
    query: ['key', 'world', 'max_poll_time', 'require', 'level', 'rules'],
  },
  {
    group: 'journal',
    method: 'POST',
    path: '/__mock/webhooks/{delivery_id}/redeliver',
    what: 'sends a delivery once more',
    more: 'guides/webhooks.md',
    lines: place => `${makeDelivery(place)}\n${control(place, `/__mock/webhooks/$DELIVERY/redeliver`, ['-X POST'])}`,
  },
  { group: 'mock', method: 'GET', path: '/__mock', what: 'the version, a key to use, and the seed' },
  {
    group: 'mock',
    method: 'GET',
    path: '/__mock/report',
    what: 'versions, options without secrets, and a snapshot of the last 20 worlds: what `understudy report` asks for',
    more: 'reference/cli.md#report',
  },
  {
    group: 'mock',
    method: 'GET',
    path: '/__mock/numbers',
    what: 'answers and their times in each 5 s of the last 15 minutes; jobs, credits, limits and webhooks now',
  },
  {
    group: 'mock',
    method: 'GET',
    path: '/__mock/incident',
    what: 'what happened as a zip, without secrets: the journal as a recording, snapshots, scenario, versions',
    more: 'desk.md',
    query: ['key', 'world'],
    lines: place => control(place, `/__mock/incident`, ['-o incident.zip']),
  },
  {
    group: 'mock',
    method: 'POST',
    path: '/__mock/incidents',
    what: 'reads such a zip, or a HAR of any tool, and judges it by `check` and `conduct`',
    more: 'desk.md',
    query: ['name'],
    lines: place =>
      `${control(place, `/__mock/incident`, ['-o incident.zip'])}\n${control(place, `/__mock/incidents`, ['--data-binary @incident.zip'])}`,
  },
  {
    group: 'mock',
    method: 'GET',
    path: '/__mock/incidents/{id}',
    what: 'one that was read: its entries and both reports; the last five are kept',
    lines: place =>
      `${control(place, `/__mock/incident`, ['-o incident.zip'])}\n${takeField('INCIDENT', control(place, `/__mock/incidents`, ['--data-binary @incident.zip']), 'id')}\n${control(place, `/__mock/incidents/$INCIDENT`, ['-o /dev/null'])}`,
  },
  {
    group: 'mock',
    method: 'GET',
    path: '/__mock/tls',
    what: 'of a mock with `--tls`: its fingerprint, the authority to trust, the fault that is on, the handshakes that failed',
    more: 'guides/tls.md',
  },
  {
    group: 'mock',
    method: 'POST',
    path: '/__mock/tls',
    what: 'has the next connection, or so many `connections`, meet a `fault` of the handshake',
    more: 'guides/tls.md',
    body: { fault: 'expired_certificate', connections: 2 },
  },
  { group: 'mock', method: 'DELETE', path: '/__mock/tls', what: 'ends such a fault' },
  { group: 'mock', method: 'GET', path: '/__mock/openapi.json', what: 'these routes as an OpenAPI document' },
  {
    group: 'mock',
    method: 'GET',
    path: '/metrics',
    what: 'for Prometheus; as OpenMetrics, with request_id and job_id as exemplars, where `Accept` asks for it',
  },
]

/** The lines that show a route. */
export function linesOf(route: ControlRoute, place: Place): string {
  const { method, path, body } = route
  if (route.lines !== undefined) return route.lines(place)
  const isPlain = method === 'GET' || (method === 'POST' && body !== undefined)
  return control(place, path, isPlain ? [] : [`-X ${method}`], body)
}
