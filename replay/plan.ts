/**
 * What a recording asks for, before anything is sent: which entries are calls to be sent, when each began and ended, what
 * went on at the same time, and whose keys they were. One pass, of which a few numbers a call are kept.
 */

import { fingerprintOf } from '../base/fingerprint.ts'
import { isLoopback } from '../base/loopback.ts'
import { operations } from '../contracts/operations.ts'
import type { HarEntry, HarParam } from '../recordings/har.ts'
import { isAnswerBodyLeftOut } from '../recordings/leftOut.ts'
import type { HarSource } from '../recordings/read.ts'
import { type RecordedCall, type Traffic, trafficOf } from '../recordings/traffic.ts'
import { harHeader, isBodyRecorded } from './body.ts'
import { isIdName } from './ids.ts'
import type { ReplayReport } from './report.ts'

export type Skip = keyof ReplayReport['left_out']

/** Whose a call was: a key, or nobody's. */
export interface Owner {
  /** The key's fingerprint, or "anonymous". */
  name: string
  /** Its place among the keys, from 0; undefined for what needs none of its own. */
  key: number | undefined
  /** The recorded endpoint did not know it. */
  isUnknown: boolean
}

export interface ScheduledReplay {
  base: string
  calls: number
  leftOut: ReplayReport['left_out']
  /** By the entry's place: why it is not sent. */
  skip: (Skip | undefined)[]
  /** ms since the epoch, by the recording's clock; the end in whole ms, as the beginnings are. */
  at: Float64Array
  end: Float64Array
  /** Calls of one operation and key that were in flight together have the same group. */
  group: Uint32Array
  /** How many calls each group has. */
  groupSize: number[]
  owners: Map<string, Owner>
  /** By the call's place: the scenario that it was met by, or that a call that could not say so was met by in all likelihood. */
  scenario: (string | undefined)[]
  /** The files with an Idempotency-Key whose bytes are there, by `retryOf`: a call that lacks them tried to send the same. */
  files: Map<string, HarParam[]>
  /** A job was made whose id is not in the recording, as what was answered then was left out. */
  makesNameless: boolean
  /** Keys that one has to be found for, in the order of their first calls. */
  keys: number
}

/** The entries of a recording with what they mean, in the order of their beginnings. */
export function* trafficIn(source: HarSource, base: string): Generator<{ entry: HarEntry; traffic: Traffic }> {
  let number = 0
  for (const entry of source.entries()) {
    const isHere = isBelow(entry.request.url, base)
    number++
    const traffic = trafficOf(entry, {
      number,
      base: isHere ? baseIn(entry.request.url, base) : base,
      fingerprint: fingerprintOf,
    })
    yield { entry, traffic: source.areKeysLeftOut ? withKey(traffic) : traffic }
  }
}

/** A call whose key its tool has taken out: it was answered as one that had a key. */
function withKey(traffic: Traffic): Traffic {
  if (traffic.kind === 'webhook' || traffic.hasKey || traffic.status === 401) return traffic
  const isKeyed = traffic.operation !== undefined && operations[traffic.operation].auth === 'key'
  return isKeyed ? { ...traffic, hasKey: true, key: 'redacted' } : traffic
}

/** One server by two names, as 127.0.0.1 and localhost are. */
const aliasOf = (base: string): RegExp | undefined => {
  const url = new URL(base)
  if (!isLoopback(url.hostname.replace(/^\[|\]$/g, ''))) return undefined
  const port = url.port === '' ? '' : `:${url.port}`
  return new RegExp(
    `^${url.protocol}//(localhost|127\\.0\\.0\\.1|\\[::1\\])${port}${url.pathname.replace(/\/$/, '')}(?=[/?]|$)`,
    'i',
  )
}

const aliases = new Map<string, RegExp | undefined>()

export function baseIn(url: string, base: string): string {
  if (url.startsWith(`${base}/`) || url === base) return base
  if (!aliases.has(base)) aliases.set(base, aliasOf(base))
  return aliases.get(base)?.exec(url)?.[0] ?? base
}

const isBelow = (url: string, base: string): boolean => {
  const own = baseIn(url, base)
  return url === own || url.startsWith(`${own}/`) || url.startsWith(`${own}?`)
}

/** The mock keeps a call with a key that it does not know among those without one. */
export function ownerNameOf({ key, hasKey }: RecordedCall): string {
  const name = hasKey ? (key.split('/', 1)[0] as string) : 'anonymous'
  return hasKey && name === 'anonymous' ? 'unknown' : name
}

