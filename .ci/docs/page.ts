/** A page of the documentation as the runner sees it: what each fenced block is, and which output it shows. */

export interface Command {
  /** What is typed, without the `$ `; continued lines are joined as they stand. */
  text: string
  /** The lines shown below it. */
  shown: readonly string[]
  /** Lines of the page, from 1: that of the command, and those of its output from the first to behind the last. */
  line: number
  shownFrom: number
  shownTo: number
}

export type Block =
  | { kind: 'console' | 'server' | 'stop'; line: number; commands: readonly Command[] }
  | { kind: 'file'; line: number; name: string; text: string }
  | { kind: 'program'; line: number; language: Language; text: string }

export const languages = ['js', 'ts', 'py'] as const
export type Language = (typeof languages)[number]

/** What runs; every other language is shown only. */
const running: readonly string[] = ['console', 'yaml', 'json', ...languages]

/** The blocks of a page that run, in their order. Throws for a fence that says what nobody knows. */
export function blocksOf(page: string): Block[] {
  const lines = page.split('\n')
  const blocks: Block[] = []
  for (let at = 0; at < lines.length; at++) {
    const [, indent = '', ticks, language = '', words = ''] = /^( *)(`{3,})(\w*) ?(.*)$/.exec(lines[at] as string) ?? []
    if (ticks === undefined) continue
    const end = lines.findIndex((line, i) => i > at && line.trim() === ticks)
    if (end === -1) throw new Error(`line ${at + 1}: the block has no end`)
    const body = lines.slice(at + 1, end).map(line => line.slice(indent.length))
    const block = blockOf(language, words.trim(), body, at + 1)
    if (block !== undefined) blocks.push(block)
    at = end
  }
  return blocks
}

function blockOf(language: string, words: string, body: string[], line: number): Block | undefined {
  if (!running.includes(language) || words.startsWith('norun')) return undefined
  const file = /^file=(\S+)$/.exec(words)?.[1]
  if (file !== undefined) return { kind: 'file', line, name: file, text: `${body.join('\n')}\n` }
  if (language === 'console') {
    if (!['', 'server', 'stop'].includes(words))
      throw new Error(`line ${line}: \`console ${words}\` is unknown; expected server, stop or norun`)
    return { kind: words === '' ? 'console' : (words as 'server' | 'stop'), line, commands: commandsOf(body, line) }
  }
  if (words !== '') throw new Error(`line ${line}: \`${language} ${words}\` is unknown; expected file=NAME or norun`)
  // A piece of a file that somebody writes is shown, not run.
  if (language === 'yaml' || language === 'json') return undefined
  return { kind: 'program', line, language: language as Language, text: `${body.join('\n')}\n` }
}

/** The commands of a block. What stands above the first one is its own, as below a `stop`. */
function commandsOf(body: readonly string[], line: number): Command[] {
  const commands: Command[] = []
  for (let i = 0; i < body.length; i++) {
    const start = i
    let text = ''
    if ((body[i] as string).startsWith('$ ')) {
      while ((body[i] as string).endsWith('\\') && i + 1 < body.length) i++
      text = body
        .slice(start, i + 1)
        .join('\n')
        .slice(2)
      i++
    }
    const next = body.findIndex((one, k) => k >= i && one.startsWith('$ '))
    const end = next === -1 ? body.length : next
    commands.push({
      text,
      shown: body.slice(i, end),
      line: line + 1 + start,
      shownFrom: line + 1 + i,
      shownTo: line + 1 + end,
    })
    i = end - 1
  }
  return commands
}
