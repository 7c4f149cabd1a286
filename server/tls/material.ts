/** What a mock that speaks TLS shows its clients: a certificate made at its start, or files of the user's own. */
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFileSync, writeFileSync } from 'node:fs'
import { isIP } from 'node:net'
import { createSecureContext } from 'node:tls'
import { wallClockMs } from '../../base/clock.ts'
import { lazy } from '../../base/lazy.ts'
import { ConfigError, flagOf } from '../../base/options.ts'
import type { Config } from '../config.ts'
import type { Authority, KeyPair } from './certificates.ts'

export interface TlsMaterial extends KeyPair {
  /** What a client has to trust, PEM; undefined where the files given don't say. */
  readonly ca: string | undefined
  /** Whose clients' certificates are taken, PEM; undefined where none is asked for. */
  readonly clientCa: string | undefined
  /** SHA-256 of the certificate, as browsers and openssl show it. */
  readonly fingerprint: string
  /** The certificate itself, to say when it ends. */
  readonly validTo: Date
  /** Signs the certificates of faults; undefined for a certificate of the user's own. */
  readonly authority: Authority | undefined
  /** What a user may not have meant. */
  readonly warnings: readonly string[]
}

type Files = Pick<
  Config,
  'host' | 'tls' | 'tlsCert' | 'tlsKey' | 'tlsCa' | 'tlsPassphrase' | 'tlsClientCa' | 'tlsCaOut' | 'tlsFault'
>

/** Whether the mock speaks TLS: each of its options asks for it. */
export const speaksTls = ({ tls, tlsCert, tlsKey, tlsCa, tlsClientCa, tlsCaOut, tlsFault }: Files): boolean =>
  tls || [tlsCert, tlsKey, tlsCa, tlsClientCa, tlsCaOut, tlsFault].some(given => given !== undefined)

/** What loads what makes certificates: 10 ms that a mock without TLS is not to spend. */
export const certificates = lazy(() => import('./certificates.ts'))

/** Reads, or makes, all of it. Throws a ConfigError for files that can't be used; undefined where no TLS is wanted. */
export async function tlsMaterial(config: Files): Promise<TlsMaterial | undefined> {
  if (!speaksTls(config)) return undefined
  const { tlsCert, tlsKey, tlsCa, tlsClientCa, tlsCaOut } = config
  const clientCa = tlsClientCa === undefined ? undefined : certificatesOf(tlsClientCa, 'tlsClientCa')
  if (tlsCert === undefined && tlsKey === undefined && tlsCa !== undefined)
    throw new ConfigError('--tls-ca is given without --tls-cert and --tls-key; it says who has signed those')
  const material = tlsCert === undefined && tlsKey === undefined ? await made(config) : given(config)
  refuseUnusable(material, clientCa)
  if (tlsCaOut !== undefined) writeCa(tlsCaOut, material.ca)
  return { ...material, clientCa }
}

type Side = Omit<TlsMaterial, 'clientCa'>

async function made({ host }: Files): Promise<Side> {
  const { makeAuthority, backdatedDays, longestDays } = await certificates()
  const authority = await makeAuthority('Understudy mock')
  const pair = await authority.issue({ hosts: hostsOf(host), days: { from: -backdatedDays, to: longestDays - 1 } })
  const leaf = parsed(pair.cert)
  return {
    ...pair,
    ca: authority.cert,
    fingerprint: leaf.fingerprint256,
    validTo: endOf(leaf),
    authority,
    warnings: [],
  }
}

/** What the mock may be reached by: this machine, and the address that it listens on. */
export function hostsOf(host: string): string[] {
  const isAny = host === '0.0.0.0' || host === '::'
  return [...new Set(['localhost', '127.0.0.1', '::1', ...(isAny ? [] : [host])])]
}

function given({ host, tlsCert, tlsKey, tlsCa, tlsPassphrase }: Files): Side {
  if (tlsCert === undefined || tlsKey === undefined) {
    const [there, missing] = tlsKey === undefined ? ['--tls-cert', '--tls-key'] : ['--tls-key', '--tls-cert']
    throw new ConfigError(
      `${there} is given without ${missing}; give both, or --tls alone for a certificate made at start`,
    )
  }
  const cert = certificatesOf(tlsCert, 'tlsCert')
  const key = read(tlsKey, 'tlsKey')
  const leaf = parsed(cert)
  const privateKey = keyOf(key, tlsKey, tlsPassphrase)
  if (!leaf.checkPrivateKey(privateKey))
    throw new ConfigError(`--tls-key ${tlsKey} is not the key of --tls-cert ${tlsCert}; expected the two of one pair`)
  return {
    cert,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    ca: tlsCa === undefined ? undefined : certificatesOf(tlsCa, 'tlsCa'),
    fingerprint: leaf.fingerprint256,
    validTo: endOf(leaf),
    authority: undefined,
    warnings: warningsOf(leaf, tlsCert, host),
  }
}

