/**
 * A recording that is played to a client. It is looked through once; of each call only what it is known by stays in
 * memory, and it is read again when it is played.
 */

import { fingerprintOf, mayBeFingerprint } from '../../base/fingerprint.ts'
import { isSecretHeader } from '../../base/redaction.ts'
import { plural } from '../../base/text.ts'
import type { WorldSelector } from '../../client/mock.ts'
import type { HarEntry } from '../../recordings/har.ts'
import { type HarSource, openHar } from '../../recordings/read.ts'
import {
  lowerCase,
  pathBelow,
  type RecordedCall,
  type RecordedWebhook,
  type Traffic,
  trafficOf,
} from '../../recordings/traffic.ts'
import { isAnswerLost, requestTextOf } from './bodies.ts'
import { type BodyKey, bodyKeyOf, requestKeyOf } from './keys.ts'
import { type Asked, Matcher } from './matcher.ts'
import { rewriteUrls } from './urls.ts'

/** A request as it came. */
export interface Request {
  readonly method: string
  /** Below the base, with its query. */
  readonly path: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** The mock's own base URL, as its client has it. */
  readonly base: string
  /** A JSON body's text, '' without any body; undefined: the body is not looked at. */
  readonly text: string | undefined
}

export type RecordedMatch =
  | { readonly how: 'played' | 'repeated'; readonly i: number; readonly entry: HarEntry; readonly call: RecordedCall }
  /** Why there is none, and what came nearest. */
  | { readonly how: 'unknown'; readonly why: string }

/** A webhook that belongs to a call, so many ms after that was answered. */
export interface TimedWebhook {
  readonly i: number
  readonly offsetMs: number
}

export class Playback {
  readonly summary: string
  readonly file: string
  /** Where the bodies beside it are. */
  readonly folder: string
  readonly #source: HarSource
  /** By entry: the number of its call among the calls, from 1. */
  readonly #numbers: number[] = []
  readonly #matcher = new Matcher()
  readonly #webhooks = new Map<number, TimedWebhook[]>()
  /** Deliveries that had failed. */
  readonly #failed = new Set<string>()
  /** The base URLs that the recording's own URLs begin with. */
  readonly #bases: readonly string[]
  /** By recorded job: where the client that replays it wants its webhooks. */
  readonly webhookUrls = new Map<string, string>()

  /** Throws a ConfigError for what is not a recording of the API. */
  constructor(file: string) {
    this.#source = openHar(file)
    this.file = file
    this.folder = this.#source.folder
    try {
      this.#source.requireTraffic()
      const { log, base } = this.#source
      const target = log._target?.replace(/\/+$/, '')
      this.#bases = [...new Set([base, target].filter(one => one !== undefined))]
      const { calls, webhooks: count, lost } = this.#index()
      const webhooks = count === 0 ? '' : ` and ${plural(count, 'webhook')}`
      const part = log._incomplete === undefined ? '' : `; it is not complete: ${log._incomplete}`
      const without =
        lost === 0 ? '' : `; ${plural(lost, 'answer')} can't be played, as the body is not in the recording`
      this.summary = `replaying ${file}: ${plural(calls, 'call')}${webhooks} of ${base ?? target ?? 'an unknown host'}${without}${part}`
    } catch (error) {
      this.#source.close()
      throw error
    }
  }

