/** What the control routes answer that the desk (GET /__mock/) asks: rows, worlds, jobs, numbers, drafts and incidents. */
import type { ConductReport } from '../conduct/report.ts'
import type { Job, JobState, WebhookEventName } from '../contracts/schemas.ts'
import type { ActiveScenario, JournalEntry, KeyState } from './mock.ts'

/** An entry of the journal in a line, without headers and bodies: GET /__mock/journal?view=rows. */
export interface JournalRow {
  seq: number
  kind: 'exchange' | 'webhook'
  /** UTC, ISO 8601, by the world's clock. */
  time: string
  method: string
  /** Path and query of a call, the receiver's URL of a webhook. */
  url: string
  route: string | null
  /** 0: no HTTP answer. */
  status: number
  ms: number
  world: string
  job_id: string | null
  /** Of a call. */
  request_id?: string
  /** Of a webhook. */
  delivery_id?: string
  event?: WebhookEventName
  attempt?: number
  scenario?: string
  rule?: string
  fault?: string
  /** Of an error's envelope. */
  code?: string
  /** The first of its message, or why a webhook failed. */
  said?: string
  aborted?: true
  trace_id?: string
}

export interface RowPage {
  entries: JournalRow[]
  count: number | null
  evicted: number
  complete: boolean
  next: number | null
}

/** A world with its clock and what is switched on: GET /__mock/worlds. */
export interface WorldState extends KeyState {
  /** The key's fingerprint; with X-Mock-World, a slash and its value follow. */
  name: string
  /** Entries that its journal has, and those that had to make room. */
  entries: number
  evicted: number
  /** When the limit's window ends, by the world's clock; null where none is open. */
  rate_limit_ends_at: string | null
  job_limit_ends_at: string | null
  clock: { now: string; frozen: boolean; speed: number }
  active: ActiveScenario
}

export interface WorldList {
  /** The worlds that were called last, newest first. */
  worlds: WorldState[]
  /** How many there are in all. */
  count: number
}

/** What happened to a job, as far as the journal has it: GET /__mock/jobs. */
export interface JobTimeline {
  world: string
  job: Job
  attempt: number
  credits: number
  /** When it began to be processed, is due to move on, and was charged; null where that has not come. */
  processing_at: string | null
  due_at: string | null
  completed_at: string | null
  /** When a client asked for it. */
  polls: { seq: number; time: string; status: number }[]
  deliveries: {
    seq: number
    time: string
    delivery_id: string
    event: WebhookEventName
    attempt: number
    status: number
    error: string | null
  }[]
}

export interface JobList {
  /** Newest first. */
  jobs: JobTimeline[]
  /** How many fit. */
  count: number
}

/** The last 15 minutes: GET /__mock/numbers. Times are real ones, whatever the mock's clock says. */
export interface MockNumbers {
  now: string
  /** The length of a point. */
  step_ms: number
  /** Oldest first; without those in which nothing was answered. */
  points: NumbersPoint[]
  jobs: Record<JobState, number>
  credits: { available: number; reserved: number; charged: number }
  rate_limited: number
  webhooks: { sent: number; failed: number }
}

export interface NumbersPoint {
  at: string
  count: number
  /** The journal's entries in it, from the first to the last: `seq`. */
  from_seq: number
  to_seq: number
  statuses: Record<string, number>
  /** Milliseconds, within a tenth. */
  p50: number
  p95: number
  p99: number
  /** One of the slowest calls in it. */
  slowest: { request_id: string; job_id: string | null; ms: number }
}

/** A scenario made of calls: POST /__mock/scenarios/draft. */
export interface ScenarioDraftAnswer {
  name: string
  yaml: string
  notes: string[]
}

/** What a scenario would have made of calls that were answered already: POST /__mock/scenarios/try. */
export interface ScenarioTrial {
  scenario: string
  /** Each rule, and how many of the calls would have met it. */
  rules: { name: string; fired: number; does: string }[]
  calls: { seq: number; request_id: string; route: string | null; status: number; rule: string | null }[]
  /** What a trial can't tell. */
  notes: string[]
}

/** A recording or an incident that was opened: POST /__mock/incidents. */
export interface OpenedIncident {
  id: string
  /** Its file's name. */
  name: string
  /** What it says of the mock that it is from; null for another tool's. */
  about: Record<string, unknown> | null
  rows: JournalRow[]
  entries: JournalEntry[]
  /** Entries that were not read, as the file has too many. */
  left_out: number
  /** The contract, clause by clause; or why that could not be told. */
  check: { summary: Record<string, number>; clauses: CheckedClause[] } | { error: string }
  conduct: ConductReport | { error: string }
}

export interface CheckedClause {
  id: string
  verdict: string
  title: string
  findings: string[]
}
