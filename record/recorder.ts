/**
 * A recording reverse proxy before any endpoint: a client that is given its URL in place of the target's meets what the
 * target does, faults included, and all of it is written to a HAR file as it happens.
 */

import { existsSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { laterReal } from '../base/clock.ts'
import { baseOf } from '../base/inputs.ts'
import { ConfigError, flagOf, parseAs } from '../base/options.ts'
import { trustOf } from '../base/pem.ts'
import { redactUrl } from '../base/redaction.ts'
import { tlsOptions, tlsTrust } from '../base/wire.ts'

import { HarWriter, sweepBodies } from '../recordings/write.ts'

import { type RecorderOptions, recordOptions } from './options.ts'
import { refusalOf, refuseConnect, sendEnvelope } from './refusal.ts'
import { RelayedExchange, type RelaySession } from './relay.ts'
import { RecorderSecrets } from './secrets.ts'
import { UpstreamConnection } from './upstreamConnection.ts'

export type { RecorderOptions } from './options.ts'

export interface Recorder {
  /** What the client takes for the API's base URL. */
  readonly url: string
  /** The target's, without a slash at its end. */
  readonly target: string
  readonly file: string
  /** Calls that are written down; those that are still under way come later. */
  readonly size: number
  /** Of those: answered with 400 or above, or not at all as there was no connection. */
  readonly failed: number
  /** Of those: ended without a whole answer. */
  readonly cut: number
  /** Bodies in the folder beside the recording. */
  readonly files: number
  /** Stops listening, waits up to `graceMs` (1000 by default) for calls under way, cuts the rest, and ends the file. */
  close(graceMs?: number): Promise<void>
}

/**
 * Records what goes through it to `target`. The file is valid HAR 1.2 after each call, whatever ends the process.
 *
 * Keys, tokens, cookies, signatures and signed URLs, and the texts of `redact`, never reach the file or the bodies beside
 * it. Bodies are searched for them where they are text of up to 8 MiB; a longer text is not kept. Binary files, such as an
 * uploaded video, are kept as they are and not searched.
 *
 * URLs of the target's in JSON answers of up to 1 MiB and in Location lead through the recorder; the recording has what
 * the target said. Throws a ConfigError for options that can't be used, and where `out` is there already without `force`.
 */
export async function startRecorder(options: RecorderOptions): Promise<Recorder> {
  const { target, out, port, host, redact = [], force, ...trust } = completed(options)
  const base = targetOf(target)
  const tls = tlsOptions(tlsTrust(trustOf(trust)))
  if (existsSync(out) && !force)
    throw new ConfigError(`${out} already exists; choose another with --out, or overwrite it with --force`)

  const connections = new WeakMap<Socket, UpstreamConnection>()
  const exchanges = new Map<RelayedExchange, Promise<void>>()
  let session: RelaySession | undefined
  const take = (request: IncomingMessage, response: ServerResponse, waitsForContinue: boolean) => {
    const { url = '', headers } = request
    const refusal = refusalOf(url, headers.upgrade)
    if (session === undefined || refusal !== undefined) {
      request.resume()
      return sendEnvelope(response, 501, 'invalid_request', refusal ?? 'the recorder has ended', 0)
    }
    const exchange = new RelayedExchange(session, request, response, waitsForContinue)
    exchanges.set(
      exchange,
      exchange.run().finally(() => exchanges.delete(exchange)),
    )
  }
  const server = createServer({ maxHeaderSize: 128 * 1024, requestTimeout: 0, keepAliveTimeout: 0 })
    .on('request', (request, response) => take(request, response, false))
    .on('checkContinue', (request, response) => take(request, response, true))
    .on('connect', (_request, socket) => refuseConnect(socket))
  await listen(server, host, port)

  const shownHost = host.includes(':') ? `[${host}]` : host
  const url = `http://${shownHost}:${(server.address() as AddressInfo).port}`
  let writer: HarWriter
  try {
    if (force) sweepBodies(out, true)
    writer = new HarWriter(out, { _target: base })
  } catch (error) {
    server.close()
    throw error
  }
  const tally = { calls: 0, failed: 0, cut: 0 }
  session = {
    base,
    url,
    writer,
    secrets: new RecorderSecrets(redact),
    tally,
    isStopping: false,
    upstreamFor(client) {
      const known = connections.get(client)
      if (known !== undefined) return known
      const connection = new UpstreamConnection(client, base.startsWith('https:'), tls)
      connections.set(client, connection)
      return connection
    },
  }
  const running = session
  let closing: Promise<void> | undefined

  async function close(graceMs: number): Promise<void> {
    running.isStopping = true
    const closed = new Promise(resolve => server.close(resolve))
    server.closeIdleConnections()
    const stopWaiting = laterReal(graceMs, () => {
      for (const exchange of exchanges.keys()) exchange.stop()
    })
    // A connection that is kept alive may bring one more call while others are waited for.
    while (exchanges.size > 0) await Promise.all(exchanges.values())
    stopWaiting()
    session = undefined
    server.closeAllConnections()
    await closed
    writer.close()
  }

  return {
    url,
    target: base,
    file: out,
    get size() {
      return writer.size
    },
    get failed() {
      return tally.failed
    },
    get cut() {
      return tally.cut
    },
    get files() {
      return writer.files
    },
    close(graceMs = 1000) {
      closing ??= close(graceMs)
      return closing
    },
  }
}

/** With defaults for what was not given; values that the command would refuse are refused. */
function completed(given: RecorderOptions): RecorderOptions & { out: string; port: number; host: string } {
  for (const name of Object.keys(given))
    if (!(name in recordOptions))
      throw new ConfigError(`There is no option ${JSON.stringify(name)}; see RecorderOptions`)
  const { port, out, host } = recordOptions
  const source = (name: string) => `The option ${name}`
  if (given.redact?.some(text => text === '')) throw new ConfigError('The option redact has an empty text in it')
  return {
    ...given,
    port: given.port === undefined ? port.default() : parseAs(port, String(given.port), source('port')),
    out: given.out === undefined ? out.default() : parseAs(out, given.out, source('out')),
    host: given.host === undefined ? host.default() : parseAs(host, given.host, source('host')),
  }
}

/** As baseOf() has it, without showing what may be secret in it. */
function targetOf(target: string | undefined): string {
  if (target === undefined || target === '')
    throw new ConfigError(
      `no target was given; expected ${flagOf('target')} with a base URL such as http://127.0.0.1:4010`,
    )
  if (URL.canParse(target)) {
    const { username, password, search, hash } = new URL(target)
    const why =
      username + password !== '' ? 'a user or a password' : search !== '' ? 'a query' : hash !== '' ? 'a fragment' : ''
    if (why !== '')
      throw new ConfigError(
        `${flagOf('target')} is ${JSON.stringify(redactUrl(target.replace(/#.*$/, '')))} with ${why} in it; expected a base URL such as http://127.0.0.1:4010`,
      )
  }
  return baseOf(target)
}

function listen(server: ReturnType<typeof createServer>, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE')
        reject(
          new ConfigError(`Port ${port} on ${host} is taken; choose another with --port, or --port 0 for a free one`),
        )
      else if (error.code === 'EACCES')
        reject(new ConfigError(`Port ${port} needs more rights; choose one above 1023 with --port`))
      else if (error.code === 'EADDRNOTAVAIL' || error.code === 'ENOTFOUND')
        reject(new ConfigError(`There is no address ${host} on this machine; try --host 127.0.0.1`))
      else reject(error)
    })
    server.listen(port, host, resolve)
  })
}
