/**
 * /__mock/incident and /__mock/incidents: what happened, as one zip file without secrets, and such a file (or a recording
 * of another tool) opened again: read like the journal, judged by `check` and `conduct`.
 */
import { strFromU8, strToU8, unzipSync, zipSync } from 'fflate'
import { isSecretHeader, redactBody, redacted, redactUrl } from '../../base/redaction.ts'
import { bugReportFiles } from '../../client/bugReport.ts'
import type { JournalRow, OpenedIncident } from '../../client/desk.ts'
import type { ExchangeEntry, JournalEntry, WebhookEntry, WorldSelector } from '../../client/mock.ts'
import { conduct } from '../../conduct/fromRecording.ts'
import { parse } from '../../contracts/answers.ts'
import { routeOf } from '../../contracts/operations.ts'
import type { WebhookEventName } from '../../contracts/schemas.ts'
import type { HarEntry } from '../../recordings/har.ts'
import { RecordingSecrets, read } from '../../recordings/observations.ts'
import { type HarSource, openHar } from '../../recordings/read.ts'
import { lowerCase, type RecordedCall, type RecordedWebhook } from '../../recordings/traffic.ts'
import { checkRecording } from '../../suite/checkRecording.ts'
import { apiError } from '../errors.ts'
import { journalHar } from '../journalHar.ts'
import type { Mock } from '../mock.ts'
import { readTrace } from '../trace.ts'
import { asRefused, withFile } from './drafts.ts'
import { bugReport } from './report.ts'

/** The zip of `understudy report`, made by the mock itself: report.json, journal.har, a snapshot of each world. */
export function incidentZip(mock: Mock, selector: WorldSelector, target: string): Uint8Array {
  const files = bugReportFiles(bugReport(mock, selector), [...journalHar(mock, selector, target)].join(''))
  const packed = Object.entries(files).map(([name, text]) => [name, strToU8(text)])
  return zipSync(Object.fromEntries(packed), { level: 3 })
}

/** A mock keeps this many open. */
const maxOpened = 5
/** A page shows no more. */
const maxEntries = 10_000

/** Opens a zip or a recording (HAR). Throws for one that can't be read as such. */
export function openIncident(mock: Mock, name: string, bytes: Uint8Array): OpenedIncident {
  const own = name.replace(/[^\w.-]+/g, '_').slice(-80) || 'recording.har'
  const found = asRefused('the file', () => withFile(own, bytes, file => readIncident(file, name)))
  const opened = { id: String(mock.nextIncident++), name: name.slice(0, 200), about: aboutOf(bytes), ...found }
  mock.incidents.set(opened.id, opened)
  const oldest = mock.incidents.keys().next()
  if (mock.incidents.size > maxOpened && !oldest.done) mock.incidents.delete(oldest.value)
  return opened
}

function readIncident(file: string, name: string): Omit<OpenedIncident, 'id' | 'name' | 'about'> {
  const source = openHar(file)
  try {
    return {
      ...shownOf(source),
      check: orError(file, name, () => checked(file)),
      conduct: orError(file, name, () => ({ ...conduct(file), source: name })),
    }
  } finally {
    source.close()
  }
}

function checked(file: string): Exclude<OpenedIncident['check'], { error: string }> {
  const { summary, clauses } = checkRecording(file)
  const told = clauses.map(({ id, verdict, text, evidence }) => ({
    id,
    verdict,
    title: text,
    findings: evidence.filter(({ passed }) => !passed).map(({ expected, found }) => `${expected}; found ${found}`),
  }))
  return { summary, clauses: told }
}

export function findIncident({ incidents }: Mock, id: string): OpenedIncident {
  const found = incidents.get(id)
  if (found) return found
  throw apiError('control_not_found', `no incident ${JSON.stringify(id)} is open; open its file again`)
}

function orError<T>(file: string, name: string, judge: () => T): T | { error: string } {
  try {
    return judge()
  } catch (error) {
    return { error: (error as Error).message.replaceAll(file, name) }
  }
}

/** What a report of ours says of the mock; null for another tool's. */
function aboutOf(bytes: Uint8Array): Record<string, unknown> | null {
  if (bytes[0] !== 0x50 || bytes[1] !== 0x4b) return null
  const limit = 64 * 1024 * 1024
  const files = unzipSync(bytes, { filter: ({ name, originalSize }) => name === 'report.json' && originalSize < limit })
  const text = files['report.json']
  const found = text === undefined ? undefined : parse(strFromU8(text))
  return typeof found === 'object' && found !== null ? (found as Record<string, unknown>) : null
}

