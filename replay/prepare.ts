/** From a recorded call to the one that is sent now: its URL, its key, its headers, its body, and what the mock is told. */

import { unsendable } from '../base/inputs.ts'
import { isLoopback } from '../base/loopback.ts'
import { redacted } from '../base/redaction.ts'
import type { HarEntry } from '../recordings/har.ts'
import type { RecordedCall } from '../recordings/traffic.ts'

import { bodyOf } from './body.ts'
import { type Control, ruleHeader, type WorldPlace } from './control.ts'
import type { Ids, Lost } from './ids.ts'
import { type Owner, ownerNameOf, retryOf, type ScheduledReplay } from './plan.ts'
import type { ReplayRequest } from './send.ts'

export interface Prepared {
  request: ReplayRequest
  /** The world of the mock whose time and scenario the call meets. */
  place: WorldPlace | undefined
  note?: string
  /** What it needs and never came, or why else it can't be sent. */
  lost?: Lost | string
}

export interface Preparer {
  /** `place`: that of its entry among the entries. */
  prepare(entry: HarEntry, call: RecordedCall, place: number): Promise<Prepared>
}

export interface Setting {
  plan: ScheduledReplay
  ids: Ids
  /** The new base URL. */
  target: string
  /** Where the recording lies. */
  folder: string
  /** A key for each that was recorded, in the order of their first calls. */
  keys: readonly string[]
  unknownKey: string
  /** Sent with every call. */
  headers: Readonly<Record<string, string>>
  /** A text that no earlier replay has drawn. */
  tag: string
  control: Control | undefined
  /** undefined: no gaps. */
  speed: number | undefined
  timeoutMs: number
  allowRemote: boolean
}

/** What belongs to one connection, or is made anew for what is sent now. */
const ownHeaders: ReadonlySet<string> = new Set([
  'host',
  'connection',
  'keep-alive',
  'proxy-connection',
  'content-length',
  'transfer-encoding',
  'te',
  'trailer',
  'upgrade',
  'expect',
  'accept-encoding',
  'x-api-key',
])

/** ms that a client waits at the least where it was never answered (on this machine, elsewhere), or went away. */
const silenceMs = [250, 2_000] as const
const leaveMs = 100
const slowestBytesPerSecond = 1024 * 1024

