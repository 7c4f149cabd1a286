/** The script's constants and metrics, by the name that it uses. What is secret comes from k6's environment. */

import { basename } from 'node:path'
import { parseHeaderLines } from '../../base/inputs.ts'

import type { Complete } from '../session.ts'
import { decimal, property, quoted, timeOf } from './code.ts'
import { wholeMix } from './mixed.ts'
import { mixOf } from './thresholds.ts'

/** The extra headers by name, and the variables that hold their values. */
export const headerVariables = (settings: Complete): { name: string; variable: string }[] =>
  Object.keys(parseHeaderLines(settings.header ?? [])).map(name => ({
    name,
    variable: `HEADER_${name.toUpperCase().replace(/\W/g, '_')}`,
  }))

export const clipFile = ({ clip = 'short.mp4' }: Complete): string => `./${basename(clip)}`

export function constants(target: string, settings: Complete): Record<string, string> {
  const { timeout, jobTimeout, maxWait, duration = 0, users = 1, calls = 1, scenario = '' } = settings
  const { outageAt = 0, outageFor = 0 } = settings
  const headers = headerVariables(settings).map(({ name, variable }) => `${property(name)}: __ENV.${variable}`)
  const { mix } = wholeMix(mixOf(settings))
  const shares = Object.entries(mix).map(([call, share]) => `${call}: ${share}`)
  const rows: Record<string, string> = {
    baseUrl: `(__ENV.BASE_URL || ${quoted(target)}).replace(/\\/+$/, '')`,
    apiKey: '__ENV.API_KEY',
    ownHeaders: headers.length > 0 ? `{ ${headers.join(', ')} }` : '{}',
    timeout: timeOf(timeout),
    instances: 'Number(__ENV.INSTANCES) || 1',
    // UP-2.
    clipTypes: "{ avi: 'video/x-msvideo', mov: 'video/quicktime', mp4: 'video/mp4', webm: 'video/webm' }",
    clipPath: `__ENV.CLIP || ${quoted(clipFile(settings))}`,
    clipName: 'clipPath.split(/[\\\\/]/).pop()',
    clipType: "clipTypes[clipName.split('.').pop().toLowerCase()]",
    clip: "open(clipPath, 'b')",
    jobTimeoutMs: decimal(jobTimeout),
    maxWaitMs: decimal(maxWait),
    durationMs: decimal(duration),
    outageAtMs: decimal(outageAt),
    outageForMs: decimal(outageFor),
    outageScenario: quoted(scenario),
    metricsUrl: `__ENV.METRICS_URL || ${metricsUrlOf(settings)}`,
    users: decimal(users),
    calls: decimal(calls),
    mix: `{ ${shares.join(', ')} }`,
  }
  const said: Partial<Record<string, string>> = {
    clip: '// Each VU holds the whole file: short ones are best.\n',
    instances: '// How many k6 share the load: limits that are counts are divided by it.\n',
  }
  return Object.fromEntries(
    Object.entries(rows).map(([name, value]) => [name, `${said[name] ?? ''}const ${name} = ${value}\n`]),
  )
}

/** A password or a token in it stays out. */
function metricsUrlOf({ metricsUrl }: Complete): string {
  if (metricsUrl === undefined) return `\`\${baseUrl}/metrics\``
  const { origin, pathname } = new URL(metricsUrl)
  return quoted(origin + pathname)
}

type Kind = 'Counter' | 'Rate' | 'Trend'

/** Variable, name for k6, what it is. */
const metricRows: readonly [string, string, Kind, string][] = [
  ['errors', 'errors', 'Rate', 'requests that ended neither 2xx nor 429'],
  ['status4xx', 'status_4xx', 'Rate', '4xx without 429'],
  ['status429', 'status_429', 'Rate', ''],
  ['status5xx', 'status_5xx', 'Rate', ''],
  ['noResponse', 'no_response', 'Rate', 'cut, refused, timed out'],
  ['broken', 'broken', 'Counter', 'answers that break a clause'],
  ['withAnswer', 'answered', 'Counter', 'requests that got an answer, whichever'],
  ['inTime', 'ended', 'Counter', 'requests that ended while the load was on'],
  ['accepted', 'jobs_accepted', 'Counter', ''],
  ['readAgain', 'jobs_read_again', 'Counter', 'of those accepted, the ones that were asked for later'],
  ['lost', 'lost', 'Counter', 'of those read again, the ones that are not there'],
  ['doubled', 'doubled', 'Counter', 'jobs beyond the first of one create (GO-3)'],
  ['givenUp', 'given_up', 'Counter', 'requests that never got through, retries and all'],
  ['recovery', 'recovery', 'Trend', 'ms from the end of the outage to a failure'],
  ['limited', 'limited', 'Counter', 'answers of 429 (GO-2)'],
  ['headerMismatches', 'header_mismatches', 'Counter', 'answers whose limit headers contradict themselves (RL-2)'],
  ['retryAfterViolations', 'retry_after_violations', 'Counter', 'Retry-Afters that were waited for in vain (RL-2)'],
  ['sharedLimit', 'shared_limit', 'Counter', 'calls of the second key that were refused (RL-1)'],
  ['slowdown', 'slowdown', 'Trend', 'time till all were through, by the best possible'],
  ['memory', 'memory', 'Trend', '% that it grew'],
  ['handles', 'handles', 'Trend', '% that they grew'],
  ['finished', 'finished', 'Rate', 'journeys that came to their output'],
  ['journeyDuration', 'journey_duration', 'Trend', ''],
]

/** Names for k6 by variable. A threshold on one that is not declared is refused. */
export const metricNames = new Map(metricRows.map(([variable, name]) => [name, variable]))

export const k6Metrics: Readonly<Record<string, string>> = Object.fromEntries(
  metricRows.map(([variable, name, kind, what]) => [
    variable,
    `const ${variable} = new ${kind}('${name}'${kind === 'Trend' && /duration|recovery/.test(name) ? ', true' : ''})${what ? ` // ${what}` : ''}\n`,
  ]),
)