function shownOf(source: HarSource): Pick<OpenedIncident, 'rows' | 'entries' | 'left_out'> {
  const secrets = new RecordingSecrets()
  const all = [...source.entries()]
  for (const entry of all) secrets.add(entry)
  const clean = secrets.redact()
  const leftOut = Math.max(0, all.length - maxEntries)
  const entries = all.slice(leftOut).map((entry, i) => entryOf(entry, read(entry, leftOut + i, source), clean))
  return { entries, rows: entries.map(rowOfEntry), left_out: leftOut }
}

type Clean = (text: string) => string

function entryOf(entry: HarEntry, traffic: RecordedCall | RecordedWebhook, clean: Clean): JournalEntry {
  const { request, response } = entry
  const common = {
    seq: traffic.number,
    time: new Date(traffic.at).toISOString(),
    world: traffic.key,
    job_id: traffic.jobId ?? null,
    ...traceOf(request.headers),
    status: Math.max(0, traffic.status),
    ms: Math.round((entry.time ?? 0) * 1000) / 1000,
    ...(traffic.fault !== undefined && { fault: traffic.fault }),
    request: { headers: shownHeaders(request.headers, clean), body: bodyOf(request.postData?.text, clean) },
  }
  if (traffic.kind === 'webhook')
    return {
      kind: 'webhook',
      ...common,
      url: clean(redactUrl(traffic.url)),
      delivery_id: traffic.deliveryId,
      event: traffic.event as WebhookEventName,
      attempt: traffic.attempt ?? 1,
      error: traffic.error ?? null,
      next_try_at: null,
    } satisfies WebhookEntry
  const file = request.postData?.params?.find(({ fileName }) => fileName !== undefined)
  const { _body_file: kept } = file ?? {}
  return {
    kind: 'exchange',
    ...common,
    url: clean(redactUrl(traffic.path)),
    request_id: traffic.requestId ?? '',
    method: request.method,
    route: routeOf(traffic.operation) ?? null,
    aborted: traffic.cut?.by === 'client',
    ...(traffic.scenario !== undefined && { scenario: traffic.scenario }),
    // What X-Mock-Rule says where none fired.
    ...(traffic.rule !== undefined && traffic.rule !== 'none' && { rule: traffic.rule }),
    ...(file && {
      upload: {
        filename: file.fileName ?? '',
        size: kept?.size ?? file.value?.length ?? 0,
        type: file.contentType ?? '',
        sha256: kept?.sha256 ?? '',
      },
    }),
    ...(response.status > 0 && {
      response: { headers: shownHeaders(response.headers, clean), body: bodyOf(traffic.text, clean) },
    }),
  } satisfies ExchangeEntry
}

function traceOf(headers: HarEntry['request']['headers']): { trace_id?: string } {
  const { traceparent } = lowerCase(headers)
  const trace = traceparent === undefined ? undefined : readTrace(traceparent, undefined)
  return trace === undefined ? {} : { trace_id: trace.traceId }
}

const shownHeaders = (pairs: HarEntry['request']['headers'], clean: Clean): Record<string, string> =>
  Object.fromEntries(
    Object.entries(lowerCase(pairs)).map(([name, value]) => [name, isSecretHeader(name) ? redacted : clean(value)]),
  )

const maxText = 64 * 1024

function bodyOf(text: string | undefined, clean: Clean): unknown {
  if (text === undefined || text === '') return undefined
  const shown = redactBody(text.slice(0, maxText), '', clean)
  return text.length > maxText ? `${shown}… (cut)` : (parse(shown) ?? shown)
}

function rowOfEntry(entry: JournalEntry): JournalRow {
  const { seq, time, url, status, ms, world, job_id, trace_id, fault } = entry
  const common = { seq, time, url, status, ms, world, job_id, trace_id, fault }
  if (entry.kind === 'webhook') {
    const { kind, delivery_id, event, attempt, error } = entry
    return { ...common, kind, method: 'POST', route: null, delivery_id, event, attempt, said: error ?? undefined }
  }
  const { kind, method, route, request_id, scenario, rule, response, aborted } = entry
  const { code, message } = ((response?.body as { error?: { code?: string; message?: string } } | undefined)?.error ??
    {}) as { code?: string; message?: string }
  return {
    ...common,
    kind,
    method,
    route,
    request_id,
    scenario,
    rule,
    ...(aborted && { aborted }),
    ...(typeof code === 'string' && { code, said: String(message ?? '') }),
  }
}
