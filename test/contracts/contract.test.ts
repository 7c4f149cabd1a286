import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Validator } from '@seriousme/openapi-schema-validator'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { packageRoot } from '../../base/paths.ts'
import { clauses } from '../../contracts/clauses.ts'
import { errorCases } from '../../contracts/errors.ts'
import { examples } from '../../contracts/examples.ts'
import { buildOpenApi, envelopeOf } from '../../contracts/openapi.ts'
import { errorsOf, type Operation, operations } from '../../contracts/operations.ts'
import * as schemas from '../../contracts/schemas.ts'
import { HarEntry, HarLog } from '../../recordings/har.ts'
import { escapeMarkup } from '../../reports/markup.ts'
import { controlRoutes } from '../../server/docs/controlRoutes.ts'
import { scenarioSchema } from '../../server/scenarios/format.ts'
import { client, clip, start } from '../support.ts'

const all: Record<string, object> = { ...schemas }
const ajv = new Ajv2020({ strict: false, validateFormats: false })

t.test('every example fits its schema', async t => {
  for (const [title, example] of Object.entries(examples)) {
    const validate = ajv.compile(all[title] as object)
    t.ok(validate(example), `${title} ${ajv.errorsText(validate.errors)}`)
  }
  for (const name of Object.keys(errorCases))
    t.ok(ajv.validate(schemas.ErrorEnvelope, envelopeOf(name as keyof typeof errorCases)))
})

t.test('every schema is one, as nothing looks at that when they are used', async t => {
  for (const [title, schema] of Object.entries({ ...all, HarEntry, HarLog, scenarioSchema }))
    if (typeof schema === 'object' && 'type' in schema)
      t.ok(ajv.validateSchema(schema), `${title} ${ajv.errorsText(ajv.errors)}`)
})

