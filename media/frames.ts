/** What is known of a video's pictures by counting them. */
export interface Frames {
  /** Pictures. */
  count: number
  /** How long they play; undefined where the file doesn't say how long one stays. */
  ms: number | undefined
}
