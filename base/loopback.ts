import { type LookupAddress, lookup } from 'node:dns'
import { BlockList, isIP, type LookupFunction } from 'node:net'

const loopback = new BlockList()
loopback.addSubnet('127.0.0.0', 8, 'ipv4')
loopback.addAddress('::1', 'ipv6')

/** Whether a URL's host, or an address, is this machine. A name is so by its form: what it leads to is isLoopbackAddress()'s. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '').toLowerCase()
  if (isIP(bare) !== 0) return isLoopbackAddress(bare)
  return /^(.+\.)?localhost\.?$/.test(bare)
}

/** Whether an IP address is this machine, an IPv4 one in the form of an IPv6 one (::ffff:127.0.0.1) included. */
export const isLoopbackAddress = (address: string): boolean =>
  isIP(address) !== 0 && loopback.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')

/** How a name is looked up that has to be this machine: what it leads to is judged, and that is what is connected to. */
export const loopbackOnly: LookupFunction = (hostname, options, done) => {
  lookup(hostname, options, (error, address: string | LookupAddress[], family) => {
    const found = Array.isArray(address) ? address.map(one => one.address) : [address]
    const other = error ? undefined : found.find(one => !isLoopbackAddress(one))
    if (other === undefined) done(error, address, family)
    else done(new Error(`${hostname} leads to ${other}, which is not loopback`), '', 0)
  })
}
