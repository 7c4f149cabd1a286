/** The pages of the site, made from README, docs/ and what those link to: VitePress reads them from one folder. */
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, normalize, relative } from 'node:path'
import { packageRoot } from '../../base/paths.ts'
import { pages } from '../docs/pages.ts'

/** What VitePress builds from; gone when the site is built. */
export const sourceFolder = join(packageRoot, 'dist', '.site')

/** Pages outside docs/ that the site has too. */
const others = ['CONTRIBUTING.md', 'CHANGELOG.md', 'SECURITY.md']

/** The path of a page on the site, by its path from the top; undefined for what is no page of it. */
export function sitePath(file: string): string | undefined {
  if (file === 'README.md') return 'index.md'
  if (file === 'docs/README.md') return 'map.md'
  if (file.startsWith('docs/')) return file.slice('docs/'.length)
  return others.includes(file) ? `project/${file.toLowerCase()}` : undefined
}

export interface SidebarGroup {
  text: string
  items: { text: string; link: string }[]
}

/** The groups of docs/README.md, each with the pages that it links to, in their order. */
export function sidebar(): SidebarGroup[] {
  const map = readFileSync(join(packageRoot, 'docs', 'README.md'), 'utf8')
  const groups = map
    .split(/^## /m)
    .slice(1)
    .map(section => ({
      text: section.split('\n', 1)[0] as string,
      items: linksIn(section.replace(/^Next:.*$/m, '')).map(({ text, target }) => ({ text, link: `/${target}` })),
    }))
  const project = { CONTRIBUTING: 'Contributing', CHANGELOG: 'Changelog', SECURITY: 'Security' }
  const last = Object.entries(project).map(([file, text]) => ({ text, link: `/${sitePath(`${file}.md`)}` }))
  return [...groups, { text: 'Project', items: last }]
}

const linksIn = (text: string): { text: string; target: string }[] =>
  [...text.matchAll(/\[([^\]]+)\]\(([^)\s]+\.md)\)/g)].map(([, label = '', target = '']) => ({ text: label, target }))

/** Writes every page, and each file that one links to. */
export function writeSource(): void {
  rmSync(sourceFolder, { recursive: true, force: true })
  for (const page of [...pages(), ...others]) {
    if (page === 'README.md') continue
    write(sitePath(page) as string, withLinks(page, readFileSync(join(packageRoot, page), 'utf8')))
  }
  write('index.md', home())
  write('api.md', apiPage)
}

function write(path: string, text: string): void {
  const file = join(sourceFolder, path)
  mkdirSync(dirname(file), { recursive: true })
  writeFileSync(file, text)
}

/** Every link by where its target lies on the site. What is no page is copied, and linked from the site's top. */
function withLinks(page: string, text: string): string {
  const here = dirname(sitePath(page) as string)
  let inBlock = false
  return text
    .split('\n')
    .map(line => {
      if (/^ *```/.test(line)) inBlock = !inBlock
      if (inBlock) return line
      return line.replace(/\]\(([^)\s]+)\)/g, (all, target: string) => {
        if (/^([a-z]+:|#)/i.test(target)) return all
        const [path = '', hash] = target.split('#')
        const file = normalize(join(dirname(page), path))
        const there = sitePath(file)
        const anchor = hash === undefined ? '' : `#${hash}`
        if (there === undefined) return `](${copied(file)})`
        return file.endsWith('.md') ? `](${dotted(relative(here, there))}${anchor})` : `](${copied(file)})`
      })
    })
    .join('\n')
}

const dotted = (path: string): string => (path.startsWith('.') ? path : `./${path}`)

/** A file as it is; the top folder of what the site serves is VitePress's `public`. */
function copied(file: string): string {
  const from = join(packageRoot, file)
  if (!existsSync(from)) throw new Error(`a page links to ${file}, which is not there`)
  const name = file.replace(/^docs\//, '')
  cpSync(from, join(sourceFolder, 'public', name), { recursive: true })
  return `/${name}`
}

/** The start page: README's first sentence, its picture and what one gets. */
function home(): string {
  const readme = readFileSync(join(packageRoot, 'README.md'), 'utf8')
  const [, lead = ''] = /^\*\*([\s\S]+?)\*\*/m.exec(readme) ?? []
  const [, what = ''] = /^## What you get\n+([\s\S]+?)\n\n/m.exec(readme) ?? []
  const features = what.split(/^- /m).flatMap(item => {
    const [, title, details, label, target] = /^\*\*(.+?)\*\*:? ?([\s\S]*?) \[([^\]]+)\]\((\S+)\)/.exec(item) ?? []
    if (title === undefined || details === undefined || label === undefined || target === undefined) return []
    return [{ title, details: sentence(details), link: `/${sitePath(target)}`, linkText: label }]
  })
  if (lead === '' || features.length === 0) throw new Error('README has no first sentence, or no list of what you get')
  const [tagline = '', ...rest] = lead.replace(/\s+/g, ' ').split(': ')
  const image = /!\[([^\]]*)\]\((\S+)\)/.exec(readme)
  const front = {
    layout: 'home',
    title: 'Understudy',
    hero: {
      name: 'Understudy',
      text: sentence(tagline.replace(/^Understudy is /, '')),
      tagline: sentence(rest.join(': ')),
      actions: [
        { theme: 'brand', text: 'First steps', link: '/first-steps.md' },
        { theme: 'alt', text: 'All pages', link: '/map.md' },
        { theme: 'alt', text: 'API reference', link: '/api.html', target: '_self' },
      ],
    },
    features,
  }
  const picture = image === null ? '' : `\n![${image[1]}](${copied(image[2] as string)})\n`
  // JSON is YAML.
  return `---\n${JSON.stringify(front)}\n---\n${picture}`
}

const sentence = (text: string): string => text.replace(/\s+/g, ' ').replace(/^./, letter => letter.toUpperCase())

/** A running mock answers its API reference in the place of this page. */
const apiPage = `# API reference

A running mock serves its API reference beside these pages. Start one, and open the address that it prints:

\`\`\`sh
npx understudy-mock serve    # then http://127.0.0.1:4010/docs
\`\`\`

Here is the same in tables: [Routes](reference/routes.md) · [Errors](reference/errors.md) · [Clauses](reference/clauses.md)
`
