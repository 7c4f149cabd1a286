/**
 * The certificates of `--tls`, made anew at each start: an authority of the mock's own, which a client is told to trust, and
 * what it has signed. Loaded only when a mock speaks TLS.
 */
import 'reflect-metadata'
import { webcrypto } from 'node:crypto'
import { isIP } from 'node:net'
import * as x509 from '@peculiar/x509'
import { wallClockMs } from '../../base/clock.ts'
import { freshHex } from '../../base/seed.ts'

export interface KeyPair {
  /** PEM. */
  readonly cert: string
  /** PEM, PKCS#8. */
  readonly key: string
}

/** What is to be in a certificate. */
export interface CertificateWishes {
  /** Names and addresses that it is for. */
  hosts: readonly string[]
  /** Days from now. */
  days: { from: number; to: number }
}

/** Signs certificates, of servers and of clients. */
export interface Authority {
  /** Its own certificate, PEM: what a client has to trust. */
  readonly cert: string
  issue(wishes: CertificateWishes): Promise<KeyPair>
}

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const dayMs = 86_400_000
/** A clock that is behind by less than this still takes what was made just now. */
export const backdatedDays = 1
/** Browsers and Apple's systems take a server's certificate for so long at the most. */
export const longestDays = 397

export async function makeAuthority(name: string): Promise<Authority> {
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const subject = `CN=${name}, O=Understudy`
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: subject,
    ...validity({ from: -backdatedDays, to: longestDays }),
    serialNumber: serial(),
    keys: keys as never,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey as never),
    ],
  })
  return {
    cert: `${root.toString('pem')}\n`,
    async issue({ hosts, days }) {
      const own = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
      const leaf = await x509.X509CertificateGenerator.create({
        subject: `CN=${hosts[0]}`,
        issuer: subject,
        ...validity(days),
        serialNumber: serial(),
        publicKey: own.publicKey as never,
        signingKey: keys.privateKey as never,
        signingAlgorithm: algorithm,
        extensions: [
          new x509.BasicConstraintsExtension(false, undefined, true),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
          new x509.SubjectAlternativeNameExtension(
            hosts.map(host => ({ type: isIP(host) === 0 ? 'dns' : 'ip', value: host }) as const),
          ),
          await x509.SubjectKeyIdentifierExtension.create(own.publicKey as never),
          await x509.AuthorityKeyIdentifierExtension.create(root as never),
        ],
      })
      const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey))
      const key = `-----BEGIN PRIVATE KEY-----\n${der.toString('base64').replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`
      return { cert: `${leaf.toString('pem')}\n`, key }
    },
  }
}

const validity = ({ from, to }: CertificateWishes['days']) => ({
  notBefore: new Date(wallClockMs() + from * dayMs),
  notAfter: new Date(wallClockMs() + to * dayMs),
})

/** Of 16 bytes, and positive, as the standard wants it. */
const serial = (): string => `4${freshHex(16).slice(1)}`
