import { isIP } from 'node:net'
/** Whether a URL's host, or an address, is this machine. */
export function isLoopback(host: string): boolean {
  const bare = host.replace(/^\[|\]$/g, '')
  if (isIP(bare) === 4) return bare.startsWith('127.')
  if (isIP(bare) === 6) return bare === '::1' || /^::ffff:(127\.|7f)/.test(bare)
  return bare === 'localhost' || bare.endsWith('.localhost')
}
