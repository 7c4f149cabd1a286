/** Certificates and private keys in PEM files, and what to say of a file that holds none. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { ConfigError, flagOf } from './options.ts'
import type { Trust } from './wire.ts'

/** Files of what sends over TLS: whom to trust, and who it is itself. */
export interface TlsFiles {
  /** A PEM file of a certificate authority to trust beside the system's. */
  ca?: string | undefined
  /** A PEM file of the client's own certificate, for a server that asks for one (mutual TLS). */
  clientCert?: string | undefined
  /** A PEM file of its private key; by default the key is in the file of the certificate. */
  clientKey?: string | undefined
}

/** What those files hold. Throws a ConfigError that names the option, for files that can't be used. */
export function trustOf({ ca, clientCert, clientKey, insecure }: TlsFiles & { insecure?: boolean }): Trust {
  const keyFile = clientKey ?? clientCert
  if (clientCert === undefined && clientKey !== undefined)
    throw new ConfigError('--client-key is given without --client-cert; expected the certificate of that key too')
  return {
    insecure: insecure ?? false,
    ...(ca !== undefined && { ca: certificatesOf(ca, 'ca') }),
    ...(clientCert !== undefined && keyFile !== undefined && pairOf(clientCert, keyFile, clientKey !== undefined)),
  }
}

function pairOf(certFile: string, keyFile: string, isApart: boolean): Pick<Trust, 'clientCert' | 'clientKey'> {
  const clientCert = certificatesOf(certFile, 'clientCert')
  const key = readPem(keyFile, 'clientKey')
  if (!isApart && !keyLabel.test(key))
    throw new ConfigError(`--client-cert ${certFile} holds no private key; give the file that has it with --client-key`)
  const clientKey = privateKeyOf(key, keyFile, 'clientKey', {
    advice: `openssl pkey -in ${keyFile} -out plain.key makes one that is not`,
  })
  refuseOtherKey(clientCert, clientKey, { cert: ['clientCert', certFile], key: ['clientKey', keyFile] })
  return { clientCert, clientKey: pemOf(clientKey) }
}

/** The text of a PEM file with a certificate or more. Throws a ConfigError. */
export function certificatesOf(file: string, option: string): string {
  const pem = readPem(file, option)
  const wrong = (what: string) => new ConfigError(`${flagOf(option)} ${file} ${what}; expected a PEM file`)
  if (!pem.includes('-----BEGIN CERTIFICATE-----')) throw wrong(`holds no certificate${beginning(pem)}`)
  try {
    certificateOf(pem)
  } catch {
    throw wrong('can not be read as a certificate')
  }
  return pem
}

/** The first certificate of a PEM text. */
export const certificateOf = (pem: string) => new X509Certificate(pem)

const keyLabel = /-----BEGIN (\w+ )*PRIVATE KEY-----/

/** A private key of a PEM file. Throws a ConfigError; `advice` is what to do about one that is encrypted. */
export function privateKeyOf(
  pem: string,
  file: string,
  option: string,
  { passphrase, advice }: { passphrase?: string | undefined; advice: string },
): KeyObject {
  const wrong = (what: string) => new ConfigError(`${flagOf(option)} ${file} ${what}`)
  if (!keyLabel.test(pem)) throw wrong(`holds no private key${beginning(pem)}; expected a PEM file`)
  try {
    return createPrivateKey({ key: pem, ...(passphrase !== undefined && { passphrase }) })
  } catch (error) {
    const { code = '', message } = error as NodeJS.ErrnoException
    if (code === 'ERR_MISSING_PASSPHRASE' || (passphrase === undefined && /ENCRYPTED/.test(pem)))
      throw wrong(`is encrypted; ${advice}`)
    if (/ENCRYPTED/.test(pem)) throw wrong('can not be decrypted with the passphrase that was given')
    throw wrong(`can not be read as a private key (${message})`)
  }
}

type Named = readonly [option: string, file: string]

/** Throws a ConfigError unless the key is that of the certificate. */
export function refuseOtherKey(cert: string, key: KeyObject, named: { cert: Named; key: Named }): void {
  if (certificateOf(cert).checkPrivateKey(key)) return
  const words = ([option, file]: Named) => `${flagOf(option)} ${file}`
  throw new ConfigError(`${words(named.key)} is not the key of ${words(named.cert)}; expected the two of one pair`)
}

/** As OpenSSL takes it, not encrypted. */
export const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }).toString()

/** What a file is instead. */
function beginning(text: string): string {
  const [, label] = /-----BEGIN ([A-Z0-9 ]+)-----/.exec(text) ?? []
  if (label !== undefined) return ` but a ${label.toLowerCase()}`
  if (text.startsWith('0\u0082') || text.startsWith('0\ufffd'))
    return ' (it looks like DER: openssl x509 -inform der turns it into PEM)'
  return ''
}

/** Throws a ConfigError that names the option. */
export function readPem(file: string, option: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    throw new ConfigError(`${flagOf(option)} ${file} can't be read (${code})`)
  }
}
