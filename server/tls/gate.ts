/**
 * The way of a connection into a mock that speaks TLS: a fault of the handshake meets it first, else it is Node's. What fails
 * is logged and kept, as the client that fails here leaves no entry in the journal.
 */
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls'
import { wallClockMs } from '../../base/clock.ts'
import type { TlsFailure, TlsFaultName, TlsState } from '../../client/tlsFaults.ts'
import { type Config, readTlsFault } from '../config.ts'
import { apiError } from '../errors.ts'
import type { Log } from '../log.ts'
import { certificates, hostsOf, type TlsMaterial } from './material.ts'
import { layOver } from './rawSocket.ts'

/** As many failures as are kept. */
const mostFailures = 20

/** handshake_failure (40), fatal, in a record of its own: before the server's hello it is not encrypted. */
const refusal = Uint8Array.of(0x15, 0x03, 0x03, 0x00, 0x02, 0x02, 0x28)

type CertificateFault = 'expired_certificate' | 'wrong_host' | 'unknown_authority'

/** What of a server's options is TLS. */
function tlsServerOptions({ cert, key, clientCa }: TlsMaterial) {
  return {
    cert,
    key,
    ...(clientCa !== undefined && { ca: clientCa, requestCert: true, rejectUnauthorized: true }),
    minVersion: 'TLSv1.2',
    // There is no HTTP/2 here: a client that offers both is told so.
    ALPNProtocols: ['http/1.1'],
    // As node:http has it: no answer waits for another packet.
    noDelay: true,
  } as const
}

export class TlsGate {
  #server: HttpsServer | undefined
  readonly #material: TlsMaterial
  readonly #host: string
  readonly #log: Log
  /** By their end of the wire: who is not through the handshake yet. */
  readonly #shaking = new Map<string, Socket>()
  readonly #impostors = new Map<CertificateFault, TlsServer>()
  readonly #failures: TlsFailure[] = []
  readonly #through = new Set<TLSSocket>()
  #isClosing = false
  #completed = 0
  #failed = 0
  #fault: TlsFaultName | undefined
  #left = 0

  constructor(material: TlsMaterial, { host, tlsFault }: Config, log: Log) {
    this.#material = material
    this.#host = host
    this.#log = log
    for (const warning of material.warnings) log.warn({ tls: 'certificate' }, warning)
    const asked = tlsFault === undefined ? undefined : readTlsFault(tlsFault)
    if (asked !== undefined) this.use(asked.name, asked.connections)
  }

