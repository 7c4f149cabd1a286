/** What `import … from 'understudy'` gives. */
export { type Clause, type ClauseId, clauses } from '../contracts/clauses.ts'
export { type ErrorCase, type ErrorCode, errorCases, errorClasses, errorCodes } from '../contracts/errors.ts'
export { buildOpenApi } from '../contracts/openapi.ts'
export { type Operation, type OperationId, operations } from '../contracts/operations.ts'
export * as schemas from '../contracts/schemas.ts'
export { ConfigError, type LogLevel, type MockOptions } from './config.ts'
export type { JournalEntry, JournalFilter, JournalPage } from './journalView.ts'
export { type MockClock, type MockJournal, type RunningMock, startMock } from './start.ts'
