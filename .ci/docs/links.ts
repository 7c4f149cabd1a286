/** Links of a page that lead nowhere: to a file that is not there, or to a heading that its page does not have. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { packageRoot } from '../../base/paths.ts'

/** `page` is its path from `root`, where a package or a checkout lies. */
export function brokenLinks(page: string, text: string, root = packageRoot): { line: number; text: string }[] {
  const found: { line: number; text: string }[] = []
  let inBlock = false
  for (const [i, line] of text.split('\n').entries()) {
    if (/^ *```/.test(line)) inBlock = !inBlock
    if (inBlock) continue
    for (const [, target = ''] of line.matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:/i.test(target)) continue
      const why = whyBroken(page, text, target, root)
      if (why !== undefined) found.push({ line: i + 1, text: `the link ${target} leads nowhere: ${why}` })
    }
  }
  return found
}

function whyBroken(page: string, text: string, target: string, root: string): string | undefined {
  const [path = '', heading] = target.split('#')
  const file = path === '' ? page : normalize(join(dirname(page), path))
  if (file.startsWith('..') || !existsSync(join(root, file))) return `there is no ${file}`
  if (heading === undefined || !file.endsWith('.md')) return undefined
  const there = file === page ? text : readFileSync(join(root, file), 'utf8')
  return anchorsOf(there).has(heading) ? undefined : `${file} has no heading #${heading}`
}

/** As GitHub makes them; a second one of a name gets -1. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>()
  for (const [, heading = ''] of text.replace(/^ *```[\s\S]*?^ *```/gm, '').matchAll(/^#{1,6} +(.*)$/gm)) {
    const anchor = anchorOf(heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').replace(/`/g, ''))
    let name = anchor
    for (let i = 1; anchors.has(name); i++) name = `${anchor}-${i}`
    anchors.add(name)
  }
  return anchors
}

/** What a heading is linked by, from its plain text: lower case, hyphens for spaces, no punctuation. */
export const anchorOf = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replace(/\s/g, '-')
