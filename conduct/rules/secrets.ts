/** AUTH-1: the key is in its header, and nowhere else. */
import { plural } from '../../base/text.ts'
import { operations } from '../../contracts/operations.ts'
import type { Client, ClientCall } from '../client.ts'
import { broke, type ConductRule, callText, kept, type RuleFinding } from '../rule.ts'

function nowhere(
  client: Client,
  isBreach: (call: ClientCall) => boolean,
  said: (call: ClientCall) => string,
): RuleFinding[] {
  const breaches = client.calls.filter(isBreach)
  if (breaches.length > 0) return breaches.map(call => broke(said(call), call))
  const keyed = client.calls.filter(({ hasKey }) => hasKey)
  return keyed.length > 0
    ? [kept(`sent the key in ${plural(keyed.length, 'call')}, in X-Api-Key alone`, keyed[0] as ClientCall)]
    : []
}

/** Without the header nobody knows the key, but what a parameter is named says enough. */
const isNamedLikeKey = ({ path, hasKey }: ClientCall): boolean => !hasKey && /[?&](x-)?api[-_]?key=/i.test(path)

export const keyNotInUrl: ConductRule = {
  id: 'secrets.key-not-in-url',
  level: 'must',
  since: '2026-11',
  clauses: ['AUTH-1'],
  title: 'The key is never in a URL',
  advice:
    'Send the key as the header X-Api-Key only: URLs end up in logs, histories and referrers. A key that was in one is to be replaced.',
  provoke: [],
  judge: client =>
    nowhere(
      client,
      call => call.keyIn.includes('url') || isNamedLikeKey(call),
      call => `sent the key in the URL of ${callText(call)}`,
    ),
}

export const keyNotInBody: ConductRule = {
  id: 'secrets.key-not-in-body',
  level: 'must',
  since: '2026-11',
  clauses: ['AUTH-1'],
  title: 'The key is never in a body, nor in another header',
  advice:
    'Send the key as the header X-Api-Key only: bodies are kept with the job, and shown to everyone who may see it.',
  provoke: [],
  judge: client =>
    nowhere(
      client,
      ({ keyIn }) => keyIn.includes('body') || keyIn.includes('header'),
      call => `sent the key in ${call.keyIn.includes('body') ? 'the body' : 'another header'} of ${callText(call)}`,
    ),
}

/** Never broken: nothing in the documentation forbids a key where none is needed, as clients send one with every call. */
export const keyOnlyWhereNeeded: ConductRule = {
  id: 'secrets.key-only-where-needed',
  level: 'must',
  since: '2026-11',
  clauses: ['AUTH-1', 'DL-3'],
  title: 'The key is sent only to routes that take one',
  advice:
    'Fetch output_url, download_url and video_url without X-Api-Key (they may lead to another host), and ask /health without it.',
  provoke: [],
  judge: client =>
    client.calls.flatMap(call => {
      if (call.operation === undefined || operations[call.operation].auth !== 'none') return []
      return call.hasKey ? [] : [kept(`asked for ${callText(call)} without the key`, call)]
    }),
  reason: client =>
    client.calls.some(({ operation, hasKey }) => hasKey && operation && operations[operation].auth === 'none')
      ? 'the key was sent where none is needed, which nothing forbids'
      : undefined,
}
