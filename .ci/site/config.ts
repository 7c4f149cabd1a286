/** The site's looks and its plugins: VitePress with local search, and diagrams that are drawn when the site is built. */
import { join } from 'node:path'
import { renderMermaidSVG } from 'beautiful-mermaid'
import type { DefaultTheme, UserConfig } from 'vitepress'
import { packageRoot, packageVersion, siteFolder } from '../../base/paths.ts'
import { anchorOf } from '../docs/links.ts'
import { sidebar, sourceFolder } from './source.ts'

/** Where the mock serves it. */
export const siteBase = '/docs/guide/'

export const siteConfig: UserConfig<DefaultTheme.Config> = {
  title: 'Understudy',
  description: 'A mock server and contract test harness for a video-background-removal API',
  base: siteBase,
  // None: a browser would ask the mock for one.
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: sourceFolder,
  outDir: siteFolder,
  cacheDir: join(packageRoot, 'node_modules', '.cache', 'site'),
  // The data of all pages is one script for all, not a part of each page.
  metaChunk: true,
  markdown: {
    anchor: { slugify: anchorOf },
    // The blocks of the docs name what runs them after the language; a prompt is not for the clipboard.
    languageAlias: { console: 'shellsession', yml: 'yaml' },
    theme: { light: 'github-light', dark: 'github-dark' },
    config(md) {
      const fence = md.renderer.rules.fence
      md.renderer.rules.fence = (tokens, i, ...rest) => {
        const token = tokens[i]
        if (token?.info.trim() === 'mermaid') return diagram(token.content)
        return fence?.(tokens, i, ...rest) ?? ''
      }
    },
  },
  themeConfig: {
    nav: [
      { text: 'Guide', link: '/first-steps.md', activeMatch: '^/(?!reference/)' },
      { text: 'Reference', link: '/reference/cli.md', activeMatch: '^/reference/' },
      // The mock's own page: not one of the site, so the browser goes there.
      { text: 'API reference', link: '/api.html', target: '_self' },
      { text: packageVersion, link: '/project/changelog.md' },
    ],
    sidebar: sidebar(),
    outline: { level: [2, 3] },
    search: { provider: 'local' },
    docFooter: { prev: 'Before', next: 'Next' },
  },
}

/** In the site's own colours, light and dark; without the font of another host that the renderer asks for. */
function diagram(code: string): string {
  const svg = renderMermaidSVG(code, { bg: 'var(--vp-c-bg)', fg: 'var(--vp-c-text-1)', transparent: true })
    .replace(/@import url\([^)]*\);/, '')
    .replace(/'Inter', /, '')
  // As text, since a style would have no place in a component.
  const text = JSON.stringify(svg).replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
  return `<div class="diagram" v-html="${text}"></div>\n`
}
