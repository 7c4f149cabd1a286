/** /__mock/tls: the handshakes of a mock that speaks TLS, and their faults. */
import type { TlsFaultBody } from '../../client/commands.ts'
import type { TlsState } from '../../client/tlsFaults.ts'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import type { TlsGate } from '../tls/gate.ts'

/** Throws the API's error where the mock speaks none. */
export function tlsOf({ tls }: Mock): TlsGate {
  if (tls !== undefined) return tls
  throw apiError('route_not_found', 'the mock speaks no TLS; start it with --tls, or startMock({ tls: true })')
}

export const useTlsFault = (mock: Mock, { fault, connections }: TlsFaultBody): TlsState =>
  tlsOf(mock).use(fault, connections)

/** What is said of it where a client first asks: nothing, where there is no TLS. */
export const tlsPart = ({ tls }: Mock): { tls?: { fingerprint: string; ca: string | undefined } } =>
  tls === undefined ? {} : { tls: { fingerprint: tls.fingerprint, ca: tls.ca } }
