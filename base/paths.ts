/** Where the package's own files are, in a checkout as in what is built and shipped. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

function findRoot(folder: string): string {
  if (existsSync(join(folder, 'package.json'))) return folder
  const parent = dirname(folder)
  if (parent === folder) throw new Error('the package.json of understudy-mock is missing above its own code')
  return findRoot(parent)
}

export const packageRoot = findRoot(import.meta.dirname)
export const outputsFolder = join(packageRoot, 'fixtures', 'outputs')
/** The guide as a site: `npm run docs:site` makes it, and the package has it. */
export const siteFolder = join(packageRoot, 'dist', 'site')
/**
 * How a user calls the command from where this package lies: installed in a project, fetched by npx for one call (`npx
 * understudy` would fetch another package then), or in a checkout, where it is not installed.
 */
export const commandLine = !packageRoot.includes('node_modules')
  ? 'npm run -s understudy --'
  : /[\\/](_npx|dlx|bunx)/.test(packageRoot)
    ? 'npx understudy-mock'
    : 'npx understudy'
/** The desk as files for a browser: `npm run build:desk` makes them, and the package has them. */
export const deskFolder = join(packageRoot, 'dist', 'desk')
export const packageVersion: string = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')).version
