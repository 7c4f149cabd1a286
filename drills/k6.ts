/** A drill as a script for k6, which runs it on a cluster. It needs nothing of this package, and holds no secret. */
import { common, environment, sending } from './k6/common.ts'
import { constants, headerVariables, k6Metrics, metricNames } from './k6/constants.ts'
import { k6Head } from './k6/head.ts'
import { mixedCode, order, watch, wholeMix } from './k6/mixed.ts'
import { isOpen, optionsCode, type Parts } from './k6/options.ts'
import { namesIn, needed } from './k6/script.ts'
import { mapped, mixOf } from './k6/thresholds.ts'
import { burstCode, journeyCode, recoverCode } from './k6/users.ts'
import type { DrillName } from './report.ts'
import type { Complete } from './session.ts'
import type { Threshold } from './thresholds.ts'

export interface K6Input {
  drill: DrillName
  /** The base URL that is written into it; BASE_URL outranks it. */
  target: string
  /** With the drill's defaults. Keys, tokens and the values of headers stay out of the script. */
  settings: Complete
  thresholds: readonly Threshold[]
}

/** The whole script, for k6 1.0 or newer. Throws a ConfigError for a header that is none. */
export function k6Script({ drill, target, settings, thresholds }: K6Input): string {
  const all = thresholds.map(one => mapped(one, drill, settings))
  const parts: Parts = {
    drill,
    settings,
    thresholds: all.flatMap(one => ('why' in one ? [] : one)),
    isControlled: drill === 'outage' && settings.control !== false && settings.outageStart === undefined,
  }
  const options = optionsCode(parts)
  const own = ownCode(parts)
  const pieces = {
    ...common,
    demand: environment(['API_KEY', ...headerVariables(settings).map(({ variable }) => variable)]),
    ...sending(countedToo(parts)),
  }
  const functions = own + needed(options + own, pieces)
  const code = options + functions
  const calls = needed(code, { order })
  const declared = constantsOf(target, parts, calls + code)
  const judged = parts.thresholds.flatMap(({ metric }) => metricNames.get(metric) ?? []).join(' ')
  const counted = needed(code + judged, k6Metrics)
  const names = namesIn(declared + counted + calls + code)
  for (const [, variable = ''] of code.matchAll(/__ENV\.(\w+)/g)) names.add(variable)
  const notIn = all.flatMap(one => ('why' in one ? one : []))
  return [k6Head(target, parts, notIn, names), imports(names, code), declared, '\n', counted, calls, code].join('')
}

/** What the drill is, without what it has in common with others. */
function ownCode({ drill, settings, isControlled, thresholds }: Parts): string {
  if (drill === 'burst') return burstCode
  if (drill === 'recover') return recoverCode
  if (drill === 'journey') return journeyCode(journeyEnds(thresholds))
  const { mix } = wholeMix(mixOf(settings))
  return mixedCode({ mix, isOutage: drill === 'outage', isControlled }) + (drill === 'soak' ? watch : '')
}

/** Lines at a journey's end, for thresholds that take it for a call: it ends well or without an output. */
function journeyEnds(thresholds: Parts['thresholds']): string[] {
  const names = new Set(thresholds.filter(({ tags }) => tags.includes('call:journey')).map(({ metric }) => metric))
  return [...names].map(name => {
    const isFailure = name === 'errors' || name === 'no_response'
    return `${metricNames.get(name)}.add(${isFailure ? '!isFinished' : 'false'}, { call: 'journey' })`
  })
}

/** Lines of count() that only some need. */
function countedToo({ drill, thresholds }: Parts): string[] {
  const isJudged = (name: string) => thresholds.some(({ metric }) => metric === name)
  const lines: string[] = []
  // A create that is tried again is not due once more.
  const isDue = drill === 'outage' ? "tags.call !== 'retry' && status !== 0" : 'status !== 0'
  if (isJudged('answered')) lines.push(`withAnswer.add(${isDue} ? 1 : 0, tags)`)
  if (isJudged('ended'))
    lines.push(isOpen(drill) ? 'if (Date.now() - exec.scenario.startTime < durationMs) inTime.add(1)' : 'inTime.add(1)')
  if (drill === 'outage')
    lines.push(
      'const behindMs = sentAt - exec.scenario.startTime - outageAtMs - outageForMs',
      'if (behindMs > 0 && (status === 0 || status >= 400)) recovery.add(behindMs)',
    )
  return lines
}

function constantsOf(target: string, { settings }: Parts, code: string): string {
  const table = constants(target, settings)
  return needed(code, table)
}

function imports(names: ReadonlySet<string>, code: string): string {
  const from = (wanted: readonly string[]) => wanted.filter(name => names.has(name)).join(', ')
  const k6 = from(['check', 'sleep'])
  return `
import { ${k6} } from 'k6'
${/\bexec\.(scenario|vu|test)\b/.test(code) ? "import exec from 'k6/execution'\n" : ''}import http from 'k6/http'
import { ${from(['Counter', 'Rate', 'Trend'])} } from 'k6/metrics'

`
}
