/** Creating jobs: what is taken, what it stands for when it is left out, what is answered (JOB-1, JOB-2, JOB-7). */
import { isDeepStrictEqual } from 'node:util'
import { JobCreate } from '../../contracts/schemas.ts'
import { apiError } from '../errors.ts'
import { beforeRoute, beforeValidation, type Json, onAnswer, ownJobOf, rewriteJobs, rewriteJson } from './change.ts'
import type { Mutant } from './mutant.ts'
import type { Mutation } from './mutation.ts'

/** The answer to a create with one thing of it wrong. */
const answering = (id: string, what: string, change: (accepted: Json) => void): Mutant => ({
  id: `create-${id}`,
  breaks: ['JOB-2'],
  what,
  apply: mutation => rewriteJson(mutation, 'createJob', change),
})

const defaulting = (field: keyof typeof JobCreate.properties, value: unknown): Mutant => ({
  id: `default-${field}`,
  breaks: ['JOB-1'],
  also: field === 'auto_start' ? ['JOB-3'] : [],
  what: `${field} is ${value} where nothing is said`,
  apply(mutation) {
    const unsaid = new WeakSet<object>()
    beforeValidation(mutation, 'createJob', request => {
      if ((request.body as Json)?.[field] === undefined) unsaid.add(request)
    })
    changeBody(mutation, body => ({ [field]: value, ...body }))
    rewriteJson(mutation, 'createJob', ({ id }, request) => {
      if (!unsaid.has(request)) return
      mutation.showsLater(id)
      if (field === 'auto_start') mutation.acted(request)
    })
  },
})

const refusing = (
  id: string,
  what: string,
  isRefused: (body: Json) => boolean,
  also: Mutant['also'] = [],
  breaks: Mutant['breaks'] = ['JOB-1'],
): Mutant => ({
  id: `create-refuses-${id}`,
  breaks,
  also,
  what,
  apply: mutation =>
    beforeRoute(mutation, 'createJob', ({ body }) => {
      if (isRefused(body)) throw apiError('invalid_field')
    }),
})

/** What the schema would refuse is made fit for it. */
const taking = (id: string, what: string, change: (body: Json) => Json): Mutant => ({
  id: `create-takes-${id}`,
  breaks: ['JOB-1'],
  what,
  apply: mutation => changeBody(mutation, change, 'acts'),
})

const changeBody = (mutation: Mutation, change: (body: Json) => Json, acts?: 'acts'): void =>
  beforeValidation(mutation, 'createJob', request => {
    if (typeof request.body !== 'object' || request.body === null) return
    const changed = change(request.body)
    if (acts !== undefined && !isDeepStrictEqual(changed, request.body)) mutation.acted(request)
    request.body = changed
  })

const isOf = (field: 'model' | 'output_format', value: unknown): boolean =>
  (JobCreate.properties[field].enum as readonly unknown[]).includes(value)

/** Lets mp4 through with a transparent background, which it then shows. */
function flatten(mutation: Mutation, operation: 'createJob' | 'startJob'): void {
  const flat = new WeakSet<object>()
  beforeRoute(mutation, operation, request => {
    const body = request.body as Json
    const inputs = { ...(operation === 'startJob' && ownJobOf(request)?.view), ...body }
    const isLost = inputs.output_format === 'mp4' && (inputs.background?.type ?? inputs.bg_type) === 'transparent'
    if (!isLost) return
    flat.add(request)
    mutation.acted(request)
    body.background = { type: 'color' }
  })
  onAnswer(mutation, operation, ({ status, body }, request) => {
    const job = status < 300 && flat.has(request) ? request.context.world.jobs.get(body.id) : undefined
    if (!job) return
    job.view.background = undefined
    job.view.bg_type = 'transparent'
    job.json = undefined
  })
}

export const jobMutants: readonly Mutant[] = [
  answering('success-missing', 'a create is answered without success', accepted => {
    delete accepted.success
  }),
  answering('success-text', 'success is a text', accepted => {
    accepted.success = 'true'
  }),
  answering('id-missing', 'the id is called job_id', accepted => {
    accepted.job_id = accepted.id
    delete accepted.id
  }),
  answering('status-missing', 'a create is answered without the status', accepted => {
    delete accepted.status
  }),
  answering('message-missing', 'a create is answered without a message', accepted => {
    delete accepted.message
  }),
  {
    id: 'create-303',
    breaks: ['JOB-2'],
    also: ['GO-1', 'ERR-1'],
    what: 'a create is answered 303 with the job to look at',
    apply: mutation =>
      onAnswer(mutation, 'createJob', answer => {
        if (answer.status !== 200) return
        answer.status = 303
        answer.headers.location = `/v1/jobs/${answer.body.id}`
      }),
  },
  defaulting('model', 'light'),
  defaulting('output_format', 'mov'),
  defaulting('bg_type', 'green'),
  defaulting('auto_start', false),
  refusing('model-human', 'the model human is refused', ({ model }) => model === 'human'),
  refusing('bg-image', 'bg_type image is refused', ({ bg_type }) => bg_type === 'image'),
  refusing('mov', 'output_format mov is refused', ({ output_format }) => output_format === 'mov', ['JOB-7']),
  refusing('composition', 'a composition is refused', ({ composition }) => composition !== undefined),
  refusing('unknown-fields', 'a field that is not documented is refused', body =>
    Object.keys(body).some(name => !(name in JobCreate.properties)),
  ),
  refusing(
    'transparent-webp',
    'webp is said to have no alpha channel',
    ({ output_format, bg_type }) => output_format === 'webp' && bg_type === 'transparent',
    ['JOB-1'],
    ['JOB-7'],
  ),
  taking('any-model', 'a model that there is not is taken', body => ({
    ...body,
    ...(body.model !== undefined && !isOf('model', body.model) && { model: 'original' }),
  })),
  taking('any-format', 'an output_format that there is not is taken', body => ({
    ...body,
    ...(body.output_format !== undefined && !isOf('output_format', body.output_format) && { output_format: 'webm' }),
  })),
  taking('no-video', 'a job needs no video_url', body => ({ video_url: 'https://example.com/none.mp4', ...body })),
  taking('bg-color-pair', 'bg_color may have two numbers', body => ({
    ...body,
    ...(body.bg_color?.length === 2 && { bg_color: [...body.bg_color, 0] }),
  })),
  {
    id: 'metadata-lost',
    breaks: ['GO-7'],
    also: ['JOB-1', 'JOB-5'],
    what: 'metadata is not kept',
    apply: mutation =>
      rewriteJobs(mutation, job => {
        delete job.metadata
      }),
  },
  {
    id: 'bg-color-lost',
    breaks: ['JOB-5'],
    also: ['JOB-1'],
    what: 'bg_color is not kept',
    apply: mutation =>
      rewriteJobs(mutation, job => {
        delete job.bg_color
      }),
  },
  {
    id: 'transparent-mp4-created',
    breaks: ['JOB-7'],
    what: 'a job may be transparent and mp4',
    apply: mutation => flatten(mutation, 'createJob'),
  },
  {
    id: 'transparent-mp4-started',
    breaks: ['JOB-7'],
    what: 'a transparent draft may be started as mp4',
    apply: mutation => flatten(mutation, 'startJob'),
  },
]
