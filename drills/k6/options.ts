/** The script's `options`: its scenarios, and what they are held against. */
import { shareOf } from '../calls.ts'
import type { DrillName } from '../report.ts'
import type { Complete } from '../session.ts'
import { thresholdText } from '../thresholds.ts'
import { decimal, indented, property, rateOf, timeOf } from './code.ts'
import { dueOf, expressionOf, type K6Threshold, mixOf, stepsOf, thresholdKey } from './thresholds.ts'

/** From this share of the iterations on that found no VU, the load was another one. */
const mostDropped = 0.01
/** RL-3's tries again go on for so long at the most (64 s, the last wait of 16 s begun before their end). */
const mostRetryMs = 80_000

export interface Parts {
  drill: DrillName
  settings: Complete
  thresholds: readonly K6Threshold[]
  /** The mock itself fails. */
  isControlled: boolean
}

export function optionsCode(parts: Parts): string {
  const { drill, settings } = parts
  const isRamp = drill === 'ramp'
  const lines = [
    isRamp ? 'scenarios: Object.fromEntries(steps.map(scenarioOf)),' : `scenarios: ${block(scenariosOf(parts))},`,
    `thresholds: ${isRamp ? block(['...Object.fromEntries(steps.flatMap(thresholdsOf)),', ...thresholdLines(parts)]) : block(thresholdLines(parts))},`,
    ...(isOpen(drill) ? [`setupTimeout: ${timeOf(settings.jobTimeout + 60_000)},`] : []),
    `teardownTimeout: ${timeOf(drill === 'burst' ? settings.maxWait + 60_000 : 600_000)},`,
    "summaryTrendStats: ['min', 'med', 'p(90)', 'p(95)', 'p(99)', 'p(99.9)', 'max'],",
    ...(settings.insecure === true ? ['insecureSkipTLSVerify: true,'] : []),
    ...(settings.maxRate !== undefined && !isOpen(drill)
      ? [`rps: Math.max(1, Math.floor(${decimal(settings.maxRate)} / instances)),`]
      : []),
  ]
  return `${isOpen(drill) ? vusFor(parts) : ''}${isRamp ? steps(parts) : ''}
export const options = ${block(lines)}
`
}

export const isOpen = (drill: DrillName): boolean =>
  drill === 'sustain' || drill === 'ramp' || drill === 'outage' || drill === 'soak'

/** A number of open load: rate and timeout say how many are underway at once at the most. */
function vusFor({ drill, settings }: Parts): string {
  const { timeout, maxConnections } = settings
  const retrying = drill === 'outage' ? (shareOf(mixOf(settings), 'create') * mostRetryMs) / 1000 : 0
  const seconds = decimal(Math.round((timeout / 1000 + retrying) * 1000) / 1000)
  const why = retrying > 0 ? ', and a create that is tried again even longer' : ''
  return `
// A VU is busy for as long as its request is. If each took the whole \`timeout\`${why}, that would be so
// many at once: a server can't slow the load down by being slow. maxVUs is ${maxConnections} at the most (--max-connections), as
// each is a connection and some MB of memory. Those for answers of a second are made before the load begins.
const vusFor = perSecond => {
  const maxVUs = Math.min(${maxConnections}, Math.ceil(perSecond * ${seconds}) + 1)
  return { preAllocatedVUs: Math.min(maxVUs, Math.ceil(perSecond)), maxVUs }
}
`
}

/** What is underway at the end of the load is waited for. */
const graceOf = ({ drill, settings: { timeout } }: Parts): string =>
  timeOf(timeout + 1_000 + (drill === 'outage' ? mostRetryMs : 0))

function scenariosOf(parts: Parts): string[] {
  const { drill, settings, isControlled } = parts
  const { rate = 1, duration = 1_000, users = 1, journeys = 1, calls = 1, connections = 1 } = settings
  const { outageAt = 0, outageFor = 0, timeout, jobTimeout, maxTime = Number.POSITIVE_INFINITY } = settings
  const atMost = (ms: number) => timeOf(Math.min(ms, maxTime))
  const one = (name: string, lines: readonly string[]) => `${name}: ${block(lines)},`
  if (drill === 'burst')
    return [
      one('flood', [
        "executor: 'shared-iterations',",
        "exec: 'flood',",
        `vus: ${Math.min(calls, connections)},`,
        `iterations: ${calls},`,
        `maxDuration: ${atMost(60_000 + Math.ceil(calls / Math.min(calls, connections)) * timeout)},`,
      ]),
    ]
  if (drill === 'recover')
    return [
      one('persist', [
        "executor: 'shared-iterations',",
        "exec: 'persist',",
        `vus: ${Math.min(calls, users)},`,
        'iterations: calls,',
        `maxDuration: ${atMost(3_600_000)},`,
      ]),
    ]
  if (drill === 'journey')
    return [
      one('walk', [
        "executor: 'per-vu-iterations',",
        "exec: 'walk',",
        'vus: users,',
        `iterations: ${journeys},`,
        `maxDuration: ${atMost(journeys * (jobTimeout + 300_000))},`,
      ]),
    ]
  const { rate: whole, timeUnit } = rateOf(rate)
  const scenarios = [
    one('load', [
      "executor: 'constant-arrival-rate',",
      "exec: 'load',",
      `rate: ${whole},`,
      `timeUnit: '${timeUnit}',`,
      `duration: ${timeOf(duration)},`,
      `...vusFor(${decimal(rate)}),`,
      `gracefulStop: ${graceOf(parts)},`,
    ]),
  ]
  const alone = (exec: string, lines: readonly string[]) =>
    one(exec, ["executor: 'per-vu-iterations',", `exec: '${exec}',`, 'vus: 1,', 'iterations: 1,', ...lines])
  if (isControlled)
    scenarios.push(
      alone('trouble', [`startTime: ${timeOf(outageAt)},`, `maxDuration: ${timeOf(outageFor + 2 * timeout + 1_000)},`]),
    )
  if (drill === 'soak') scenarios.push(alone('watch', [`maxDuration: ${timeOf(duration + timeout + 60_000)},`]))
  return scenarios
}

