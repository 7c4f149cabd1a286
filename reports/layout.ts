/** Longer lines are hard to read, however wide the terminal is. */

import { oneLine } from '../base/text.ts'
import { type Paint, paintWith } from './ansi.ts'
export const widest = 110

export interface PrettyOptions {
  color?: boolean
  width?: number
}

export interface Layout {
  paint: Paint
  width: number
}

export const layoutOf = ({ color = false, width = 80 }: PrettyOptions = {}): Layout => ({
  paint: paintWith(color),
  width: Math.max(40, Math.min(width, widest)),
})

/** Those that have a line, with an empty one between them. */
export const paragraphs = (all: readonly string[][]): string =>
  `${all
    .filter(lines => lines.length > 0)
    .map(lines => lines.join('\n'))
    .join('\n\n')}\n`

export function verdict({ ok, why }: { ok: boolean; why: string }, { paint }: Layout): string[] {
  // Not wrapped: whoever reads the last line of a log wants all of it.
  return [paint.bold((ok ? paint.green : paint.red)(oneLine(why)))]
}

export const indent = (lines: string[]): string[] => lines.map(line => (line === '' ? line : `  ${line}`))
