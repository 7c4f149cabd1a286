/**
 * The one source of chance. Every draw is a function of (seed, whose it is, what it is for, the n-th such thing), never
 * of a shared sequence: so what else goes on at the same time doesn't change it, and the same seed gives the same run.
 */
import { hash, randomBytes, randomInt } from 'node:crypto'
import { customRandom } from 'nanoid'

/** A fresh seed, for a run that was not given one. It is printed, so that the run can be had again. */
export const freshSeed = (): string => String(randomInt(2 ** 31))

/** What has to be unlike all others in the world, whatever the seed: serial numbers, ids of traces. */
export const freshHex = (bytes: number): string => randomBytes(bytes).toString('hex')

/** 32 characters: no look-alikes and no punctuation, as ids get read aloud, double-clicked and put into URLs. */
const idAlphabet = '0123456789abcdefghjkmnpqrstvwxyz'
const idSize = 14

export class SeededRandom {
  readonly #seed: Int32Array
  /** The state that the current draw goes on from. */
  #a = 0
  #b = 0
  readonly #bytes = new Uint8Array(64)
  readonly #id = customRandom(idAlphabet, idSize, size => this.#nextBytes(size))

  /** `parts` are the seed, and whose chance it is. */
  constructor(...parts: string[]) {
    const digest = hash('sha256', JSON.stringify(parts), 'buffer')
    this.#seed = new Int32Array([digest.readInt32LE(0), digest.readInt32LE(4)])
  }

  /** A number in [0, 1) for the n-th `purpose`. */
  draw(purpose: string, n: number, again = 0): number {
    this.#enter(purpose, n, again)
    return this.#next() / 2 ** 32
  }

  /** A number in [min, max), drawn likewise. */
  between(min: number, max: number, purpose: string, n: number, again = 0): number {
    return min + (max - min) * this.draw(purpose, n, again)
  }

  /** An id of 14 characters, drawn likewise: 70 bits. */
  id(purpose: string, n: number): string {
    this.#enter(purpose, n, 0)
    return this.#id()
  }

  /** Starts a sequence that depends on nothing but the seed and these. */
  #enter(purpose: string, n: number, again: number): void {
    let a = (this.#seed[0] as number) ^ Math.imul(n, 0x9e3779b1)
    let b = (this.#seed[1] as number) ^ Math.imul(again + 1, 0x85ebca6b)
    for (let i = 0; i < purpose.length; i++) a = Math.imul(a ^ purpose.charCodeAt(i), 0x01000193)
    a = mix(a ^ n)
    b = mix(b ^ a ^ Math.imul(n + 1, 0xc2b2ae35))
    this.#a = a
    this.#b = b
  }

  /** 32 bits, as a number from 0. */
  #next(): number {
    this.#a = (this.#a + 0x6d2b79f5) | 0
    this.#b = Math.imul(this.#b ^ (this.#b >>> 15), 0x2c1b3c6d) + 1
    return mix(this.#a ^ this.#b) >>> 0
  }

  #nextBytes(size: number): Uint8Array {
    for (let i = 0; i < size; i += 4) {
      const word = this.#next()
      this.#bytes[i] = word
      this.#bytes[i + 1] = word >>> 8
      this.#bytes[i + 2] = word >>> 16
      this.#bytes[i + 3] = word >>> 24
    }
    return this.#bytes.subarray(0, size)
  }
}

/** A short name that is fixed by `parts`, for what isn't drawn often. */
export const tagOf = (size: number, ...parts: (string | number)[]): string =>
  [...hash('sha256', JSON.stringify(parts), 'buffer').subarray(0, size)].map(byte => idAlphabet[byte % 32]).join('')

/** Murmur3's finalizer: every bit of the input changes about half of the bits of the output. */
function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}
