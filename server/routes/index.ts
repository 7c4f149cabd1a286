/** The route table: every documented operation and what answers it. Method, path and schemas come from the contract. */
import type {
  FastifyInstance,
  FastifyReply,
  FastifyRequest,
  onRequestHookHandler,
  preParsingHookHandler,
  preValidationHookHandler,
} from 'fastify'
import { type Operation, type OperationId, operations } from '../../contracts/operations.ts'
import { ErrorEnvelope } from '../../contracts/schemas.ts'
import type { Mock } from '../mock.ts'
import { refusePacked, unpack } from '../pipeline/contentCoding.ts'
import { openRoute } from '../pipeline/exchange.ts'
import { sendContinue } from '../pipeline/expect.ts'
import { formParser } from '../pipeline/form.ts'
import { claimIdempotency } from '../pipeline/idempotency.ts'
import { requireAdminToken, requireKey, useKeyIfSent } from '../pipeline/key.ts'
import { takeLimits } from '../pipeline/limits.ts'
import { decideScenario, decideWithBody, receiveByRule } from '../pipeline/scenario.ts'
import { answerRecorded, giveBodyBack } from '../playback/answerRecorded.ts'
import { adminConfig, createAdminKey, listAdminKeys, setAdminKey } from './admin.ts'
import { getDownload, getOutputFile, getUploadedFile } from './download.ts'
import { getJob, handleCreateJob, handleStartJob, listJobs } from './jobs.ts'
import { getHealth, getPricing } from './system.ts'
import { refuseDoomedUpload, upload } from './uploads.ts'
import { getUsageEvents, getUsageSummary } from './usage.ts'

// biome-ignore lint/suspicious/noExplicitAny: each handler names the shapes that its own schema has checked
export type Handler = (request: FastifyRequest<any>, reply: FastifyReply) => unknown

const table = (mock: Mock): Record<OperationId, Handler> => ({
  uploadVideo: upload(mock),
  uploadVideoLegacy: upload(mock),
  createJob: handleCreateJob,
  startJob: handleStartJob,
  getJob: getJob,
  listJobs: listJobs,
  getDownload: getDownload(mock),
  getUsageSummary: getUsageSummary,
  getUsageEvents: getUsageEvents,
  getPricing: getPricing,
  getHealth: getHealth,
  getOutputFile: getOutputFile(mock),
  getUploadedFile: getUploadedFile(mock),
  getAdminConfig: adminConfig(mock),
  listAdminKeys: listAdminKeys(mock),
  createAdminKey: createAdminKey(mock),
  disableAdminKey: setAdminKey(mock, true),
  enableAdminKey: setAdminKey(mock, false),
})

/** Registers every operation. Uploads get a scope of their own, in which a form is a body. */
export function registerRoutes(app: FastifyInstance, mock: Mock): void {
  const handlers = table(mock)
  const ids = Object.keys(operations) as OperationId[]
  const isUpload = (id: OperationId) => operations[id].tag === 'uploads'
  for (const id of ids) if (!isUpload(id)) register(app, mock, id, handlers[id])
  app.register(async scope => {
    scope.addContentTypeParser('multipart/form-data', formParser(mock))
    for (const id of ids) if (isUpload(id)) register(scope, mock, id, handlers[id])
  })
}

/** One operation with the steps that its contract asks for, in the order in which a request takes them. */
function register(app: FastifyInstance, mock: Mock, id: OperationId, handler: Handler): void {
  const operation: Operation = operations[id]
  const isUpload = operation.tag === 'uploads'
  const onRequest: onRequestHookHandler[] = [openRoute(mock, id)]
  // Nothing stands in the way of those who replay nothing.
  if (mock.playback !== undefined) onRequest.push(answerRecorded(mock, mock.playback))
  onRequest.push(decideScenario(mock, id))
  if (operation.auth === 'key') onRequest.push(requireKey)
  if (operation.auth === 'optional_key') onRequest.push(useKeyIfSent)
  if (operation.auth === 'admin') onRequest.push(requireAdminToken(mock))
  if (operation.limits) onRequest.push(takeLimits(operation.limits.includes('jobs')))
  if (isUpload) onRequest.push(refuseDoomedUpload(mock))
  const readsJson = operation.body !== undefined && !isUpload
  const preValidation: preValidationHookHandler[] = []
  if (readsJson) preValidation.push(decideWithBody(mock, id))
  if (operation.idempotent) preValidation.push(claimIdempotency(isUpload))
  if (operation.bodyOptional) preValidation.push(emptyBodyIsNone)
  app.route({
    method: operation.method,
    url: toFastifyPath(operation.path),
    onRequest,
    ...(operation.body && { preParsing: preParsingOf(mock, readsJson) }),
    preValidation,
    schema: {
      ...(operation.query && { querystring: operation.query }),
      // An upload is not JSON: its handler checks it as it arrives.
      ...(readsJson && { body: operation.body }),
      response: { ...(operation.answer && { 200: operation.answer }), '4xx': ErrorEnvelope, '5xx': ErrorEnvelope },
    },
    handler,
  })
}

function preParsingOf({ playback }: Mock, readsJson: boolean): preParsingHookHandler[] {
  if (!readsJson) return [refusePacked, sendContinue]
  return playback === undefined ? [receiveByRule, unpack] : [giveBodyBack, receiveByRule, unpack]
}

const emptyBodyIsNone: preValidationHookHandler = (request, _reply, done) => {
  request.body ??= {}
  done()
}

/** /v1/jobs/:job_id for /v1/jobs/{job_id}. */
export const toFastifyPath = (path: string): string => path.replace(/\{(\w+)\}/g, ':$1')
