/** `understudy-mock/webhooks`: grades a receiver of webhooks by its answers. */
export type { ReceiverCheck } from './checks.ts'
export type { ReceiverSettings } from './options.ts'
export type { ReceiverReport, ReceiverResult } from './report.ts'
export { type ReceiverReporter, receiverReporters } from './reporters/index.ts'
export { checkReceiver, type ReceiverOptions } from './run.ts'
