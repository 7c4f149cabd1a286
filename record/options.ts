/** Every option of `understudy record` in one table: --help and startRecorder()'s defaults are read from here. */

import { caOption, expected, httpUrl, type Option, onOff, text, wholeNumber } from '../base/options.ts'

export interface RecorderOptions {
  /** The base URL of the endpoint to record, with or without a path. */
  target?: string
  /** The recording to write. A folder of that name beside it holds large bodies. */
  out?: string
  /** TCP port; 0 takes a free one. */
  port?: number
  /** Address to listen on. */
  host?: string
  /** Accept any certificate of the target. */
  insecure?: boolean
  /** A PEM file of a certificate authority to trust besides the system's. */
  ca?: string
  /** Texts to redact, besides keys, tokens and cookies. */
  redact?: string[]
  /** Overwrite an existing recording. */
  force?: boolean
}

type Table = {
  [Name in keyof RecorderOptions]-?: Option<Required<RecorderOptions>[Name] | undefined> & { isFlag?: true }
}

export const recordOptions = {
  target: {
    argument: '<url>',
    description: 'base URL of the endpoint to record',
    defaultText: 'none; required',
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
    description: 'the recording to write; large bodies go to a folder beside it',
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
    description: 'accept any certificate of the target',
    defaultText: 'off',
    default: () => undefined,
    parse: onOff,
  },
  ca: caOption,
  redact: {
    argument: '<text>',
    description: 'text to redact; may be given more than once (in the variable: one a line)',
    defaultText: 'keys, tokens and cookies',
    default: () => undefined,
    parse: value => {
      const texts = value.split('\n').filter(line => line !== '')
      return texts.length > 0 ? texts : expected('a text')
    },
  },
  force: {
    argument: '',
    isFlag: true,
    description: 'overwrite an existing recording',
    defaultText: 'off',
    default: () => undefined,
    parse: onOff,
  },
} as const satisfies Table
