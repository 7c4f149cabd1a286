/** Of a run, by what its checks may cost. */
export const profiles = ['safe', 'quick', 'full'] as const
export type Profile = (typeof profiles)[number]

export interface Costs {
  /** Credits that its jobs cost at the documented prices. */
  credits?: number
  /** Jobs that it starts; 1 where it costs credits and says nothing else. */
  jobs?: number
  /** Calls sent at once to meet a limit. */
  burst?: number
  /** Bytes of an upload beyond a few MB. */
  upload?: number
  /** Reads or waits so long, in s, that it is no small thing. */
  seconds?: number
}

/** What a check can't do without, and what would have to be given. */
export const needs = {
  key: { reason: 'no API key was given', give: '--key' },
  secondKey: { reason: 'no second API key was given', give: '--second-key' },
  emptyAccountKey: { reason: 'no key of an account without credits was given', give: '--empty-account-key' },
  failingUrl: { reason: 'no video is known that this endpoint fails on', give: '--failing-url' },
  provoke: { reason: 'nothing can make this endpoint answer so from outside', give: "the mock's own /__mock" },
  listener: { reason: 'the endpoint does not know how to reach this machine', give: '--webhook-url' },
  webhookSecret: { reason: 'the secret that signs webhooks was not given', give: '--webhook-secret' },
  logs: { reason: "the server's logs were not given", give: '--logs' },
} as const satisfies Record<string, { reason: string; give: string }>

export type Need = keyof typeof needs