export function replayPlanOf(source: HarSource): ScheduledReplay {
  const base = source.base ?? ''
  const { size } = source
  const plan: ScheduledReplay = {
    base,
    calls: 0,
    leftOut: { webhooks: 0, options: 0, other_hosts: 0, admin: 0, control: 0 },
    skip: new Array(size).fill(undefined),
    at: new Float64Array(size),
    end: new Float64Array(size),
    group: new Uint32Array(size),
    groupSize: [],
    owners: new Map(),
    scenario: new Array(size).fill(undefined),
    files: new Map(),
    makesNameless: false,
    keys: 0,
  }
  /** URLs of other hosts that the server gave: those are followed. */
  const given = new Set<string>()
  const open = new Map<string, { group: number; end: number }>()
  const told = new Map<string, Set<'refused' | 'taken'>>()
  const ownerAt: (Owner | undefined)[] = new Array(size).fill(undefined)
  const saysNone = new Uint8Array(size)
  const isMute = new Uint8Array(size)
  let i = 0
  for (const { entry, traffic } of trafficIn(source, base)) {
    const place = i++
    const skip = skipOf(traffic, base, given)
    if (skip !== undefined) {
      plan.skip[place] = skip
      plan.leftOut[skip]++
      continue
    }
    const call = traffic as RecordedCall
    plan.calls++
    plan.makesNameless ||= call.operation === 'createJob' && isAnswerBodyLeftOut(entry)
    plan.at[place] = call.at
    plan.end[place] = Math.max(call.at, Math.floor(call.endedAt))
    rememberUrls(call.json, base, given)
    const owner = ownerNameOf(call)
    if (call.hasKey) {
      const known = told.get(owner) ?? new Set()
      if (call.status === 401) known.add('refused')
      else if (isKeyTaken(call)) known.add('taken')
      told.set(owner, known)
    }
    if (!plan.owners.has(owner)) plan.owners.set(owner, { name: owner, key: undefined, isUnknown: owner === 'unknown' })
    if (meetsScenarioOfKey(entry, call)) {
      ownerAt[place] = plan.owners.get(owner)
      plan.scenario[place] = call.scenario
      isMute[place] = Number(call.status === 0 || call.status >= 500 || call.cut !== undefined)
      saysNone[place] = Number(call.status >= 200 && call.status < 300 && call.operation !== 'getHealth')
    }
    rememberFiles(plan, entry, call, source.folder)
    const id = `${call.operation ?? call.sent.method} ${owner}`
    const last = open.get(id)
    // In one ms nobody knows which was first.
    const joins = last !== undefined && call.at <= last.end
    const group = joins ? last.group : plan.groupSize.push(0) - 1
    open.set(id, { group, end: Math.max(joins ? last.end : 0, plan.end[place] as number) })
    plan.group[place] = group
    plan.groupSize[group] = (plan.groupSize[group] as number) + 1
  }
  for (const owner of plan.owners.values()) {
    if (owner.name === 'anonymous') continue
    const known = told.get(owner.name)
    // One that was taken, and refused later, was revoked.
    owner.isUnknown ||= known?.has('refused') === true && !known.has('taken')
    if (!owner.isUnknown) owner.key = plan.keys++
  }
  // A call without an answer can't say what met it: the next one that can does.
  const next = new Map<string, string>()
  for (let place = size - 1; place >= 0; place--) {
    const owner = ownerAt[place]
    if (owner === undefined) continue
    const world = owner.isUnknown ? 'anonymous' : owner.name
    const own = plan.scenario[place]
    if (own !== undefined) next.set(world, own)
    else if (isMute[place] === 1) plan.scenario[place] = next.get(world)
    else if (saysNone[place] === 1) next.delete(world)
  }
  return plan
}

/** Statuses that nobody gets whose key was not looked at, and found good. */
const behindKey: ReadonlySet<number> = new Set([402, 404, 409, 422])

/** A limit, a failure and a cut say nothing of the key, nor does what a rule of a scenario answered. */
function isKeyTaken({ operation, status, rule }: RecordedCall): boolean {
  if (operation === undefined || operations[operation].auth !== 'key') return false
  return (status >= 200 && status < 300) || (behindKey.has(status) && (rule === undefined || rule === 'none'))
}

/** Not one that brings its own, nor one without a key for a job, which meets the scenario of the job's key. */
const meetsScenarioOfKey = (entry: HarEntry, call: RecordedCall): boolean =>
  call.scenario !== 'X-Mock-Fault' &&
  harHeader(entry, 'x-mock-scenario') === undefined &&
  harHeader(entry, 'x-mock-fault') === undefined &&
  (call.hasKey || !/^\/(files\/|api\/download\/)/.test(call.path))

/** What the calls have in common that try to do one thing; undefined for one that is not to be tried again. */
export const retryOf = (call: RecordedCall): string | undefined =>
  call.idempotencyKey === undefined
    ? undefined
    : `${ownerNameOf(call)} ${call.operation ?? call.path} ${call.idempotencyKey}`

function rememberFiles(plan: ScheduledReplay, entry: HarEntry, call: RecordedCall, folder: string): void {
  const retry = retryOf(call)
  if (retry === undefined || call.cut?.when === 'in_request') return
  const found = (entry.request.postData?.params ?? []).filter(param => isBodyRecorded(param, folder))
  if (found.length > 0) plan.files.set(retry, [...(plan.files.get(retry) ?? []), ...found])
}

function skipOf(traffic: Traffic, base: string, given: ReadonlySet<string>): Skip | undefined {
  if (traffic.kind === 'webhook') return 'webhooks'
  const { sent, operation, path } = traffic
  if (sent.method === 'OPTIONS') return 'options'
  if (!isBelow(sent.url, base)) return given.has(sent.url) ? undefined : 'other_hosts'
  if (/^\/(__mock(\/|\?|$)|metrics(\?|$))/.test(path)) return 'control'
  if ((operation !== undefined && operations[operation].auth === 'admin') || path.startsWith('/v1/admin/'))
    return 'admin'
  return undefined
}

function rememberUrls(json: unknown, base: string, given: Set<string>, name = ''): void {
  if (typeof json === 'string') {
    if (isIdName(name) && name !== 'webhook_url' && /^https?:\/\//.test(json) && !isBelow(json, base)) given.add(json)
  } else if (typeof json === 'object' && json !== null) {
    const isList = Array.isArray(json)
    for (const [key, value] of Object.entries(json)) rememberUrls(value, base, given, isList ? name : key)
  }
}

/** "GET /v1/jobs/{job_id}"; all that is no documented route counts as one. */
export const routeName = ({ operation, sent }: Pick<RecordedCall, 'operation' | 'sent'>): string =>
  operation === undefined ? `${sent.method} (another path)` : `${sent.method} ${operations[operation].path}`
