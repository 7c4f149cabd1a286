/** SARIF 2.1.0: a rule is a clause, a result is a piece of evidence that broke it. */
import { operations } from '../operations.ts'
import type { ClauseResult, Evidence, Report } from '../suite/report.ts'
import { evidenceText, shortfalls } from './shared.ts'
import { json, oneLine, shorten, visible } from './text.ts'

export function sarif(report: Report): string {
  const { understudy, ok, complete, why, started_at, target, profile, seed, clauses } = report
  const run = {
    tool: { driver: { name: 'Understudy', version: visible(understudy), rules: clauses.map(ruleOf) } },
    invocations: [
      {
        executionSuccessful: complete,
        exitCode: ok ? 0 : 1,
        exitCodeDescription: visible(why),
        startTimeUtc: started_at,
        toolExecutionNotifications: shortfalls(report).map(lack => ({ level: 'error', message: plain(lack.why) })),
      },
    ],
    properties: { target, profile, seed },
    results: clauses.flatMap((clause, ruleIndex) =>
      clause.evidence.filter(({ holds }) => !holds).map(evidence => resultOf(report, clause, ruleIndex, evidence)),
    ),
  }
  return sarifText(run)
}

export const sarifText = (run: object): string =>
  json({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] })

const levelOf = ({ level }: ClauseResult): 'warning' | 'error' => (level === 'open' ? 'warning' : 'error')

const ruleOf = (clause: ClauseResult) => ({
  id: clause.id,
  shortDescription: plain(shorten(`${clause.id} ${clause.text}`, 250)),
  fullDescription: plain(clause.text),
  help: plain(clause.text),
  defaultConfiguration: { level: levelOf(clause) },
  properties: { tags: ['api', 'contract', clause.level] },
})

function resultOf(report: Report, clause: ClauseResult, ruleIndex: number, evidence: Evidence) {
  const { request } = evidence
  const place = request ? placeOf(request, pathOf(report.target)) : noPlace('clauses', clause.id)
  // Which item of a list it was is chance.
  const pointer = shorten(evidence.pointer ?? '', 200).replace(/\/\d+(?=\/|$)/g, '/*')
  const identity = [clause.id, evidence.check, place.name, pointer]
  return {
    ruleId: clause.id,
    ruleIndex,
    level: levelOf(clause),
    message: plain(
      `${clause.id} is broken at ${place.name}: expected ${shorten(evidence.expected, 500)}, found ${shorten(evidence.found, 500)}\n\n${evidenceText(report, evidence)}`,
    ),
    ...located(place, identity),
  }
}

export interface Place {
  name: string
  path: string
}

/** Where a result is, and by what it is known to be the same result again. */
export function located({ name, path }: Place, identity: readonly string[]) {
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
export function placeOf({ method, url }: { method: string; url: string }, under = ''): Place {
  const base = under.replace(/\/$/, '')
  const asked = pathOf(url)
  const path = base !== '' && asked.startsWith(`${base}/`) ? asked.slice(base.length) : asked
  const documented = Object.values(operations).find(operation => templateOf(operation.path).test(path))?.path
  const shown = documented ?? shorten(visible(path), 200)
  return { name: `${oneLine(method)} ${shown}`, path: encodeURI(shown.replace(/^\/+/, '')) || 'root' }
}

/** Of what no request tells. */
export const noPlace = (folder: string, id: string): Place => ({
  name: oneLine(id),
  path: `${folder}/${encodeURI(oneLine(id))}`,
})

const pathOf = (url: string): string => (URL.canParse(url) ? new URL(url).pathname : url)

const templateOf = (path: string): RegExp => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`)

/** A message in which nothing is a placeholder ({0}) or a link ([text](url)), as a viewer would take it. */
export const plain = (text: string) => ({
  text: visible(text)
    .replace(/\{(\d+)\}/g, '{ $1 }')
    .replaceAll('](', '] ('),
})
