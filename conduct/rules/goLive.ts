/** UP-2 and the go-live clauses: what is uploaded, and what was tried before going live. */
import { videoTypeAliases, videoTypes } from '../../contracts/schemas.ts'
import type { Client, ClientCall } from '../client.ts'
import { broke, type ConductRule, kept, type RuleFinding } from '../rule.ts'

/** UP-2. */
const maxBytes = 500 * 1024 * 1024
/** What a form adds to its file. */
const formBytes = 64 * 1024

export const acceptableUploads: ConductRule = {
  id: 'uploads.acceptable',
  level: 'must',
  since: '2026-11',
  clauses: ['UP-2', 'ERR-4'],
  title: 'Only files are uploaded that can be accepted: a supported video of at most 500 MB',
  advice:
    'Check type and size before you upload: video/mp4, video/quicktime, video/webm or video/x-msvideo, up to 500 * 1024 * 1024 bytes.',
  provoke: [],
  missing: () => 'nothing was uploaded: send a file to POST /v1/uploads',
  judge: client =>
    client.calls.flatMap((call): RuleFinding[] => {
      if (call.operation !== 'uploadVideo' && call.operation !== 'uploadVideoLegacy') return []
      const why = whyUnacceptable(call)
      if (why !== undefined) return [broke(`uploaded ${call.file?.filename ?? 'a file'}, ${why}`, call)]
      return call.file === undefined ? [] : [kept(`uploaded ${call.file.filename}`, call)]
    }),
}

const extensions: readonly string[] = Object.values(videoTypes).flat()

function whyUnacceptable({ file, length = 0, status, message = '', rule }: ClientCall): string | undefined {
  const size = file?.sha256 ? file.size : Math.max(file?.size ?? 0, length)
  if (size > maxBytes + formBytes) return `which has ${size} bytes`
  const type = file?.type?.toLowerCase().split(';', 1)[0]?.trim()
  const isTold = type !== undefined && type !== '' && type !== 'unknown' && type !== 'application/octet-stream'
  if (isTold && !(type in videoTypes) && !(type in videoTypeAliases)) return `which is ${type}`
  const [, extension] = /\.(\w+)$/.exec(file?.filename ?? '') ?? []
  const isVideo = extensions.includes(extension?.toLowerCase() ?? '')
  if (!isTold && extension !== undefined && !isVideo) return 'which is not a video by its name'
  // A scenario refuses what is good; without one the server knows best.
  const isRefused = status === 400 && rule === undefined && /^(Invalid file type|File too large)/.test(message)
  return isRefused ? `which was refused: ${message.slice(0, 100)}` : undefined
}

/** It was told so, by a poll or by a webhook. */
const hasEnded = ({ calls, webhooks: hooks }: Client, state: 'completed' | 'failed'): boolean =>
  calls.some(call => call.state === state) ||
  hooks.some(({ event, status }) => event === `job.${state}` && status >= 200 && status < 300)

/** The paths of GO-5, and how each is seen. */
const paths: Record<string, (client: Client) => boolean> = {
  success: client => hasEnded(client, 'completed'),
  failure: client => hasEnded(client, 'failed'),
  timeout: ({ calls }) =>
    calls.some(({ code, status, cut }) => code === 'timeout' || status === 504 || cut?.how === 'silence'),
  retry: ({ chains }) => chains.length > 0,
  'insufficient credits': ({ calls }) => calls.some(({ status }) => status === 402),
}

export const allPaths: readonly string[] = Object.keys(paths)

/** The paths of GO-5 that the client has gone. */
export const pathsOf = (client: Client): string[] =>
  Object.entries(paths).flatMap(([name, isSeen]) => (isSeen(client) ? [name] : []))

const untried = (client: Client): string[] => {
  const gone = pathsOf(client)
  return allPaths.filter(path => !gone.includes(path))
}

export const pathsTried: ConductRule = {
  id: 'goLive.paths',
  level: 'should',
  since: '2026-11',
  clauses: ['GO-5'],
  title: 'Success, failure, timeout, retry and insufficient credits were each tried',
  advice: 'Run your client under the scenario go-live, which plays the five in turn, before you go live.',
  provoke: ['go-live'],
  judge: client => (untried(client).length === 0 ? [kept('went all five paths')] : []),
  missing: client => `not tried yet: ${untried(client).join(', ')}`,
}

export const audit: ConductRule = {
  id: 'goLive.audit',
  level: 'should',
  since: '2026-11',
  clauses: ['GO-7'],
  title: "What belongs to a job is kept beside the caller's own user or project id",
  advice:
    'Send your own user or project id in metadata when you create a job, and store model, output_format, credits and final status with it.',
  provoke: [],
  judge(client) {
    const creates = client.calls.filter(({ operation, isGood }) => operation === 'createJob' && isGood)
    const isKept = creates.length > 0 && creates.every(({ hasMetadata }) => hasMetadata)
    return isKept ? [kept('gave every job metadata of its own', creates[0] as ClientCall)] : []
  },
  reason: () => 'no way to know: a client may keep it anywhere',
}

export const requestId: ConductRule = {
  id: 'observability.request-id',
  level: 'should',
  since: '2026-11',
  clauses: ['GO-4', 'ERR-6'],
  title: "request_id and job_id are in the client's logs and dashboards",
  advice:
    'Log the request_id of every error, and the job_id with all that belongs to a job: support asks for them first.',
  provoke: [],
  unseen: 'no way to know: what a client logs is not seen from outside',
  judge: () => [],
}
