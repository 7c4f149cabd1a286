/** `npm run build:desk`: the desk as files for a browser in dist/desk. Preact needs no plugin: it is JSX alone. */
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vite'

const folder = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

export default defineConfig({
  root: folder('.'),
  // The mock may stand below a proxy's prefix: every file is found by where the page is.
  base: './',
  publicDir: false,
  logLevel: 'warn',
  build: {
    outDir: folder('../dist/desk'),
    emptyOutDir: true,
    target: ['chrome122', 'firefox123', 'safari17.4'],
    // Not as data: in a style, so that the page's policy can be strict.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    rolldownOptions: { checks: { pluginTimings: false } },
  },
})
