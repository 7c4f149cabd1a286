/** Colours for a terminal, by hand: five of them need no dependency. */

/** Back to the start of the line, and nothing left on it: for a line of progress that is written anew. */
export const clearLine = '\r\x1b[2K'

export interface Paint {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
}

/** With `color` false every one of them gives back its text as it is. */
export function paintWith(color: boolean): Paint {
  const style = (on: number, off: number) => (text: string) => (color ? `\x1b[${on}m${text}\x1b[${off}m` : text)
  return { bold: style(1, 22), dim: style(2, 22), red: style(31, 39), green: style(32, 39), yellow: style(33, 39) }
}
