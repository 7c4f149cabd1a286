/** The errors that the API throws on purpose. Each class has a `name` and a `code`, which stay as they are. */

/** What they have in common: `error instanceof UnderstudyError` tells them from a bug. */
export abstract class UnderstudyError extends Error {
  abstract readonly code: `ERR_${string}`
}

/** The mock refused a command: an unknown job or request, a state that no documented way leads to. */
export class ControlError extends UnderstudyError {
  override readonly name = 'ControlError'
  readonly code = 'ERR_CONTROL'
  /** What the control route answers: 400, 404, … */
  readonly status: number

  constructor(message: string, status: number) {
    super(message)
    this.status = status
  }
}

/** waitFor() or fired(): it did not happen in time. The message has what did happen. */
export class WaitTimeoutError extends UnderstudyError {
  override readonly name = 'WaitTimeoutError'
  readonly code = 'ERR_WAIT_TIMEOUT'
}

/** journal.count() can't tell, as entries were evicted. Ask with a later `since`, or raise journalEntries. */
export class JournalEvictedError extends UnderstudyError {
  override readonly name = 'JournalEvictedError'
  readonly code = 'ERR_JOURNAL_EVICTED'
}