function warningsOf(leaf: X509Certificate, file: string, host: string): string[] {
  const now = wallClockMs()
  const name = `--tls-cert ${file}`
  const covers = (one: string) => (isIP(one) === 0 ? leaf.checkHost(one) : leaf.checkIP(one)) !== undefined
  return [
    ...(endOf(leaf).getTime() < now
      ? [`${name} has expired on ${endOf(leaf).toISOString()}: clients that check it will refuse the mock`]
      : []),
    ...(startOf(leaf).getTime() > now
      ? [`${name} is valid from ${startOf(leaf).toISOString()} only: clients that check it will refuse the mock`]
      : []),
    ...(hostsOf(host).some(covers)
      ? []
      : [
          `${name} is for ${leaf.subjectAltName?.replace(/(DNS|IP Address):/g, '') ?? 'no host'}, not for ${hostsOf(host).join(', ')}: clients have to reach the mock by a name of its own`,
        ]),
  ]
}

function keyOf(pem: string, file: string, passphrase: string | undefined) {
  const wrong = (what: string) => new ConfigError(`--tls-key ${file} ${what}`)
  if (!/-----BEGIN (\w+ )*PRIVATE KEY-----/.test(pem))
    throw wrong(`holds no private key${beginning(pem)}; expected a PEM file`)
  try {
    return createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) })
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (code === 'ERR_MISSING_PASSPHRASE' || (passphrase === undefined && /ENCRYPTED/.test(pem)))
      throw wrong('is encrypted; give its passphrase with --tls-passphrase, or UNDERSTUDY_TLS_PASSPHRASE')
    if (/ENCRYPTED/.test(pem)) throw wrong('can not be decrypted with the passphrase that was given')
    throw wrong(`can not be read as a private key (${message})`)
  }
}

type TlsFile = 'tlsCert' | 'tlsKey' | 'tlsCa' | 'tlsClientCa'

function certificatesOf(file: string, option: TlsFile): string {
  const pem = read(file, option)
  const wrong = (what: string) => new ConfigError(`${flagOf(option)} ${file} ${what}; expected a PEM file`)
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw wrong(`holds no certificate${beginning(pem)}`)
  try {
    parsed(pem)
  } catch {
    throw wrong('can not be read as a certificate')
  }
  return pem
}

/** What a file is instead. */
function beginning(text: string): string {
  const [, label] = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(text) ?? []
  if (label !== undefined) return ` but a ${label.toLowerCase()}`
  if (text.startsWith('0\u0082') || text.startsWith('0\ufffd'))
    return ' (it looks like DER: openssl x509 -inform der turns it into PEM)'
  return ''
}

const parsed = (pem: string) => new X509Certificate(pem)

/** Node has them as dates from 22.10 on. */
const endOf = ({ validTo }: X509Certificate) => new Date(validTo)
const startOf = ({ validFrom }: X509Certificate) => new Date(validFrom)

function read(file: string, option: TlsFile): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    throw new ConfigError(`${flagOf(option)} ${file} can't be read (${(error as NodeJS.ErrnoException).code})`)
  }
}

/** What OpenSSL itself refuses, such as a key that is too short. */
function refuseUnusable({ cert, key }: Side, clientCa: string | undefined): void {
  try {
    createSecureContext({ cert, key, ...(clientCa !== undefined && { ca: clientCa }) })
  } catch (error) {
    throw new ConfigError(`the files of --tls-cert and --tls-key can't be used: ${(error as Error).message}`)
  }
}

function writeCa(file: string, ca: string | undefined): void {
  if (ca === undefined)
    throw new ConfigError('--tls-ca-out has nothing to write; say with --tls-ca who has signed --tls-cert')
  try {
    writeFileSync(file, ca)
  } catch (error) {
    throw new ConfigError(`--tls-ca-out ${file} can't be written (${(error as NodeJS.ErrnoException).code})`)
  }
}