export function makePreparer(setting: Setting): Preparer {
  const { plan, ids, target, keys, control, speed, tag } = setting
  const places = new Map<string, WorldPlace>()
  const jobPlaces = new Map<string, WorldPlace>()
  const playing = new Map<string, string>()
  const { host: targetHost, hostname } = new URL(target)
  const isLocal = isLoopback(hostname.replace(/^\[|\]$/g, ''))

  const keyOf = ({ key, isUnknown }: Owner): string | undefined =>
    isUnknown ? setting.unknownKey : key === undefined ? undefined : keys[key]

  async function placeOf(call: RecordedCall, owner: Owner, world: string | undefined): Promise<WorldPlace | undefined> {
    if (control === undefined || owner.isUnknown) return undefined
    const ofJob = call.hasKey || call.jobId === undefined ? undefined : jobPlaces.get(call.jobId)
    const key = keyOf(owner) ?? 'anonymous'
    const name = `${key}/${world ?? ''}`
    let place = ofJob ?? places.get(name)
    if (place === undefined) {
      place = { key, ...(world !== undefined && { world }) }
      places.set(name, place)
      if (speed !== undefined && speed !== 1) await control.setSpeed(place, speed)
    }
    if (call.operation === 'createJob' && call.jobId !== undefined) jobPlaces.set(call.jobId, place)
    return place
  }

  /** Whatever was played when it was recorded is switched on, if it is not yet. */
  async function play(call: RecordedCall, owner: Owner, scenario: string | undefined): Promise<string | undefined> {
    if (control === undefined || scenario === undefined) return undefined
    const key = owner.isUnknown ? 'anonymous' : (keyOf(owner) ?? 'anonymous')
    const now = playing.get(key)
    // What did not say so itself may have been the last one of what is played.
    if (now === scenario || (now !== undefined && call.scenario === undefined)) return undefined
    playing.set(key, scenario)
    return control.play(key, scenario)
  }

  function requestHeaders(
    entry: HarEntry,
    call: RecordedCall,
    owner: Owner,
    isHere: boolean,
    notes: string[],
  ): Record<string, string> {
    const headers: Record<string, string> = {}
    for (const { name, value } of entry.request.headers) {
      const lower = name.toLowerCase()
      if (ownHeaders.has(lower) || value === redacted || name.startsWith(':')) continue
      if (unsendable.test(value) || !/^[\w!#$%&'*+.^`|~-]+$/.test(name)) {
        notes.push(`its header ${JSON.stringify(name)} can't be sent by any client: it was left out`)
        continue
      }
      const now = lower === 'idempotency-key' ? `${value}-${tag}` : lower === 'user-agent' ? value : ids.text(value)
      headers[lower] = headers[lower] === undefined ? now : `${headers[lower]}, ${now}`
    }
    if (!isHere) return headers
    const key = call.hasKey ? keyOf(owner) : undefined
    if (key !== undefined) headers['x-api-key'] = key
    if (control !== undefined && !call.hasKey) {
      // A world of its own: others call without a key too.
      const world = headers['x-mock-world']
      headers['x-mock-world'] = world === undefined ? `replay-${tag}` : `${world}-${tag}`
    }
    if (control !== undefined && call.rule !== undefined && call.rule !== 'none') headers[ruleHeader] = call.rule
    for (const [name, value] of Object.entries(setting.headers)) headers[name.toLowerCase()] = value
    return headers
  }

  return {
    async prepare(entry, call, place) {
      const owner = plan.owners.get(ownerNameOf(call)) as Owner
      const { sent, cut } = call
      const isBelow = call.path.startsWith('/') && sent.url.endsWith(call.path) && !ids.has(sent.url)
      const url = isBelow && isOfBase(sent.url, plan.base) ? ids.url(plan.base + call.path) : ids.url(sent.url)
      const isHere = URL.canParse(url) && new URL(url).host === targetHost
      const notes: string[] = []
      const headers = requestHeaders(entry, call, owner, isHere, notes)
      const files = plan.files.get(retryOf(call) ?? '') ?? []
      const body = bodyOf(entry, call, setting.folder, ids, files)
      if (body.isStandIn && isApart(call, files.length > 0))
        headers['idempotency-key'] = `${headers['idempotency-key']}-${call.number}`
      if (body.contentType !== undefined) headers['content-type'] = body.contentType
      if (body.note !== undefined) notes.push(body.note)
      const met = await placeOf(call, owner, headers['x-mock-world'])
      const scenarioNote = await play(call, owner, plan.scenario[place])
      if (scenarioNote !== undefined) notes.push(scenarioNote)
      const scaled = speed === undefined ? 0 : call.ms / speed
      const size = body.content?.size ?? 0
      const timeoutMs =
        cut?.how === 'silence'
          ? Math.min(setting.timeoutMs, Math.max(silenceMs[isLocal ? 0 : 1], scaled))
          : cut?.by === 'client'
            ? Math.min(setting.timeoutMs, Math.max(leaveMs, scaled))
            : setting.timeoutMs + (size / slowestBytesPerSecond) * 1000
      const request: ReplayRequest = { method: sent.method, url, headers, content: body.content, timeoutMs }
      if (cut?.by === 'client' && cut.when === 'in_request')
        request.leavesAfterBytes = cut.bytes ?? Math.floor(size / 2)
      const lost =
        body.missing ??
        ids.lostIn(sent.url) ??
        ids.lostIn(call.path) ??
        (body.text === undefined ? undefined : ids.lostIn(body.text)) ??
        strangeHost(url, isHere) ??
        nameless(call)
      return {
        request,
        place: met,
        ...(notes.length > 0 && { note: notes.join('; ') }),
        ...(lost !== undefined && { lost }),
      }
    },
  }

  /** Which job it is about can't be told where what its creation was answered is not in the recording. */
  function nameless({ jobId, status }: RecordedCall): string | undefined {
    const isUnknown = plan.makesNameless && jobId !== undefined && status !== 404 && !ids.has(jobId)
    return isUnknown ? 'its job was made in a call whose answer is not in the recording' : undefined
  }

  /** A URL that the server gave may lead elsewhere, such as to a file store. */
  function strangeHost(url: string, isHere: boolean): string | undefined {
    if (isHere) return undefined
    if (!URL.canParse(url)) return 'its URL is none'
    const { hostname } = new URL(url)
    if (setting.allowRemote || isLoopback(hostname.replace(/^\[|\]$/g, ''))) return undefined
    return `leads to ${hostname}, which is not this machine; --allow-remote lets it`
  }
}

/**
 * Other bytes under the same Idempotency-Key are refused: what stands in for a file goes by a key of its own, where the
 * file itself may come too. Not where they were refused when it was recorded, or none of them is there.
 */
const isApart = ({ idempotencyKey, status, cut }: RecordedCall, isFileThere: boolean): boolean =>
  idempotencyKey !== undefined && status !== 409 && status !== 422 && (isFileThere || cut?.when === 'in_request')

const isOfBase = (url: string, base: string): boolean => {
  const [a, b] = [new URL(url), new URL(base)]
  return a.port === b.port && (a.hostname === b.hostname || (isLoopback(a.hostname) && isLoopback(b.hostname)))
}