  /** The recorded call that answers a request. It is used up by that, but a GET is answered again as it was at last. */
  find({ method, path, headers, base, text }: Request): RecordedMatch {
    const secrets = Object.entries(headers).flatMap(([name, value]) => (isSecretHeader(name) ? String(value) : []))
    const request = requestKeyOf(method, path, secrets)
    const client = clientOf(headers)
    const body = text === undefined ? undefined : bodyKeyOf(text, [base, ...this.#bases], secrets)
    const asked = { client, request, body }
    const next = this.#matcher.next(asked)
    if (next !== undefined) return this.#playable(next, 'played')
    const last = method === 'GET' || method === 'HEAD' ? this.#matcher.last(asked) : undefined
    if (last !== undefined) {
      const { call } = this.#read(last)
      if (call.cut === undefined && call.status >= 200 && call.status < 300) return this.#playable(last, 'repeated')
    }
    return { how: 'unknown', why: `not in the recording: ${this.#whyNot(asked)}` }
  }

  /** Never an empty answer in the place of one that was not: its body may have been left out. */
  #playable(i: number, how: 'played' | 'repeated'): RecordedMatch {
    const { entry, call } = this.#read(i)
    if (!isAnswerLost(entry)) return { how, i, entry, call }
    const recorded = `call ${this.numberOf(i)} of ${this.file} was answered ${call.status}`
    return { how: 'unknown', why: `its body is not in the recording: ${recorded}, and what was answered was left out` }
  }

  /** A call's number among those that are played, from 1. */
  numberOf(i: number): number {
    return this.#numbers[i] ?? i + 1
  }

  /** Its webhooks, in the order of their times. */
  webhooksOf(i: number): readonly TimedWebhook[] {
    return this.#webhooks.get(i) ?? []
  }

  webhook({ i }: TimedWebhook): { entry: HarEntry; webhook: RecordedWebhook } {
    const entry = this.#source.at(i)
    return { entry, webhook: this.#traffic(i, entry) as RecordedWebhook }
  }

  /** A text with the recording's own URLs led to `base`. */
  ledTo(base: string, text: string, entry: HarEntry): string {
    return rewriteUrls(text, this.#basesOf(entry), base)
  }

  /** From the beginning again: for the client of one key where the recording has several, or for all. */
  rewind({ key, world }: WorldSelector = {}): void {
    const print = key === undefined || mayBeFingerprint(key) ? key : fingerprintOf(key)
    this.#matcher.rewind(print === undefined || world === undefined ? print : `${print}/${world}`)
    if (key === undefined) this.webhookUrls.clear()
  }

  close(): void {
    this.#source.close()
  }

  #whyNot(asked: Asked): string {
    const { request } = asked
    if (this.#matcher.isTakenFor(asked)) {
      return `the clients of all keys in ${this.file} are others, so ${request} has no answer there; a reset frees them`
    }
    const nearest = this.#matcher.nearest(request)
    if (nearest === undefined) return `${this.file} has no calls`
    const number = this.numberOf(nearest.i)
    if (nearest.request === request) return `${request} was not so often in ${this.file}; the first was call ${number}`
    return `${request} was not in ${this.file}; the nearest is call ${number}, ${nearest.request}`
  }

  #read(i: number): { entry: HarEntry; call: RecordedCall } {
    const entry = this.#source.at(i)
    return { entry, call: this.#traffic(i, entry) as RecordedCall }
  }

  #traffic(i: number, entry: HarEntry): Traffic {
    return trafficOf(entry, { number: i + 1, base: this.#source.base, fingerprint: fingerprintOf })
  }

  #basesOf({ request }: HarEntry): string[] {
    const host = request.headers.find(({ name }) => name.toLowerCase() === 'host')?.value
    return [...this.#bases, ...(host === undefined ? [] : [`http://${host}`, `https://${host}`])]
  }

  #index(): { calls: number; webhooks: number; lost: number } {
    /** By job: the call that has created or started it last, and when that was answered. */
    const begun = new Map<string, { i: number; at: number }>()
    const counts = { calls: 0, webhooks: 0, lost: 0 }
    for (let i = 0; i < this.#source.size; i++) {
      const entry = this.#source.at(i)
      const headers = lowerCase(entry.request.headers)
      if (entry._kind === 'webhook' || (entry._kind === undefined && 'x-webhook-delivery-id' in headers)) {
        counts.webhooks++
        this.#addHook(i, this.#traffic(i, entry) as RecordedWebhook, begun)
        continue
      }
      this.#numbers[i] = ++counts.calls
      if (isAnswerLost(entry)) counts.lost++
      const path = pathBelow(entry.request.url, this.#source.base)
      const secrets = Object.entries(headers).flatMap(([name, value]) => (isSecretHeader(name) ? value : []))
      const request = requestKeyOf(entry.request.method, path, secrets)
      const world = entry._world ?? clientOf(headers) ?? 'anonymous'
      this.#matcher.add(i, world, request, this.#bodyKeyOf(entry, headers, secrets))
      if (entry.request.method !== 'POST' || !/^\/v1\/jobs(\/|$)/.test(path)) continue
      const { jobId, status, endedAt } = this.#traffic(i, entry)
      if (jobId !== undefined && status < 300) begun.set(jobId, { i, at: endedAt })
    }
    this.#matcher.complete()
    for (const hooks of this.#webhooks.values()) hooks.sort((a, b) => a.offsetMs - b.offsetMs || a.i - b.i)
    return counts
  }

  /** Of a delivery that had failed, only the first try is played: the mock tries again by itself, if it fails again. */
  #addHook(i: number, webhook: RecordedWebhook, begun: ReadonlyMap<string, { i: number; at: number }>): void {
    const call = begun.get(webhook.jobId ?? '')
    if (call === undefined) return
    const hooks = this.#webhooks.get(call.i) ?? []
    this.#webhooks.set(call.i, hooks)
    const isRetry = (webhook.attempt ?? 1) > 1 && this.#failed.has(webhook.deliveryId)
    if (webhook.error !== undefined) this.#failed.add(webhook.deliveryId)
    if (!isRetry) hooks.push({ i, offsetMs: Math.max(0, webhook.at - call.at) })
  }

  #bodyKeyOf(entry: HarEntry, headers: Record<string, string>, secrets: readonly string[]): BodyKey | undefined {
    const type = entry.request.postData?.mimeType || headers['content-type']
    const text = !type || /json/i.test(type) ? requestTextOf(entry, this.folder) : undefined
    return text === undefined ? undefined : bodyKeyOf(text, this.#basesOf(entry), secrets)
  }
}

/** How a client is told from others; undefined without a key. */
function clientOf(headers: Request['headers']): string | undefined {
  const { 'x-api-key': key, 'x-mock-world': split } = headers
  if (key === undefined) return undefined
  return fingerprintOf(String(key)) + (split === undefined ? '' : `/${split}`)
}
