/** Who meets the faults, and which: what docs/faults.md is made from. */
import type { RuleFormat } from '../../client/scenarioFormat.ts'
import type { faults } from '../../server/faults/index.ts'
import type { Registry } from './libraries.ts'

export interface FaultClient {
  readonly name: string
  readonly registry: Registry
  readonly program: string
  /** The package whose version stands beside the name; without one the toolchain's. */
  readonly package?: string
  /** How the time-out of 2 s was asked for. */
  readonly timeout: string
}

export const faultClients: readonly FaultClient[] = [
  { name: 'fetch (Node.js)', registry: 'npm', program: 'fault-fetch', timeout: '`AbortSignal.timeout(2000)`' },
  {
    name: 'node:http',
    registry: 'npm',
    program: 'fault-http',
    timeout: '`timeout: 2000`, and `destroy()` on the event',
  },
  { name: 'axios', registry: 'npm', program: 'fault-axios', package: 'axios', timeout: '`timeout: 2000`' },
  { name: 'got', registry: 'npm', program: 'fault-got', package: 'got', timeout: '`timeout: { request: 2000 }`' },
  { name: 'requests', registry: 'pypi', program: 'fault_requests', package: 'requests', timeout: '`timeout=2`' },
  { name: 'httpx', registry: 'pypi', program: 'fault_httpx', package: 'httpx', timeout: '`timeout=2`' },
  {
    name: 'aiohttp',
    registry: 'pypi',
    program: 'fault_aiohttp',
    package: 'aiohttp',
    timeout: '`ClientTimeout(total=2)`',
  },
  { name: 'Go net/http', registry: 'go', program: 'fault', timeout: '`Client.Timeout`' },
  { name: 'Java HttpClient', registry: 'maven', program: 'FaultJava', timeout: '`HttpRequest.timeout(2 s)`' },
  { name: 'reqwest', registry: 'crates', program: 'fault-reqwest', timeout: '`ClientBuilder::timeout`' },
  {
    name: 'Ruby net/http',
    registry: 'system',
    program: 'fault-ruby',
    timeout: '`open_timeout`, `read_timeout`, `write_timeout`: 2',
  },
  { name: 'PHP curl', registry: 'system', program: 'fault-php', timeout: '`CURLOPT_TIMEOUT_MS`: 2000' },
  {
    name: 'fetch (Chromium)',
    registry: 'system',
    program: 'fault-chromium',
    timeout: '`AbortSignal.timeout(2000)`',
  },
  { name: 'curl', registry: 'system', program: 'fault-curl', timeout: '`--max-time 2`' },
  { name: 'wget', registry: 'system', program: 'fault-wget', timeout: '`--timeout=2`' },
]

export const faultTimeoutMs = 2000

export interface FaultCase {
  readonly then: RuleFormat['then']
  /** What is asked: a job of some 400 bytes, a creation, or an upload of 3 MB. */
  readonly ask: 'job' | 'create' | 'upload'
  /** A good call goes first on the same connection, and the fault comes once: a second try gets through. */
  readonly isKept?: true
}

type FaultName = keyof typeof faults | (string & {})

const job = (then: RuleFormat['then']): FaultCase => ({ then, ask: 'job' })
const upload = (then: RuleFormat['then']): FaultCase => ({ then, ask: 'upload' })

/** The slow ones take some 4 s: longer than the time-out, so that it is seen who it covers. */
export const faultGroups: Readonly<Record<string, Readonly<Record<FaultName, FaultCase>>>> = {
  'Before the head': {
    no_answer: job({ fault: 'no_answer' }),
    close_before_head: job({ fault: 'close_before_head' }),
    reset: job({ fault: 'reset' }),
    slow_head: job({ fault: { type: 'slow_head', bytes_per_second: 70 } }),
  },
  'In the body': {
    reset_mid_body: job({ fault: 'reset_mid_body' }),
    truncated_body: job({ fault: 'truncated_body' }),
    truncated_chunks: job({ fault: 'truncated_chunks' }),
    stall_body: job({ fault: 'stall_body' }),
    dribble: job({ fault: { type: 'dribble', bytes_per_second: 100 } }),
    bandwidth: job({ fault: { type: 'bandwidth', bytes_per_second: 100 } }),
  },
  'Whole on the wire, wrong in content': {
    empty_reply: job({ fault: 'empty_reply' }),
    malformed_json: job({ fault: 'malformed_json' }),
    wrong_content_type: job({ fault: 'wrong_content_type' }),
    wrong_status: job({ fault: 'wrong_status' }),
    broken_envelope: job({ error: 'internal_error', fault: 'broken_envelope' }),
    proxy_html: job({ fault: 'proxy_html' }),
  },
  'An upload of 3 MB': {
    slow_upload: upload({ fault: 'slow_upload' }),
    cut_upload: upload({ fault: 'cut_upload' }),
    close_unread: upload({ error: 'file_too_large', fault: 'close_unread' }),
  },
}

/** Who sends again by itself, by what was asked and how the connection ended. */
export const keptCases: Readonly<Record<string, FaultCase>> = {
  'GET, close_before_head': { then: { fault: 'close_before_head' }, ask: 'job', isKept: true },
  'GET, reset': { then: { fault: 'reset' }, ask: 'job', isKept: true },
  'POST, close_before_head': {
    then: { pass: 'before_delay', fault: 'close_before_head' },
    ask: 'create',
    isKept: true,
  },
  'POST, reset': { then: { pass: 'before_delay', fault: 'reset' }, ask: 'create', isKept: true },
  'upload, close_before_head': { then: { fault: 'close_before_head' }, ask: 'upload', isKept: true },
}
