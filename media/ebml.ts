/** The numbers that WebM and Matroska are made of (RFC 8794). All of it throws a RangeError past the end of the bytes. */

export interface Vint {
  value: number
  /** Bytes that it takes. */
  length: number
  /** A size that its writer did not know, as it wrote live. */
  unknown: boolean
}

/** A number of variable length at a place; an id keeps the bit that marks its length. */
export function vint(view: DataView, at: number, keepMarker: boolean): Vint {
  const first = view.getUint8(at)
  const length = Math.clz32(first) - 23
  if (length > 8) throw new RangeError()
  let value = keepMarker ? first : first & ((1 << (8 - length)) - 1)
  let unknown = value === (1 << (8 - length)) - 1
  for (let i = 1; i < length; i++) {
    const byte = view.getUint8(at + i)
    if (byte !== 0xff) unknown = false
    value = value * 256 + byte
  }
  return { value, length, unknown: unknown && !keepMarker }
}

/** A plain number between two places, most significant byte first. */
export function unsigned(view: DataView, from: number, to: number): number {
  let value = 0
  for (let at = from; at < to; at++) value = value * 256 + view.getUint8(at)
  return value
}
