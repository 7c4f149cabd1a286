/** SARIF, written once: a verb gives its rules, each with its results and where they are. */
import { formatJson, oneLine, shorten, visible } from '../base/text.ts'
import { operations, operationsAt } from '../contracts/operations.ts'

/** What viewers lead to from a result. */
const homepage = 'https://www.npmjs.com/package/understudy-mock'

/** A rule, with the results that break it. */
export interface SarifRule {
  id: string
  /** In a line, with the id. */
  title: string
  text: string
  help: string
  level: 'note' | 'warning' | 'error'
  tags: readonly string[]
  results: readonly SarifResult[]
}

export interface SarifResult {
  message: string
  place: SarifPlace
  /** What makes it the same result again in another run. */
  identity: readonly string[]
}

export interface SarifRun {
  understudy: string
  ok: boolean
  why: string
  /** false: it was stopped before its end. */
  complete?: boolean
  started_at?: string
  properties: Readonly<Record<string, string | number>>
  /** What is wrong with the run beside the results. */
  notifications: readonly { level: 'warning' | 'error'; text: string }[]
}

/** SARIF 2.1.0, as GitHub's code scanning takes it. */
export function sarifText(run: SarifRun, rules: readonly SarifRule[]): string {
  const { understudy, ok, why, complete = true, started_at, properties, notifications } = run
  const document = {
    tool: {
      driver: { name: 'Understudy', version: visible(understudy), informationUri: homepage, rules: rules.map(ruleOf) },
    },
    invocations: [
      {
        executionSuccessful: complete,
        exitCode: ok ? 0 : 1,
        exitCodeDescription: visible(why),
        ...(started_at !== undefined && { startTimeUtc: started_at }),
        toolExecutionNotifications: notifications.map(({ level, text }) => ({ level, message: plain(text) })),
      },
    ],
    properties,
    results: rules.flatMap(({ id, level, results }, ruleIndex) =>
      results.map(({ message, place, identity }) => ({
        ruleId: id,
        ruleIndex,
        level,
        message: plain(message),
        ...located(place, identity),
      })),
    ),
  }
  return formatJson({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [document] })
}

const ruleOf = ({ id, title, text, help, level, tags }: SarifRule) => ({
  id,
  shortDescription: plain(shorten(title, 250)),
  fullDescription: plain(text),
  help: plain(help),
  helpUri: `${homepage}#${id.toLowerCase().replace(/[^\w.-]+/g, '-')}`,
  defaultConfiguration: { level },
  properties: { tags },
})

export interface SarifPlace {
  name: string
  path: string
}

/** Where a result is, and by what it is known to be the same result again. */
function located({ name, path }: SarifPlace, identity: readonly string[]) {
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
  const [documented] = operationsAt(path)
  const shown = (documented && operations[documented].path) ?? shorten(visible(path), 200)
  return { name: `${oneLine(method)} ${shown}`, path: encodeURI(shown.replace(/^\/+/, '')) || 'root' }
}

/** Of what no request tells. */
export const noPlace = (folder: string, id: string): SarifPlace => ({
  name: oneLine(id),
  path: `${folder}/${encodeURI(oneLine(id))}`,
})

export const pathOf = (url: string): string => (URL.canParse(url) ? new URL(url).pathname : url)

/** A message in which nothing is a placeholder ({0}) or a link ([text](url)), as a viewer would take it. */
const plain = (text: string) => ({
  text: visible(text)
    .replace(/\{(\d+)\}/g, '{ $1 }')
    .replaceAll('](', '] ('),
})
