/** What one connection of an agent holds: the mocks that it started, what it may do, and what its tools found. */
import { lookup } from 'node:dns/promises'
import type { Environment } from '../base/commandIo.ts'
import { baseOf } from '../base/inputs.ts'
import { isLoopback, isLoopbackAddress } from '../base/loopback.ts'
import { ConfigError } from '../base/options.ts'
import { type TlsFiles, trustOf } from '../base/pem.ts'
import { makeTransport } from '../base/send.ts'
import { TargetError } from '../base/targetError.ts'
import type { Trust } from '../base/wire.ts'
import { connectMock } from '../client/connect.ts'
import { controlOf, messageIn } from '../client/control.ts'
import type { ConnectedMock, ConnectedScenario, RunningMock } from '../client/mock.ts'
import type { MockOptions } from '../server/config.ts'
import type { McpSettings } from './options.ts'

export interface KeptDocument {
  name: string
  document: unknown
}

/** A mock in use; all of them are asked over HTTP, wherever they run. */
export interface UsedMock {
  mock: ConnectedMock
  /** Undefined for one that was running before: it is left running. */
  own: RunningMock | undefined
  /** What use_scenario switched on, by key; '' for every key. */
  scenarios: Map<string, ConnectedScenario>
  /** GET /__mock/`path`, for what the client has no method for. */
  read<T>(path: string): Promise<T>
}

/** An agent reads what it has just asked for, and seldom goes back. */
const mostKept = 50
const controlTimeoutMs = 10_000

export class AgentSession {
  readonly settings: McpSettings
  readonly environment: Environment
  readonly #trust: Trust
  readonly #mocks = new Map<string, UsedMock>()
  readonly #kept = new Map<string, KeptDocument>()
  readonly #over = new AbortController()
  readonly #command: string
  #count = 0

  /** `command` is what a user starts it with, such as "mcp --". Throws a ConfigError for TLS files that can't be used. */
  constructor(settings: McpSettings, environment: Environment, command: 'mcp --' | 'serve --mcp-' = 'mcp --') {
    this.settings = settings
    this.#command = `understudy ${command}`
    this.#trust = trustOf(settings)
    this.environment = environment
  }

  /** Aborted when the session ends. */
  get signal(): AbortSignal {
    return this.#over.signal
  }

  async start(options: MockOptions): Promise<UsedMock> {
    // Loaded here: an agent that attaches to a running mock needs none.
    const { startMock } = await import('../server/start.ts')
    const own = await startMock({ ...options, host: '127.0.0.1' })
    // The client went while it started: nobody would stop it.
    if (this.signal.aborted) await own.close()
    return this.#use(own.url, own)
  }

  /** Uses a mock that is running already. Throws a ConfigError for one on another machine without --allow-remote. */
  async attach(url: string, trust = this.#trust): Promise<UsedMock> {
    const base = await this.mayReach(url)
    return this.#mocks.get(base) ?? this.#use(base, undefined, trust)
  }

  /** The TLS files that checks and drills take, where the variables of their verb name no others. */
  get tlsFiles(): TlsFiles {
    const { ca, clientCert, clientKey } = this.settings
    return { ca, clientCert, clientKey }
  }

  async #use(url: string, own: RunningMock | undefined, trust = this.#trust): Promise<UsedMock> {
    const { adminToken, allowRemote } = this.settings
    const reach = { ...trust, onlyLoopback: allowRemote !== true }
    const mock = await connectMock(url, { ...reach, ...(adminToken !== undefined && { adminToken }) })
    const read = async <T>(path: string): Promise<T> => {
      const transport = makeTransport(reach, this.signal)
      const { send } = transport
      const ask = controlOf({ base: mock.url, send, adminToken, timeoutMs: controlTimeoutMs })
      const answer = await ask('GET', path).finally(transport.close)
      if (answer.status === 200) return answer.json as T
      throw new TargetError(messageIn(answer))
    }
    const used = { mock, own, read, scenarios: new Map() }
    this.#mocks.set(mock.url, used)
    return used
  }

  /** The mock of that URL, or the latest. Throws a ConfigError if there is none. */
  find(url: string | undefined): UsedMock {
    const found = url === undefined ? [...this.#mocks.values()].at(-1) : this.#mocks.get(baseOf(url))
    if (found !== undefined) return found
    const known = [...this.#mocks.keys()]
    throw new ConfigError(
      known.length === 0
        ? 'no mock is started; call mock with action: "start" first'
        : `${url} is none of the mocks that were started; expected one of ${known.join(', ')}`,
    )
  }

  /** Stops one, or all: those that were attached to are left running. Says which they were. */
  async stop(url?: string): Promise<{ stopped: string[]; left: string[] }> {
    const found = url === undefined ? [...this.#mocks.values()] : [this.find(url)]
    await Promise.all(
      found.map(async ({ mock, own, scenarios }) => {
        this.#mocks.delete(mock.url)
        // What was switched on in a mock that goes on would stay behind.
        if (!own) await Promise.allSettled([...scenarios.values()].map(one => one.end()))
        await mock.close()
        await own?.close()
      }),
    )
    const urlsOf = (isOwn: boolean) =>
      found.flatMap(({ mock, own }) => ((own !== undefined) === isOwn ? [mock.url] : []))
    return { stopped: urlsOf(true), left: urlsOf(false) }
  }

  /** The base URL, if a tool may send there. Throws a ConfigError that says what would allow it. */
  async mayReach(url: string): Promise<string> {
    const base = baseOf(url)
    if (this.settings.allowRemote === true) return base
    const host = new URL(base).hostname.replace(/^\[|\]$/g, '')
    // A name that looks like this machine may lead elsewhere.
    const addresses = isLoopback(host) ? await lookup(host, { all: true }).catch(() => []) : []
    if (isLoopback(host) && addresses.every(({ address }) => isLoopbackAddress(address))) return base
    throw new ConfigError(
      `${base} is not on this machine, and tools reach loopback only; whoever started the server can allow it with ${this.#command}allow-remote`,
    )
  }

  /** Throws a ConfigError unless commands may be run. */
  refuseRun(): void {
    if (this.settings.allowRun === true) return
    throw new ConfigError(
      `this server runs no commands; whoever started it can allow it with ${this.#command}allow-run. Without it: mock with action: "start", use_scenario, have the client run against it, then conduct`,
    )
  }

  /** Keeps a whole answer, and gives the link to it. */
  keep(document: KeptDocument) {
    const id = `${++this.#count}-${document.name}`
    this.#kept.set(id, document)
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size <= mostKept) break
      this.#kept.delete(oldest)
    }
    const uri = `understudy://results/${id}`
    return { type: 'resource_link' as const, uri, name: document.name, mimeType: 'application/json' }
  }

  /** What was kept, by its id. */
  get kept(): ReadonlyMap<string, KeptDocument> {
    return this.#kept
  }

  /** Ends whatever runs and stops every mock. */
  async close(): Promise<void> {
    this.#over.abort()
    await this.stop()
  }
}
