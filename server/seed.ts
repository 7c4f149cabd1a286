/**
 * The one source of chance. Every draw is a function of (seed, what it is for, the n-th such thing), never of a shared
 * sequence: so what else goes on at the same time doesn't change it, and the same seed gives the same run.
 */
import { hash, randomInt } from 'node:crypto'
import { customRandom } from 'nanoid'

export type Seed = string

/** A fresh seed, for a run that was not given one. It is printed, so that the run can be had again. */
export const freshSeed = (): Seed => String(randomInt(2 ** 31))

/** A number in [0, 1) that depends on nothing but the seed and the parts. */
export function draw(seed: Seed, ...parts: (string | number)[]): number {
  return digest(seed, parts).readUInt32LE(0) / 2 ** 32
}

/** A number in [min, max), drawn likewise. */
export function drawBetween(min: number, max: number, seed: Seed, ...parts: (string | number)[]): number {
  return min + (max - min) * draw(seed, ...parts)
}

// No look-alikes and no punctuation: ids get read aloud, double-clicked and put into URLs.
const idAlphabet = '0123456789abcdefghijkmnpqrstuvwxyz'

/** An id of `size` characters (at most 32), drawn likewise. */
export function drawId(size: number, seed: Seed, ...parts: (string | number)[]): string {
  const bytes = digest(seed, parts)
  let used = 0
  // nanoid asks for more bytes than it keeps; hash on when the first 32 are used up.
  const random = (count: number): Uint8Array => {
    const out = new Uint8Array(count)
    for (let i = 0; i < count; i++) {
      if (used === bytes.length) {
        hash('sha256', bytes, 'buffer').copy(bytes)
        used = 0
      }
      out[i] = bytes[used++] as number
    }
    return out
  }
  return customRandom(idAlphabet, size, random)()
}

function digest(seed: Seed, parts: (string | number)[]): Buffer {
  return hash('sha256', JSON.stringify([seed, ...parts]), 'buffer')
}
