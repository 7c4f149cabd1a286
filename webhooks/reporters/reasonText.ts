/** What several reporters read off a receiver's grade in the same way. */
import type { ReceiverResult } from '../report.ts'

/** Why it was not tried, and what it would take: "no second secret was given (needs --next-secret)". Empty: it was. */
export const reasonText = ({ reason = '', needs }: ReceiverResult): string =>
  needs === undefined ? reason : `${reason} (needs ${needs})`
