/** Who reads what reporters write: an XML parser, a TAP parser, and an eye for fences. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
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

/** By a parser that takes well-formed XML only. */
export function readJunit(xml: string): Suite {
  const program = `
import sys, json, xml.etree.ElementTree as tree
root = tree.fromstring(sys.stdin.buffer.read())
[suite] = root.findall('testsuite')
def case(c):
  kinds = [k for k in c]
  k = kinds[0] if kinds else None
  return {**c.attrib, 'kind': '' if k is None else k.tag, 'message': '' if k is None else k.get('message'), 'text': '' if k is None else k.text or ''}
print(json.dumps({'attributes': suite.attrib, 'properties': {p.get('name'): p.get('value') for p in suite.find('properties')}, 'cases': [case(c) for c in suite.findall('testcase')]}))`
  return JSON.parse(execFileSync('python3', ['-c', program], { input: xml, encoding: 'utf8' })) as Suite
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
