/** What can go wrong before there is a request: faults of the TLS handshake, for the next connections or for all. */

export const tlsFaults = {
  handshake_refused: 'ends the handshake with the alert handshake_failure, as a server that shares no cipher does',
  handshake_cut: 'resets the connection (RST) when the client has said hello',
  handshake_silent: 'never answers the hello; the connection stays open until the client gives up',
  expired_certificate: 'shows a certificate that ended yesterday',
  wrong_host: 'shows a certificate for another host, wrong-host.invalid',
  unknown_authority: 'shows a certificate that an unknown authority has signed',
} as const

export type TlsFaultName = keyof typeof tlsFaults

export const tlsFaultNames = Object.keys(tlsFaults) as TlsFaultName[]

/** So many connections at the most may be counted down. */
export const mostFaultyConnections = 10_000

/** The state of a mock's TLS, as GET /__mock/tls answers it. */
export interface TlsState {
  /** SHA-256 of the mock's certificate, in pairs of digits. */
  fingerprint: string
  /** When the certificate ends: UTC, ISO 8601. */
  valid_to: string
  /** The PEM that a client has to trust; null where the mock was given a certificate and not who has signed it. */
  ca: string | null
  /** What the next connections meet; `connections` is null where it lasts until it is switched off. */
  fault: { name: TlsFaultName; connections: number | null } | null
  handshakes: {
    completed: number
    /** Connections that a fault of the handshake has ended, or that either side has refused. */
    failed: number
  }
  /** The last 20 that failed, the newest last. */
  failures: TlsFailure[]
}

export interface TlsFailure {
  /** UTC, ISO 8601. */
  time: string
  /** The fault that the connection met. */
  fault: TlsFaultName | null
  /** OpenSSL's code of it, such as ERR_SSL_TLSV1_ALERT_UNKNOWN_CA; null where the mock itself ended it. */
  code: string | null
  /** It in words. */
  said: string
}

/** The handshakes of a mock with TLS. Without TLS, each of its methods throws a ControlError. */
export interface MockTls {
  /** The PEM of the authority that a client has to trust; undefined without TLS, or where the mock doesn't know it. */
  readonly ca: string | undefined
  /**
   * Has the next connections meet a fault of the handshake: one, or `connections` of them, then all is as before. A
   * connection that is open already goes on.
   */
  use(fault: TlsFaultName, options?: { connections?: number }): TlsState
  /** Ends it before it has met them all. */
  end(): TlsState
  /** What the handshakes have come to so far. */
  state(): TlsState
}
