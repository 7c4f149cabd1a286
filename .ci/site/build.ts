/**
 * `npm run docs:site`: README and docs/ as a static site in dist/site, with search, that needs no other host. The mock serves
 * it under /docs/guide/. Pages carry no script of their own, so that they work under `script-src 'self'`.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from 'vitepress'
import { siteFolder } from '../../base/paths.ts'
import { formatSize } from '../../base/text.ts'
import { siteBase } from './config.ts'
import { sourceFolder, writeSource } from './source.ts'

/** A script in a page becomes a file, which all pages share. */
function movedScripts(page: string): string {
  return page.replace(/<script([^>]*)>([^<]+)<\/script>/g, (_, attributes: string, code: string) => {
    const name = `assets/inline.${createHash('sha256').update(code).digest('hex').slice(0, 8)}.js`
    writeFileSync(join(siteFolder, name), code)
    return `<script${attributes} src="${siteBase}${name}"></script>`
  })
}

process.env.NODE_ENV = 'production'
writeSource()
rmSync(siteFolder, { recursive: true, force: true })
mkdirSync(siteFolder, { recursive: true })
await build(import.meta.dirname)
rmSync(sourceFolder, { recursive: true, force: true })

const files = readdirSync(siteFolder, { recursive: true, encoding: 'utf8' }).map(name => join(siteFolder, name))
let bytes = 0
for (const file of files) {
  if (file.endsWith('.html')) writeFileSync(file, movedScripts(readFileSync(file, 'utf8')))
  bytes += statSync(file).size
}
console.log(`${files.filter(file => file.endsWith('.html')).length} pages, ${formatSize(bytes)} in dist/site`)
