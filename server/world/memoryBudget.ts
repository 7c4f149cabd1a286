/** Bounds of memory over all worlds of a mock. */

/** Something of one world that can give memory back. */
export interface MemoryHolder {
  /** What it holds, roughly. */
  readonly bytes: number
  /** Lets go of so many bytes or more, the oldest first, where it has them to give; returns how many it let go of. */
  evictBytes(bytes: number): number
}

/**
 * What all holders of one kind may take together. When that is used up, the largest of them give first: a world that was
 * quiet keeps what it has.
 */
export class MemoryBudget {
  readonly maxBytes: number
  readonly #holders = new Set<MemoryHolder>()
  #bytes = 0

  constructor(maxBytes: number) {
    this.maxBytes = maxBytes
  }

  add(holder: MemoryHolder): void {
    this.#holders.add(holder)
  }

  remove(holder: MemoryHolder): void {
    this.#holders.delete(holder)
  }

  /** Counts what a holder took, or gave back; makes room where that was too much. */
  use(bytes: number): void {
    this.#bytes += bytes
    if (bytes > 0) this.makeRoomFor(0)
  }

  /** Whether so many bytes more fit, after all that can go has gone. */
  makeRoomFor(bytes: number): boolean {
    while (this.#bytes + bytes > this.maxBytes) if (!this.#evict()) return false
    return true
  }

  /** Some more than is needed, so that it isn't looked for again with the next call; false where nobody has anything to give. */
  #evict(): boolean {
    const wanted = Math.ceil(this.maxBytes / 64)
    let largest: MemoryHolder | undefined
    for (const holder of this.#holders) if (!largest || holder.bytes > largest.bytes) largest = holder
    if (largest === undefined) return false
    if (largest.evictBytes(wanted) > 0) return true
    // It can't let go of any of it: then whoever can, the largest first.
    const others = [...this.#holders].sort((a, b) => b.bytes - a.bytes)
    return others.some(holder => holder.evictBytes(wanted) > 0)
  }
}

/** What an object, or a list, takes beside what is in it. */
const objectBytes = 48

/** What a value of JSON takes in memory, roughly. */
export function sizeInMemory(value: unknown): number {
  if (typeof value === 'string') return value.length + 16
  if (typeof value !== 'object' || value === null) return 8
  let bytes = objectBytes
  // Each create comes through here: no list of its fields is made.
  for (const name in value) bytes += name.length + sizeInMemory((value as Record<string, unknown>)[name])
  return bytes
}
