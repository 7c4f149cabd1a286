import { formatJson, oneLine, shorten, visible } from '../base/text.ts'
import { operations } from '../contracts/operations.ts'
export const sarifText = (run: object): string =>
  formatJson({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] })

export interface SarifPlace {
  name: string
  path: string
}

/** Where a result is, and by what it is known to be the same result again. */
export function located({ name, path }: SarifPlace, identity: readonly string[]) {
  const fingerprint = identity.map(visible).join(' | ')
  return {
    locations: [
      {
        // GitHub refuses a whole file in which one location is only logical, so the path stands in for a file.
        physicalLocation: { artifactLocation: { uri: path }, region: { startLine: 1 } },
        logicalLocations: [{ name, fullyQualifiedName: name, kind: 'resource' }],
      },
    ],
    // The second name is the only one that GitHub's code scanning looks at.
    partialFingerprints: { 'understudy/v1': fingerprint, primaryLocationLineHash: fingerprint },
  }
}

/** Method and path; the documented path where it is one, so that a job's id does not make it another place. */
export function placeOf({ method, url }: { method: string; url: string }, under = ''): SarifPlace {
  const base = under.replace(/\/$/, '')
  const asked = pathOf(url)
  const path = base !== '' && asked.startsWith(`${base}/`) ? asked.slice(base.length) : asked
  const documented = Object.values(operations).find(operation => templateOf(operation.path).test(path))?.path
  const shown = documented ?? shorten(visible(path), 200)
  return { name: `${oneLine(method)} ${shown}`, path: encodeURI(shown.replace(/^\/+/, '')) || 'root' }
}

/** Of what no request tells. */
export const noPlace = (folder: string, id: string): SarifPlace => ({
  name: oneLine(id),
  path: `${folder}/${encodeURI(oneLine(id))}`,
})

export const pathOf = (url: string): string => (URL.canParse(url) ? new URL(url).pathname : url)

const templateOf = (path: string): RegExp => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`)

/** A message in which nothing is a placeholder ({0}) or a link ([text](url)), as a viewer would take it. */
export const plain = (text: string) => ({
  text: visible(text)
    .replace(/\{(\d+)\}/g, '{ $1 }')
    .replaceAll('](', '] ('),
})