/** A list or an object, each of its lines moved in. */
const block = (lines: readonly string[]): string => `{\n${indented(lines.join('\n'), 2)}\n}`

/** Several conditions on one metric are one entry of k6's. */
function together(thresholds: readonly K6Threshold[]): Map<string, K6Threshold[]> {
  const found = new Map<string, K6Threshold[]>()
  for (const one of thresholds) {
    const key = thresholdKey(one.metric, one.tags)
    found.set(key, [...(found.get(key) ?? []), one])
  }
  return found
}

const isOfStep = ({ endsStep, of }: K6Threshold): boolean => endsStep === true || of.metric === 'completed'

function thresholdLines({ drill, settings, thresholds }: Parts): string[] {
  const own = drill === 'ramp' ? thresholds.filter(one => !isOfStep(one)) : thresholds
  const lines = [...together(own)].map(([key, ones]) => {
    const said = ones.some(({ isShared }) => isShared)
      ? `// ${ones.map(({ of }) => thresholdText(of)).join(', ')}\n`
      : ''
    return `${said}${property(key)}: [${ones.map(one => expressionOf(one)).join(', ')}],`
  })
  if (!isOpen(drill) || drill === 'ramp') return lines
  const most = `\`count<=\${${decimal(dueOf(drill, settings) * mostDropped)} / instances}\``
  return [
    ...lines,
    '// No verdict on the server: with more than these the load was another one, and the run is inconclusive.',
    `'dropped_iterations{scenario:load}': [${most}],`,
  ]
}

function steps(parts: Parts): string {
  const { settings, thresholds } = parts
  const { stepTime = 0 } = settings
  const ofStep = thresholds.filter(isOfStep)
  const entry = ([key, ones]: [string, K6Threshold[]]) => {
    const said = ones.map(one =>
      one.of.metric === 'completed'
        ? `\`${one.aggregate}${one.op}\${(${decimal(one.limit)} * due) / instances}\``
        : `ends(${expressionOf(one)})`,
    )
    return `[\`${key.endsWith('}') ? `${key.slice(0, -1)},` : `${key}{`}step:\${tag}}\`, [${said.join(', ')}]],`
  }
  const entries = [...together(ofStep)].map(entry)
  return `
/** Each step's rate, in requests a second: a ratio apart. */
const rates = [${stepsOf(settings)
    .map(({ rate }) => rate)
    .join(', ')}]
const stepMs = ${stepTime}
const steps = rates.map((rate, i) => ({
  name: \`step_\${i + 1}\`,
  tag: \`\${i + 1}_at_\${rate}\`,
  rate,
  due: Math.max(1, Math.round((rate * stepMs) / 1000)),
  startMs: i * stepMs,
}))

/** k6 takes whole rates only, and some of these have a decimal. */
const scenarioOf = ({ name, tag, rate, startMs }) => [
  name,
  {
    executor: 'constant-arrival-rate',
    exec: 'load',
    rate: Math.round(rate * 10),
    timeUnit: '10s',
    startTime: \`\${startMs}ms\`,
    duration: \`\${stepMs}ms\`,
    ...vusFor(rate),
    gracefulStop: ${graceOf(parts)},
    tags: { step: tag },
  },
]

/**
 * What ends the run: the step before the first that breaks one is the knee. Each is looked at when its step is over, as
 * k6 counts from the start of the run, setup() included. Too many dropped iterations end it too: then this machine is
 * at its end, and not the server.
 */
function thresholdsOf({ name, ${entries.length > 0 ? 'tag, ' : ''}due, startMs }) {
  const ends = threshold => ({ threshold, abortOnFail: true, delayAbortEval: \`\${startMs + stepMs}ms\` })
  return [
${entries.map(text => `    ${text}\n`).join('')}    [\`dropped_iterations{scenario:\${name}}\`, [ends(\`count<=\${(${mostDropped} * due) / instances}\`)]],
  ]
}
`
}
