/** What the script says of itself: how it is run, in what it differs from the drill, what is not in it. */
import { oneLine, wrap } from '../../base/text.ts'
import { drills } from '../named/index.ts'
import { thresholdText } from '../thresholds.ts'
import { clipFile, headerVariables } from './constants.ts'
import { needsJob, wholeMix } from './mixed.ts'
import { isOpen, type Parts } from './options.ts'
import { mixOf, type NotInK6 } from './thresholds.ts'

const width = 116

export function k6Head(target: string, parts: Parts, notIn: readonly NotInK6[], names: ReadonlySet<string>): string {
  const { drill } = parts
  const variables = variablesOf(target, parts, names)
  const widest = Math.max(...variables.map(([name]) => name.length))
  const lines = [
    ...filled(`understudy drill ${drill} as a script for k6, 1.0 or newer: ${drills[drill].title}`),
    '',
    '  k6 run -e API_KEY=... script.js',
    '',
    ...variables.map(([name, what]) => `  ${name.padEnd(widest)}  ${what}`),
    '',
    ...filled("A mock's key with the limits that the drill needs:"),
    `  curl ${oneLine(target)}/__mock/keys --json '${JSON.stringify(keyBody(parts))}'`,
    '',
    'In what it differs from the drill:',
    ...differences(parts, names).flatMap(item),
    ...(notIn.length > 0
      ? ['', 'Not in this script:', ...notIn.flatMap(({ of, why }) => item(`${thresholdText(of)}: ${why}`))]
      : []),
  ]
  return `${lines.map(line => `// ${line}`.trimEnd()).join('\n')}\n`
}

const filled = (text: string): string[] => wrap(oneLine(text), width)
const item = (text: string): string[] => wrap(text, width - 2).map((line, i) => `${i === 0 ? '- ' : '  '}${line}`)

function variablesOf(target: string, { settings }: Parts, names: ReadonlySet<string>): [string, string][] {
  const row = (variable: string, what: string, isIn: boolean): [string, string][] => (isIn ? [[variable, what]] : [])
  return [
    ['API_KEY', 'a valid API key (AUTH-1)'],
    ...headerVariables(settings).map(({ name, variable }): [string, string] => [variable, `the header ${name}`]),
    ['BASE_URL', `where the API is, if not at ${oneLine(target)}`],
    ...row('SECOND_KEY', 'a valid key of another account (RL-1)', names.has('SECOND_KEY')),
    ...row(
      'CLIP',
      `a video of your own, in place of ${oneLine(clipFile(settings))} beside this file`,
      names.has('clip'),
    ),
    ...row('METRICS_URL', "the server's metrics in Prometheus' format", names.has('metricsUrl')),
    ...row('ADMIN_TOKEN', 'of a mock that guards its /__mock with one', names.has('ADMIN_TOKEN')),
    ...row(
      'INSTANCES',
      "how many k6 share the load, such as the operator's parallelism (default: 1)",
      names.has('instances'),
    ),
  ]
}

function keyBody({ drill }: Parts) {
  const { limit } = drills[drill]
  const about = { key: 'k6', credits: 1_000_000_000 }
  if (limit === 'default') return about
  return {
    ...about,
    rate_limit: limit === undefined ? 0 : { calls: limit.calls, per: `${limit.perMs}ms` },
    job_limit: 0,
  }
}

function differences(parts: Parts, names: ReadonlySet<string>): string[] {
  const { drill, settings, isControlled } = parts
  const { mix, isRounded } = wholeMix(mixOf(settings))
  const said: string[] = []
  const say = (isSo: boolean, text: string) => {
    if (isSo) said.push(text)
  }
  say(
    isOpen(drill),
    'Latency counts from the sending (http_req_duration), and leaves the making of a connection out; in the drill it counts from when each request was due. An iteration begins when it is due for as long as there are VUs, so a slow server gets no rest; one that finds no VU is never sent and counts in dropped_iterations alone. With any of those the latencies are better than the truth (coordinated omission).',
  )
  say(
    !isOpen(drill),
    'Latency counts from the sending (http_req_duration), and leaves the making of a connection out, which the drill counts in.',
  )
  say(
    names.has('idOf'),
    `VUs share no memory, so nobody knows all jobs that were accepted. lost: ${
      drill === 'journey'
        ? 'each job is polled by the user that made it, and so is each one looked for.'
        : (mix.poll ?? 0) > 0
          ? 'each VU polls its own new jobs first, and a 404 for one that was accepted is a lost job; jobs_accepted less jobs_read_again is how many nobody looked for.'
          : 'one job in ten is read again right behind its create; the others nobody looks for.'
    } doubled: teardown() reads the list of jobs, in which each create has a mark of its own.`,
  )
  say(
    true,
    'broken: every answer that is no 2xx is held against ERR-1 and RL-2. The schemas of good answers are not in here: understudy check and the drill hold answers against all clauses.',
  )
  say(true, 'A threshold can only hold or not. Inconclusive, as the drill says it, is for the reader to see.')
  say(
    true,
    "Under k6's operator each instance judges its own part of the load, and runs setup() and teardown() for itself; k6's cloud judges the whole (INSTANCES=1).",
  )
  say(true, 'Chance comes from Math.random(): --seed changes nothing.')
  say(true, 'k6 sends what is asked for, wherever BASE_URL points: the bounds of the drill off loopback are not in it.')
  say(isRounded, 'The shares of the mix are rounded to a thousandth.')
  say(
    drill === 'outage' && isControlled,
    'The outage is a scenario that the mock plays to this key. Where the target is not a mock, cause it yourself at that time: `recovery` counts from its planned end.',
  )
  say(
    drill === 'outage' && !isControlled,
    `Nothing in here causes the outage: cause it yourself, ${(settings.outageAt ?? 0) / 1000} s behind the start of the load, and end it ${(settings.outageFor ?? 0) / 1000} s later. \`recovery\` counts from that planned end.`,
  )
  say(names.has('slowdown'), "slowdown: on a cluster the operator's own pauses count as time of the run.")
  say(
    drill === 'burst',
    'headers: each answer is held against itself. What several of them say together, such as one X-RateLimit-Remaining twice, nobody sees.',
  )
  say(
    names.has('watch'),
    'memory, handles: one VU reads the metrics. Where they tell nothing, k6 takes the threshold for kept, and warns.',
  )
  say(drill === 'ramp', 'Steps follow one another without a pause: answers that are late count as of their own step.')
  say(settings.ca !== undefined, 'A certificate of your own: give it to k6 as SSL_CERT_FILE.')
  say(settings.maxRequests !== undefined, 'k6 knows no bound on the number of requests: --max-requests is not in it.')
  say(isOpen(drill) && !needsJob(mix), 'The mix makes no jobs: lost and doubled find nothing.')
  return said
}