t.test('every clause has a test that names it', async t => {
  const folder = join(packageRoot, 'test', 'clauses')
  const sources = await Promise.all((await readdir(folder)).map(name => readFile(join(folder, name), 'utf8')))
  const named = new Set(
    sources.flatMap(source => [...source.matchAll(/t\.test\(\s*['"`]([A-Z]+-\d+) /g)].map(found => found[1])),
  )
  t.same(
    Object.keys(clauses).filter(id => !named.has(id)),
    [],
  )
})

t.test('every operation and every case cites clauses that exist', async t => {
  const cited = [...Object.values(operations), ...Object.values(errorCases)].flatMap(
    ({ clauses }) => [...clauses] as string[],
  )
  t.same(
    cited.filter(id => !(id in clauses)),
    [],
  )
})

t.test('the OpenAPI document is valid, and has every operation, error and webhook', async t => {
  const mock = await start(t)
  const { status, body } = await client(mock, null).get('/openapi.json')
  t.equal(status, 200)
  const { valid, errors } = await new Validator().validate(body)
  t.ok(valid, JSON.stringify(errors))
  t.same(body, JSON.parse(JSON.stringify(buildOpenApi(body.info.version))))
  for (const [id, operation] of Object.entries<Operation>(operations)) {
    const described = body.paths[operation.path][operation.method.toLowerCase()]
    t.equal(described.operationId, id)
    for (const name of errorsOf(operation)) {
      const answers = Object.values<{ content?: Record<string, { examples?: object }> }>(described.responses)
      t.ok(
        answers.some(answer => name in (answer.content?.['application/json']?.examples ?? {})),
        `${id} tells of ${name}`,
      )
    }
  }
  t.same(Object.keys(body.webhooks), ['job.started', 'job.completed', 'job.failed'])
  const names = body.webhooks['job.failed'].post.parameters.map(({ name }: { name: string }) => name)
  t.same(names, ['X-Webhook-Event', 'X-Webhook-Delivery-Id', 'X-Webhook-Timestamp', 'X-Webhook-Signature'])
})

t.test('the control routes have an OpenAPI document of their own, with a sentence for each', async t => {
  const mock = await start(t)
  const { status, body } = await client(mock, null).get('/__mock/openapi.json')
  t.equal(status, 200)
  const { valid, errors } = await new Validator().validate(body)
  t.ok(valid, JSON.stringify(errors))
  const found = Object.entries<Record<string, { summary: string }>>(body.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { summary }]) => [`${method.toUpperCase()} ${path}`, summary] as const),
  )
  const known = controlRoutes.map(({ method, path }) => `${method} ${path}`).filter(route => /\/__mock/.test(route))
  t.same(found.map(([route]) => route).sort(), known.sort())
  for (const [route, summary] of found) t.match(summary, /^[A-Z][^`]{5,}/, route)
  t.notMatch(JSON.stringify(body), /"reads":/)
  t.equal(body.servers[0].url, mock.url)
})

t.test('DL-3 the OpenAPI document has the types that files come in, 304, 504 and the 404 of admin routes', async t => {
  const mock = await start(t)
  const api = client(mock)
  const { paths } = (await api.get('/openapi.json')).body
  const outputs = paths['/files/outputs/{job_id}/{filename}'].get.responses
  for (const output_format of schemas.outputFormats) {
    const id = await api.job({ output_format, bg_type: 'green' })
    const { headers } = await api.get((await api.get(`/v1/jobs/${id}`)).body.output_url)
    t.ok(
      (headers.get('content-type') as string) in outputs[200].content,
      `${output_format}: ${headers.get('content-type')}`,
    )
  }
  const uploaded = await api.upload(await clip('short.avi'), 'a.avi')
  const { headers } = await api.get(uploaded.body.video_url)
  const uploads = paths['/files/uploads/{video_id}/{filename}'].get.responses
  t.ok((headers.get('content-type') as string) in uploads[200].content)
  const again = await api.get(uploaded.body.video_url, { 'if-none-match': headers.get('etag') as string })
  t.ok(again.status in uploads, String(again.status))
  t.ok((await api.get('/v1/admin/keys')).status in paths['/v1/admin/keys'].get.responses)
  for (const path of ['/health', '/v1/jobs', '/api/pricing', '/v1/usage/summary'])
    t.equal((await api.get(path, { 'x-mock-fault': 'timeout' })).status in paths[path].get.responses, true, path)
})

t.test('what the mock answers fits the schema of its operation', async t => {
  const mock = await start(t, { adminToken: 'token' })
  const api = client(mock)
  const token = { 'x-admin-token': 'token' }
  const uploaded = await api.upload(await clip('short.mp4'))
  const id = await api.job({ webhook_url: `${mock.url}/nowhere` })
  await mock.journal.waitFor({ kind: 'webhook' })
  const created = await api.post('/v1/admin/keys', { client_id: 'c' }, token)
  const fingerprint = { key_fingerprint: created.body.key_fingerprint }
  const answers: Record<string, { status: number; body: unknown }> = {
    uploadVideo: uploaded,
    uploadVideoLegacy: await api.upload(await clip('short.avi'), 'a.avi', '', '/api/upload'),
    createJob: await api.post('/v1/jobs', { video_url: 'https://e.com/a.mp4' }),
    startJob: await api.post(`/v1/jobs/${await api.job({ auto_start: false })}/start`),
    getJob: await api.get(`/v1/jobs/${id}`),
    listJobs: await api.get('/v1/jobs'),
    getDownload: await api.get(`/api/download/${id}`),
    getUsageSummary: await api.get('/v1/usage/summary'),
    getUsageEvents: await api.get('/v1/usage/events'),
    getPricing: await api.get('/api/pricing'),
    getHealth: await api.get('/health'),
    getAdminConfig: await api.get('/v1/admin/config', token),
    listAdminKeys: await api.get('/v1/admin/keys', token),
    createAdminKey: created,
    disableAdminKey: await api.post('/v1/admin/keys/disable', fingerprint, token),
    enableAdminKey: await api.post('/v1/admin/keys/enable', fingerprint, token),
  }
  for (const [name, operation] of Object.entries<Operation>(operations)) {
    if (!operation.answer) continue
    const answer = answers[name]
    t.equal(answer?.status, 200, name)
    const validate = ajv.compile(operation.answer as object)
    t.ok(validate(answer?.body), `${name} ${ajv.errorsText(validate.errors)}`)
  }
})

t.test('the docs are made from the catalogues, and ask no other host for anything', async t => {
  const mock = await start(t)
  const api = client(mock, null)
  for (const path of ['/docs', '/docs/errors', '/docs/clauses', '/docs/test-values']) {
    const { status, headers, body } = await api.get(path)
    t.equal(status, 200, path)
    t.match(headers.get('content-security-policy'), "default-src 'none'")
    t.notMatch(body, /(src|href)="(https?:)?\/\//)
  }
  const errors = (await api.get('/docs/errors')).body
  for (const [name, { message, action }] of Object.entries(errorCases)) {
    t.ok(errors.includes(`id="${name}"`) && errors.includes(message) && errors.includes(escapeMarkup(action)), name)
  }
  const clausesPage = (await api.get('/docs/clauses')).body
  for (const id of Object.keys(clauses)) t.ok(clausesPage.includes(`id="${id}"`), id)
})
