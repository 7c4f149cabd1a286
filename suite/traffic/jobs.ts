/** JOB-1, JOB-3, JOB-5, JOB-7, CR-3: what a job was made with, and what it shows of it. */

import { redacted } from '../../base/redaction.ts'
import { describeResponse, field } from '../../contracts/answers.ts'
import { models, outputFormats } from '../../contracts/schemas.ts'
import { clausesOfInput } from '../../contracts/shapes.ts'
import { givenBy, type Observed } from '../../recordings/traffic.ts'

import { isAfter, type Look, type Observer } from './observer.ts'

const values: Readonly<Record<string, readonly string[]>> = { model: models, output_format: outputFormats }

export const jobs: Observer = {
  id: 'traffic.jobs',
  title: 'a job is made by the documented fields, and shows what it was made with',
  clauses: ['JOB-1', 'JOB-3', 'JOB-5', 'JOB-7', 'GO-3', 'GO-7', 'CR-3'],
  watch: (look, ledger) => ({
    call(exchange) {
      const { call, index, isGood, hasBody, isWhole } = exchange
      if (!isWhole) return
      if (call.operation === 'createJob' || call.operation === 'startJob') expectInputs(exchange, look)
      if (!isGood || !hasBody || call.jobId === undefined) return
      if (call.operation === 'startJob') {
        const id = field(call, 'id')
        if (typeof id === 'string')
          look(index, ['JOB-3', 'GO-3'], id === call.jobId, `the job that was started: ${call.jobId}`, id, {
            pointer: '/id',
          })
      }
      if (call.operation !== 'getJob') return
      const id = field(call, 'id')
      if (typeof id === 'string') look(index, 'JOB-5', id === call.jobId, call.jobId, id, { pointer: '/id' })
      if (field(call, 'status') === 'failed') {
        const billed = field(call, 'billing_status')
        if (typeof billed === 'string')
          look(index, 'CR-3', billed !== 'charged', 'a failed job is not charged', billed, {
            pointer: '/billing_status',
          })
      }
      const job = ledger.jobs.get(call.jobId)
      // A start that is under way may have changed them.
      if (job?.maker === undefined || job.starts?.some(start => !isAfter(call, start))) return
      for (const [name, given] of [
        ['model', job.model],
        ['output_format', job.format],
      ] as const) {
        const shown = field(call, name)
        if (given === undefined || typeof shown !== 'string' || !values[name]?.includes(given)) continue
        look(index, clausesOfInput(name), shown === given, given, shown, { pointer: `/${name}` })
      }
    },
  }),
}

/** What was given explicitly, and whether it was taken. */
function expectInputs({ call, index, isGood }: Observed, look: Look): void {
  const given = givenBy(call)
  if (given === undefined) return
  const isRefused = call.status === 400 || call.status === 422
  if (!isGood && !isRefused) return
  const said = describeResponse(call)
  const isCreate = call.operation === 'createJob'
  for (const [name, allowed] of Object.entries(values)) {
    const value = given[name]
    if (typeof value !== 'string' || value === redacted) continue
    if (!allowed.includes(value)) look(index, 'JOB-1', isRefused, `a refusal of ${name} ${JSON.stringify(value)}`, said)
    else if (isGood && isCreate) look(index, 'JOB-1', true, `${name} ${value} is taken`, said)
  }
  if (isCreate && given.video_url === undefined)
    look(index, 'JOB-1', isRefused, 'a refusal, as video_url is missing', said)
  // A background of its own may say otherwise.
  if (given.output_format !== 'mp4' || given.bg_type !== 'transparent' || given.background !== undefined) return
  const note = `mp4 and transparent is answered ${call.status}`
  look(index, 'JOB-7', isRefused, '400 invalid_request: MP4 has no alpha', said, { note })
}
