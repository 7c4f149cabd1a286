/** What is known of a video's pictures by counting them. */
export interface Frames {
  /** Pictures. */
  count: number
  /** How long they play; undefined where the file doesn't say how long one stays. */
  ms: number | undefined
}

/** Hours of pictures and sound, more than 500 MB are likely to hold. A file of a million nothings is not counted to its end. */
export const maxCounted = 1_000_000
