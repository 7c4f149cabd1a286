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
  return json({ $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] })
}

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
  const { name, path } = placeOf(report.target, clause, evidence)
  // Which item of a list it was is chance.
  const pointer = shorten(evidence.pointer ?? '', 200).replace(/\/\d+(?=\/|$)/g, '/*')
  const identity = [clause.id, evidence.check, name, pointer].map(visible).join(' | ')
  return {
    ruleId: clause.id,
    ruleIndex,
    level: levelOf(clause),
    message: plain(
      `${clause.id} is broken at ${name}: expected ${shorten(evidence.expected, 500)}, found ${shorten(evidence.found, 500)}\n\n${evidenceText(report, evidence)}`,
    ),
    locations: [
      {
        // GitHub refuses a whole file in which one location is only logical, so the path stands in for a file.
        physicalLocation: { artifactLocation: { uri: path }, region: { startLine: 1 } },
        logicalLocations: [{ name, fullyQualifiedName: name, kind: 'resource' }],
      },
    ],
    // The second name is the only one that GitHub's code scanning looks at.
    partialFingerprints: { 'understudy/v1': identity, primaryLocationLineHash: identity },
  }
}

/** Method and path; the documented path where it is one, so that a job's id does not make it another place. */
function placeOf(target: string, { id }: ClauseResult, { request }: Evidence): { name: string; path: string } {
  if (request === undefined) return { name: oneLine(id), path: `clauses/${encodeURI(oneLine(id))}` }
  const base = pathOf(target).replace(/\/$/, '')
  const asked = pathOf(request.url)
  const path = base !== '' && asked.startsWith(`${base}/`) ? asked.slice(base.length) : asked
  const documented = Object.values(operations).find(operation => templateOf(operation.path).test(path))?.path
  const shown = documented ?? shorten(visible(path), 200)
  return { name: `${oneLine(request.method)} ${shown}`, path: encodeURI(shown.replace(/^\/+/, '')) || 'root' }
}

const pathOf = (url: string): string => (URL.canParse(url) ? new URL(url).pathname : url)

const templateOf = (path: string): RegExp => new RegExp(`^${path.replace(/\{\w+\}/g, '[^/]+')}$`)

/** A message in which nothing is a placeholder ({0}) or a link ([text](url)), as a viewer would take it. */
const plain = (text: string) => ({
  text: visible(text)
    .replace(/\{(\d+)\}/g, '{ $1 }')
    .replaceAll('](', '] ('),
})
