export interface Sent {
  method: string
  /** Absolute. */
  url: string
  headers: Readonly<Record<string, string>>
  /** What was sent, as text that can be shown; of an upload, the file is a curl form field. */
  body?: string
  form?: readonly FormPart[]
}

export interface FormPart {
  field: string
  filename: string
  /** undefined: the part says no type (UP-4). */
  type: string | undefined
  size: number
  /** Where the file lies, or what is in it, where that can be told: so that it can be sent again. */
  path?: string
  text?: string
  sha256?: string
}

export interface Incoming {
  status: number
  /** Names in lower case. */
  headers: Readonly<Record<string, string>>
  bytes: Uint8Array
  ms: number
}

export interface Outgoing extends Sent {
  /** The body's bytes, all at once or as they are made. */
  content?: Uint8Array | { size: number; chunks: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array> }
  timeoutMs: number
}

/** No HTTP answer came: refused, cut, timed out. */
export class NoAnswer extends Error {}
