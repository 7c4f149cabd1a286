/** GO-5: a silent server is given up some time. */
import { isSilent } from '../client.ts'
import { broke, type ConductRule, callText, kept, type RuleFinding, time } from '../rule.ts'
import { isWaiting } from './errors.ts'

/** Nothing that the API does takes so long: a job is accepted at once, and polled for. */
const longestMs = 60_000

export const timeOut: ConductRule = {
  id: 'calls.time-out',
  level: 'should',
  since: '2026-12',
  clauses: ['GO-5'],
  title: 'A call that gets no answer, or no more of one, is given up within a minute',
  advice:
    'Set a time-out: most HTTP libraries have none, or one of minutes, and in many it ends with the head. It has to cover the body too, as AbortSignal.timeout() does.',
  provoke: ['no-answer', 'download-stalls'],
  judge: (client, { stoppedAt }) =>
    client.calls.flatMap((call): RuleFinding[] => {
      if (!isSilent(call)) return []
      const waited = call.endedAt - call.at
      const where = call.cut?.when === 'in_body' ? 'for the rest of the body' : 'for an answer'
      const said = `waited ${time(waited)} ${where} to ${callText(call)}`
      if (waited > longestMs) return [broke(isWaiting(call, stoppedAt) ? `${said}, and had not given up` : said, call)]
      return isWaiting(call, stoppedAt) ? [] : [kept(`${said}, and gave up`, call)]
    }),
  reason: client =>
    client.calls.some(isSilent) ? 'a call was never answered, but the client was not watched for a minute' : undefined,
}
