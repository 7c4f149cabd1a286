/** /docs: every operation with its lines to paste, its fields, an answer, its errors, and a form to try it. */
import { errorCases, statusOf } from '../../contracts/errors.ts'
import { examples } from '../../contracts/examples.ts'
import { errorsOf, type Operation, type OperationId, operations } from '../../contracts/operations.ts'
import { type Markup, markup, nothing, raw } from '../../reports/markup.ts'
import { block, clauseLinks, credentials, page, table, tryIt } from './frame.ts'
import { curl, fetchClip, keyHeader, makeCompletedJob, makeJob, type Place, takeField, tokenHeader } from './lines.ts'

export function operationsPage(place: Place): string {
  const all = Object.entries<Operation>(operations) as [OperationId, Operation][]
  const tags = [...new Set(all.map(([, { tag }]) => tag))]
  const contents = tags.flatMap(tag =>
    all
      .filter(([, operation]) => operation.tag === tag)
      .map(
        ([id, { method, path, summary }], i) =>
          markup`<tr><td class="quiet">${i === 0 ? tag : ''}</td><td class="method">${method}</td><td><a href="#${id}"><code>${path}</code></a></td><td>${summary}</td></tr>`,
      ),
  )
  return page(
    '/docs',
    'Operations',
    markup`<p>What this mock answers at <code>${place.base}</code>. The lines can be pasted as they are, and <em>Try it</em> sends a call from here, with this key:</p>
${credentials(true)}<div class="contents">${table([], contents)}</div>${all.map(([id, operation]) => section(id, operation, place))}`,
  )
}

function section(id: OperationId, operation: Operation, place: Place): Markup {
  const { method, path, summary, clauses, auth, tag } = operation
  const errors = errorsOf(operation).map(
    name =>
      markup`<tr><td>${statusOf(name)}</td><td><a href="/docs/errors#${name}"><code>${errorCases[name].code}</code></a></td><td>${errorCases[name].message}</td><td>${errorCases[name].action}</td></tr>`,
  )
  const isUpload = tag === 'uploads'
  const body = isUpload ? 'file' : bodyOf(operation)
  const query = Object.keys((operation.query as Shape | undefined)?.properties ?? {})
  const needs = auth === 'admin' ? markup` <span class="badge">X-Admin-Token</span>` : nothing
  return markup`<section id="${id}"><h2><span class="method">${method}</span> <code>${path}</code>${needs}</h2>
<p>${summary}. ${clauseLinks(clauses)}</p>
${block(linesFor(id, operation, place))}
${tryIt({ method, path, query, body, auth: auth === 'admin' ? 'token' : auth === 'none' ? 'none' : 'key' })}
${fieldsOf('Query', operation.query)}${isUpload ? nothing : fieldsOf('Body', operation.body)}${exampleOf(operation)}
<details><summary>Errors</summary>${table(['HTTP', 'code', 'message', 'what to do'], errors)}</details></section>`
}

interface Shape {
  title?: string
  required?: readonly string[]
  properties?: Record<string, { type?: string | string[]; enum?: unknown[]; default?: unknown; description?: string }>
}

function fieldsOf(title: string, schema: unknown): Markup {
  const { properties = {}, required = [] } = (schema ?? {}) as Shape
  const rows = Object.entries(properties).map(([name, field]) => {
    const type = field.enum ? field.enum.join(' | ') : [field.type ?? 'object'].flat().join(' or ')
    const note = required.includes(name) ? 'required' : field.default === undefined ? '' : `default ${field.default}`
    return markup`<tr><td><code>${name}</code></td><td>${type}</td><td>${note}</td><td>${field.description ?? ''}</td></tr>`
  })
  return rows.length === 0
    ? nothing
    : markup`<details${rows.length > 6 ? nothing : raw(' open')}><summary>${title}</summary>${table([], rows)}</details>`
}

const exampleNamed = (schema: unknown): object | undefined =>
  (examples as Record<string, object>)[(schema as Shape | undefined)?.title ?? '']

function exampleOf({ answer }: Operation): Markup {
  const example = exampleNamed(answer)
  return example === undefined
    ? nothing
    : markup`<details><summary>Answer</summary>${block(JSON.stringify(example, null, 2))}</details>`
}

/** The example of a body, with a video that any mock knows: the upload of the example is nobody's. */
function bodyOf({ body }: Operation): object | undefined {
  const example = exampleNamed(body)
  return example && 'video_url' in example ? { ...example, video_url: 'https://example.com/cat.mp4' } : example
}

/** Lines to paste, and before them those that make what the call is about. */
function linesFor(id: OperationId, operation: Operation, place: Place): string {
  const { path, auth, method } = operation
  const header = auth === 'admin' ? [tokenHeader] : auth === 'none' ? [] : [keyHeader]
  const call = curl(place, path.replace('{job_id}', '$JOB'), header, bodyOf(operation))
  const upload = curl(place, path, [...header, '-F file=@short.mp4'])
  const lines: { [Id in OperationId]?: string } = {
    uploadVideo: `${fetchClip(place)}\n${upload}`,
    uploadVideoLegacy: `${fetchClip(place)}\n${upload}`,
    startJob: `${makeJob(place, { auto_start: false })}\n${call}`,
    getJob: `${makeJob(place)}\n${call}`,
    getDownload: `${makeCompletedJob(place)}\n${call}`,
    getOutputFile: `${makeCompletedJob(place)}\n${curl(place, `/files/outputs/$JOB/output.webm`, ['-o output.webm'])}`,
    getUploadedFile: `${fetchClip(place)}\n${takeField(
      'VIDEO',
      curl(place, '/v1/uploads', [keyHeader, '-F file=@short.mp4']),
      'video_url',
    )}\ncurl -s${place.tls} "$VIDEO" -o uploaded.mp4`,
    disableAdminKey: adminKeyLines(place, path),
    enableAdminKey: adminKeyLines(place, path),
  }
  return lines[id] ?? (method === 'POST' && operation.body === undefined ? `${call} -X POST` : call)
}

const adminKeyLines = (place: Place, path: string): string => {
  const made = curl(place, '/v1/admin/keys', [tokenHeader], exampleNamed(operations.createAdminKey.body))
  const json = `-H 'Content-Type: application/json' -d "{\\"key_fingerprint\\":\\"$FINGERPRINT\\"}"`
  return `${takeField('FINGERPRINT', made, 'key_fingerprint')}\n${curl(place, path, [tokenHeader, json])}`
}
