/** The calls that a load is made of: how often each comes, and what it sends. */
import type { FormPart } from '../base/http.ts'
import { expected } from '../base/options.ts'
import type { OperationId } from '../contracts/operations.ts'

/** From the API's own use: a job is made once, and asked for many times. */
export const callNames = ['create', 'poll', 'list', 'download', 'upload'] as const
export type CallName = (typeof callNames)[number]

export type Mix = Readonly<Partial<Record<CallName, number>>>

/** A video that is uploaded once and made to two outputs, each of which is polled nine times (RL-3: 2 s, then slower). */
export const usualMix: Mix = { create: 8, poll: 72, list: 8, download: 8, upload: 4 }

/** "poll=80,create=20": shares of any sum. */
export function parseMix(value: string): Mix {
  const found: Partial<Record<CallName, number>> = {}
  for (const part of value.split(',')) {
    const [name = '', share = ''] = part.split('=').map(text => text.trim())
    const call = callNames.find(known => known === name)
    const weight = Number(share)
    if (call === undefined || share === '' || !(weight >= 0) || weight > 1e6)
      return expected(`shares of ${callNames.join(', ')}, such as poll=80,create=20`)
    found[call] = weight
  }
  if (Object.values(found).every(weight => weight === 0)) return expected('at least one share above 0')
  return found
}

export const mixText = (mix: Mix): string =>
  Object.entries(mix)
    .map(([call, share]) => `${call}=${share}`)
    .join(',')

/** Which share of all calls one is: 0 to 1. */
export const shareOf = (mix: Mix, call: CallName): number =>
  (mix[call] ?? 0) / Object.values(mix).reduce((sum, weight) => sum + weight, 0)

/**
 * The calls one after the other, each as often as its share and as evenly spread as can be (smooth weighted round robin):
 * a mix needs no chance, and every second of a run has the same one.
 */
export function interleaved(mix: Mix): () => CallName {
  const names = callNames.filter(name => (mix[name] ?? 0) > 0)
  const weights = names.map(name => mix[name] as number)
  const total = weights.reduce((sum, weight) => sum + weight, 0)
  const current = names.map(() => 0)
  return () => {
    let best = 0
    for (let i = 0; i < names.length; i++) {
      current[i] = (current[i] as number) + (weights[i] as number)
      if ((current[i] as number) > (current[best] as number)) best = i
    }
    current[best] = (current[best] as number) - total
    return names[best] as CallName
  }
}

/** One request as it goes on the wire. */
export interface Outbound {
  /** What it is counted as. */
  call: string
  operation: OperationId | undefined
  method: 'GET' | 'POST'
  /** Below the base URL. */
  path: string
  headers: Readonly<Record<string, string>>
  body?: string | Uint8Array
  /** Of an upload, for who wants to see it again. */
  form?: readonly FormPart[]
  /** The answer's body is needed, whatever its status. */
  needsBody?: true
}