  /** What of its server's options is TLS. */
  get serverOptions(): ReturnType<typeof tlsServerOptions> {
    return tlsServerOptions(this.#material)
  }

  /**
   * Takes over the connections of a server that does not listen yet. `answerPlain` answers a client that speaks plain HTTP:
   * else it would get nothing, and not know why.
   */
  guard(server: HttpsServer, answerPlain: (socket: Socket) => void): void {
    this.#server = server
    const [shakeHands] = server.listeners('connection')
    server.removeAllListeners('connection')
    server.on('connection', (socket: Socket) => {
      this.#enter(socket)
      const fault = this.#take()
      if (fault === undefined) return void shakeHands?.call(server, socket)
      this.#play(fault, socket)
    })
    // Before HTTP sees it: the first request may be cut.
    server.prependListener('secureConnection', (secure: TLSSocket) => this.#completeOf(secure))
    server.on('tlsClientError', (error, secure) => {
      this.#fail(error, null, secure)
      const raw = this.#shaking.get(endOf(secure))
      if (isPlainHttp(error) && raw !== undefined) answerPlain(raw)
    })
  }

  get fingerprint(): string {
    return this.#material.fingerprint
  }

  get ca(): string | undefined {
    return this.#material.ca
  }

  /** Throws an ApiError where it can't be played. */
  use(fault: TlsFaultName, connections: number | undefined): TlsState {
    const problem = unplayable(fault, this.#material)
    if (problem !== undefined) throw apiError('invalid_field', `fault is ${problem}`)
    this.#fault = fault
    this.#left = connections ?? Number.POSITIVE_INFINITY
    return this.state()
  }

  end(): TlsState {
    this.#fault = undefined
    return this.state()
  }

  state(): TlsState {
    const { fingerprint, validTo, ca } = this.#material
    const connections = Number.isFinite(this.#left) ? this.#left : null
    return {
      fingerprint,
      valid_to: validTo.toISOString(),
      ca: ca ?? null,
      fault: this.#fault === undefined ? null : { name: this.#fault, connections },
      handshakes: { completed: this.#completed, failed: this.#failed },
      failures: [...this.#failures],
    }
  }

  /** Ends what has not come through the handshake, and what has sent nothing since. */
  close(): void {
    this.#isClosing = true
    for (const socket of this.#shaking.values()) socket.destroy()
    for (const secure of this.#through) if (secure.bytesRead === 0) secure.destroy()
  }

  #enter(socket: Socket): void {
    const end = endOf(socket)
    this.#shaking.set(end, socket)
    socket.once('close', () => {
      if (this.#shaking.get(end) === socket) this.#shaking.delete(end)
    })
    // A client that goes away in the middle: TLS, or the fault, says so.
    socket.on('error', () => {})
  }

  #take(): TlsFaultName | undefined {
    const fault = this.#fault
    if (fault !== undefined && --this.#left === 0) this.#fault = undefined
    return fault
  }

  #play(fault: TlsFaultName, socket: Socket): void {
    switch (fault) {
      case 'handshake_silent':
        this.#keep({ fault, code: null, said: 'the hello was not answered' })
        return void socket.resume()
      case 'handshake_refused':
        return void socket.once('data', () => {
          socket.end(refusal)
          this.#keep({ fault, code: null, said: 'the handshake was refused' })
        })
      case 'handshake_cut':
        return void socket.once('data', () => {
          socket.resetAndDestroy()
          this.#keep({ fault, code: null, said: 'the connection was reset after the hello' })
        })
      default:
        this.#impersonate(fault, socket)
    }
  }

  /** Shakes hands with another certificate; whoever takes it is served as ever. */
  #impersonate(fault: CertificateFault, socket: Socket): void {
    const known = this.#impostors.get(fault)
    if (known !== undefined) return void known.emit('connection', socket)
    this.#impostor(fault).then(
      server => {
        this.#impostors.set(fault, server)
        if (!socket.destroyed) server.emit('connection', socket)
      },
      error => {
        this.#log.error({ err: error }, `no certificate could be made for ${fault}`)
        socket.destroy()
      },
    )
  }

  async #impostor(fault: CertificateFault): Promise<TlsServer> {
    const { makeAuthority, backdatedDays } = await certificates()
    const { authority = await makeAuthority('Understudy mock') } = fault === 'unknown_authority' ? {} : this.#material
    const hosts = fault === 'wrong_host' ? ['wrong-host.invalid'] : hostsOf(this.#host)
    const days = fault === 'expired_certificate' ? { from: -30, to: -1 } : { from: -backdatedDays, to: 90 }
    const options = tlsServerOptions({ ...this.#material, ...(await authority.issue({ hosts, days })) })
    const server = createTlsServer(options, secure => {
      // Many a client looks at the certificate when the handshake is over, and leaves without a word.
      secure.once('close', () => {
        if (secure.bytesRead === 0)
          this.#keep({ fault, code: null, said: `a client refused the certificate, as ${fault} has it` })
      })
      this.#server?.emit('secureConnection', secure)
    })
    return server.on('tlsClientError', (error, secure) => this.#fail(error, fault, secure))
  }

  #completeOf(secure: TLSSocket): void {
    const raw = this.#shaking.get(endOf(secure))
    if (raw === undefined) return
    this.#shaking.delete(endOf(secure))
    layOver(secure, raw)
    this.#through.add(secure)
    secure.once('close', () => this.#through.delete(secure))
    this.#completed++
  }

  #fail(error: Error & { code?: string }, fault: TlsFaultName | null, secure: TLSSocket): void {
    // What Node has against a client's certificate; the error itself says no more than that the connection has ended.
    const refused = secure.authorizationError as unknown as string | undefined
    const code = refused ?? error.code ?? null
    this.#keep({ fault, code, said: wordsOf(code ?? error.message, fault) })
  }

  #keep(failure: Omit<TlsFailure, 'time'>): void {
    if (this.#isClosing) return
    this.#failed++
    this.#failures.push({ time: new Date(wallClockMs()).toISOString(), ...failure })
    if (this.#failures.length > mostFailures) this.#failures.shift()
    const { fault, code, said } = failure
    this.#log.warn({ tls: code ?? fault, ...(fault !== null && { fault }) }, `TLS: ${said}`)
  }
}

/** What a certificate of the user's own rules out: another that its clients would trust as much. */
export const unplayable = (fault: TlsFaultName, { authority }: Pick<TlsMaterial, 'authority'>): string | undefined =>
  (fault === 'expired_certificate' || fault === 'wrong_host') && authority === undefined
    ? `${fault}, for which the mock has to sign a certificate; start it with --tls alone, not with --tls-cert`
    : undefined

const endOf = ({ remoteAddress = '', remotePort = 0 }: Socket): string => `${remoteAddress} ${remotePort}`

const isPlainHttp = ({ code }: NodeJS.ErrnoException): boolean => code === 'ERR_SSL_HTTP_REQUEST'

/** What a handshake failed of, and what to do about it. */
function wordsOf(code: string, fault: TlsFaultName | null): string {
  const byFault = fault === null ? '' : `, as ${fault} has it`
  if (code === 'ERR_SSL_HTTP_REQUEST') return 'a client spoke plain HTTP; its URL has to begin with https://'
  if (/ALERT_UNKNOWN_CA|ALERT_BAD_CERTIFICATE|ALERT_CERTIFICATE/.test(code))
    return fault === null
      ? `a client refused the certificate (${code}); have it trust the file of --tls-ca-out`
      : `a client refused the certificate (${code})${byFault}`
  if (/PEER_DID_NOT_RETURN_A_CERTIFICATE/.test(code))
    return 'a client showed no certificate; --tls-client-ca asks for one'
  if (/CERT|VERIFY/.test(code) && !code.includes('ALERT'))
    return `a client's certificate was refused (${code}); --tls-client-ca says whose are taken`
  if (code === 'ECONNRESET') return `a client went away in the handshake${byFault}`
  return `the handshake failed (${code})${byFault}`
}
