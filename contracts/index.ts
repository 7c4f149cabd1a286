/**
 * `understudy-mock/contract`: the contract as data. Clauses, operations, errors and schemas of the documented API, and the
 * OpenAPI document that is made from them.
 *
 *     import { clauses, schemas } from 'understudy-mock/contract'
 */
export { type Clause, type ClauseId, clauses } from './clauses.ts'
export { type ErrorCase, type ErrorCode, errorCases, errorClasses, errorCodes } from './errors.ts'
export { buildOpenApi } from './openapi.ts'
export { type Operation, type OperationId, operations } from './operations.ts'
export * as schemas from './schemas.ts'
