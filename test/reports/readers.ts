/** Who reads what reporters write: an XML parser, a TAP parser, and an eye for fences. */
import { createHash } from 'node:crypto'
import { SaxesParser } from 'saxes'
import { Parser } from 'tap-parser'

interface Testcase {
  classname: string
  name: string
  time: string
  kind: string
  message: string
  text: string
}

export interface Suite {
  attributes: Record<string, string>
  properties: Record<string, string>
  cases: Testcase[]
}

/** By a parser that takes well-formed XML only; anything else is thrown. */
export function readJunit(xml: string): Suite {
  const suites: Suite[] = []
  let one: Testcase | undefined
  let isInside = false
  const parser = new SaxesParser()
  parser.on('error', error => {
    throw error
  })
  parser.on('opentag', ({ name, attributes }) => {
    const suite = suites.at(-1)
    if (name === 'testsuite') suites.push({ attributes, properties: {}, cases: [] })
    else if (name === 'property' && suite) suite.properties[String(attributes.name)] = String(attributes.value)
    else if (name === 'testcase') {
      one = { ...attributes, kind: '', message: '', text: '' } as Testcase
      suite?.cases.push(one)
    }
    // The first of what it has says how it went.
    else if (one?.kind === '') {
      Object.assign(one, { kind: name, message: attributes.message ?? null })
      isInside = true
    }
  })
  parser.on('closetag', ({ name }) => {
    if (name === 'testcase') one = undefined
    if (name === one?.kind) isInside = false
  })
  const text = (value: string) => {
    if (one && isInside) one.text += value
  }
  parser.on('text', text)
  parser.on('cdata', text)
  parser.write(xml).close()
  if (suites.length !== 1) throw new Error(`${suites.length} test suites; expected one`)
  return suites[0] as Suite
}

/** What a TAP parser makes of it; the diagnostics are the caller's own. */
export function readTap<Point>(text: string) {
  const events = Parser.parse(text, { strict: true }) as unknown as [string, unknown][]
  const of = (name: string) => events.filter(([event]) => event === name).map(([, value]) => value)
  return {
    points: of('assert') as Point[],
    comments: of('comment') as string[],
    rest: events
      .map(([event]) => event)
      .filter(event => !['assert', 'comment', 'plan', 'version', 'finish', 'close'].includes(event)),
    version: of('version')[0],
    complete: of('complete')[0] as { ok: boolean; count: number; fail: number; skip: number; plan: { end: number } },
  }
}

/** Lines of Markdown that stand in no fence; every fence has to be closed. */
export function proseOf(text: string): { prose: string[]; isClosed: boolean } {
  let fence = ''
  const prose: string[] = []
  for (const line of text.split('\n')) {
    const ticks = /^ {0,3}(`{3,})/.exec(line)?.[1] ?? ''
    if (fence === '' && ticks === '') prose.push(line)
    else if (fence === '') fence = ticks
    else if (ticks.length >= fence.length && /^ *`+ *$/.test(line)) fence = ''
  }
  return { prose, isClosed: fence === '' }
}

/** Signs that act instead of showing. */
export const acting = /[^\P{C}\n\t]|[\p{Zl}\p{Zp}]/gu

/** In what an HTML report is not whole, or runs or loads more than its own script. */
export function pageProblems(page: string): string[] {
  const scripts = [...page.matchAll(/<script\b[^>]*>(.*?)<\/script/gis)]
  const hash = createHash('sha256').update(String(scripts[0]?.[1])).digest('base64')
  const body = page.slice(page.indexOf('</head>'), page.indexOf('<script>'))
  const stack: string[] = []
  const crossed: string[] = []
  const single = new Set(['meta', 'input', 'rect'])
  for (const [, end, name = '', self] of page
    .replace(/<(style|script)>.*?<\/\1>/gs, '')
    .matchAll(/<(\/?)([a-z]\w*)[^>]*?(\/?)>/g))
    if (end && stack.pop() !== name) crossed.push(name)
    else if (!end && !self && !single.has(name)) stack.push(name)
  return [
    ...(scripts.length === 1 ? [] : [`it has ${scripts.length} scripts`]),
    ...(page.includes(`script-src 'sha256-${hash}'`) ? [] : ['its policy allows another script']),
    ...(page.includes(`http-equiv="Content-Security-Policy" content="default-src 'none'; `)
      ? []
      : ['it has no policy']),
    ...(page.match(/\bsrc\s*=\s*["']|@import|url\(|<(link|iframe|img|object|embed|base)\b/gi) ?? []),
    ...(page.match(/href="(?!#)[^"]*"/g) ?? []),
    ...(body.match(/<[^>]*\son\w+\s*=/gi) ?? []),
    ...[...crossed, ...stack].map(name => `<${name}> is not closed`),
  ]
}
