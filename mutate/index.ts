/**
 * `understudy-mock/mutate`: would your tests notice? They are run against mocks that are broken in one place.
 *
 *     import { mutate } from 'understudy-mock/mutate'
 *     const report = await mutate(async ({ url, key }) => myTests(url, key), { sample: 40 })
 */
export { UnderstudyError } from '../base/errors.ts'
export { ConfigError } from '../base/options.ts'
export { type MutationReport, MutationReport as mutationReportSchema, type MutationResult } from './report.ts'
export { type MutateOptions, type MutateProgress, mutate } from './run.ts'
export type { MutatedMock, TestsToRun } from './runners.ts'
