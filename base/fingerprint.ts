import { hash } from 'node:crypto'

/** What a key is called where it must not be shown. */
export const fingerprintOf = (key: string): string => hash('sha256', key).slice(0, 12)

/** Whether a text may be a fingerprint. A key rarely looks like one, so that hardly one has to be hashed to tell. */
export const mayBeFingerprint = (text: string): boolean => /^[0-9a-f]{12}$/.test(text)

/** FNV-1a: 32 bits of a text, as a signed number. */
export function hash32(text: string, start = 0x811c9dc5): number {
  let bits = start
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193)
  return bits
}

/** 53 bits of a text, as many as a number holds: tells texts apart without keeping them. */
export const hash53 = (text: string): number => (hash32(text) >>> 0) * 2 ** 21 + (hash32(text, 0x9747b28c) >>> 11)
