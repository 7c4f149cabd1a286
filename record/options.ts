/** Every option of `understudy record` in one table: --help and startRecorder()'s defaults are read from here. */

import { expected, httpUrl, type Option, onOff, text, wholeNumber } from '../base/options.ts'

export interface RecorderOptions {
  /** The base URL of what is recorded, with or without a path. */
  target?: string
  /** The recording that is written. A folder beside it, named likewise, holds large bodies. */
  out?: string
  /** TCP port; 0 takes a free one. */
  port?: number
  /** Address to listen on. */
  host?: string
  /** Take any certificate of the target. */
  insecure?: boolean
  /** A PEM file of a certificate authority to trust beside the system's. */
  ca?: string
  /** Texts that must not be in the recording, beside the keys, tokens and cookies that are seen. */
  redact?: string[]
  /** Write over a recording that is there. */
  force?: boolean
}

type Table = {
  [Name in keyof RecorderOptions]-?: Option<Required<RecorderOptions>[Name] | undefined> & { isFlag?: true }
}

export const recordOptions = {
  target: {
    argument: '<url>',
    description: 'the base URL of the endpoint that is recorded',
    defaultText: 'none; it has to be given',
    default: () => undefined,
    parse: httpUrl,
  },
  port: {
    argument: '<port>',
    description: 'port of the recorder; 0 takes a free one',
    default: () => 4011,
    parse: wholeNumber(0, 65535, ''),
  },
  out: {
    argument: '<file.har>',
    description: 'the recording; large bodies are kept in a folder beside it',
    default: () => 'recording.har',
    parse: text('a file, such as incident.har'),
  },
  host: {
    argument: '<address>',
    description: 'address to listen on',
    default: () => '127.0.0.1',
    parse: text('an address, such as 127.0.0.1'),
  },
  insecure: {
    argument: '',
    isFlag: true,
    description: "take any certificate of the target's",
    defaultText: 'off',
    default: () => undefined,
    parse: onOff,
  },
  ca: {
    argument: '<file>',
    description: 'PEM file of a certificate authority to trust',
    defaultText: "the system's",
    default: () => undefined,
    parse: text('a file'),
  },
  redact: {
    argument: '<text>',
    description: 'a text that must not be in the recording; may be given more than once (in the variable: a line each)',
    defaultText: 'keys, tokens and cookies, as they are seen',
    default: () => undefined,
    parse: value => {
      const texts = value.split('\n').filter(line => line !== '')
      return texts.length > 0 ? texts : expected('a text')
    },
  },
  force: {
    argument: '',
    isFlag: true,
    description: 'write over a recording that is there',
    defaultText: 'off',
    default: () => undefined,
    parse: onOff,
  },
} as const satisfies Table
