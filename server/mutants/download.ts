/** The download route and the files behind its URLs (DL-1 to DL-3). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { packageRoot } from '../../base/paths.ts'
import {
  asItArrives,
  type Json,
  type OutputFile,
  onCase,
  onFile,
  restatusCase,
  rewriteJobs,
  rewriteJson,
} from './change.ts'
import type { Mutant } from './mutant.ts'
import type { Mutation } from './mutation.ts'

const answering = (id: string, what: string, change: (download: Json) => void): Mutant => ({
  id: `download-${id}`,
  breaks: ['DL-1'],
  what,
  apply: mutation => rewriteJson(mutation, 'getDownload', change),
})

/** A file that isn't what it should be. */
const serving = (id: string, what: string, change: (file: OutputFile, url: string) => void): Mutant => ({
  id: `file-${id}`,
  breaks: ['DL-3'],
  what,
  apply: mutation => onFile(mutation, (file, { url }) => change(file, url)),
})

/** Only one of the two URLs is dead. */
const dead = (id: string, what: string, apply: (mutation: Mutation) => void): Mutant => ({
  id,
  breaks: ['DL-3'],
  what,
  apply,
})

const elsewhere = (url: string | null): string | null => url?.replace('/files/outputs/', '/files/results/') ?? null

const outputOf = (name: string): Buffer => readFileSync(join(packageRoot, 'fixtures/outputs', name))

export const downloadMutants: readonly Mutant[] = [
  answering('url-missing', 'download_url is called url', body => {
    body.url = body.download_url
    delete body.download_url
  }),
  answering('success-missing', 'there is no success', body => {
    delete body.success
  }),
  {
    ...answering('format-wrong', 'output_format is always mp4', body => {
      body.output_format = 'mp4'
    }),
    also: ['DL-3'],
  },
  answering('format-object', 'output_format is an object', body => {
    body.output_format = { container: body.output_format }
  }),
  {
    id: 'download-early-404',
    breaks: ['DL-2'],
    also: ['ERR-4'],
    what: 'a download before completion is answered 404',
    apply: mutation => restatusCase(mutation, 'getDownload', 'job_not_completed', 404),
  },
  {
    id: 'download-early-200',
    breaks: ['DL-2'],
    also: ['ERR-4', 'DL-1', 'DL-3'],
    what: 'a download before completion is answered 200 with the URL of a file that is not there yet',
    apply: mutation =>
      onCase(mutation, 'getDownload', 'job_not_completed', (answer, { exchange }) => {
        const job =
          exchange.jobId === null ? undefined : mutation.mock.worlds.ofId(exchange.jobId)?.jobs.get(exchange.jobId)
        if (!job) return
        const { id, output_format } = job.view
        const download_url = `${job.baseUrl}/files/outputs/${id}/output.${output_format}`
        Object.assign(answer, { status: 200, body: { success: true, download_url, output_format } })
      }),
  },
  {
    id: 'download-unknown-400',
    breaks: ['DL-2'],
    also: ['AUTH-3'],
    what: 'a download of an unknown job is answered 400',
    apply: mutation => restatusCase(mutation, 'getDownload', 'job_not_found', 400),
  },
  dead('download-url-dead', 'download_url leads nowhere', mutation =>
    rewriteJson(mutation, 'getDownload', body => {
      body.download_url = elsewhere(body.download_url)
    }),
  ),
  dead('output-url-dead', 'output_url leads nowhere', mutation =>
    rewriteJobs(mutation, job => {
      job.output_url = elsewhere(job.output_url)
    }),
  ),
  serving('empty', 'the file is empty', file => {
    if (file.status === 200) file.bytes = Buffer.alloc(0)
  }),
  serving('other-container', 'the file is an mp4 whatever was asked for, a mov where that was mp4', (file, url) => {
    if (file.status === 200) file.bytes = outputOf(url.endsWith('.mp4') ? 'output.mov' : 'output.mp4')
  }),
  serving('cut-in-half', 'the second half of the file is missing', file => {
    if (file.status === 200) file.bytes = file.bytes.subarray(0, file.bytes.length / 2)
  }),
  serving('is-a-page', 'the file is a web page', file => {
    file.headers['content-type'] = 'text/html'
    if (file.status === 200) file.bytes = Buffer.from('<!doctype html><title>Expired</title><h1>Link expired</h1>')
  }),
  {
    id: 'range-ignored',
    breaks: ['DL-3'],
    what: 'a range request gets the whole file',
    apply: mutation =>
      asItArrives(mutation, 'getOutputFile', request => {
        const { headers } = request.raw
        if (headers.range === undefined) return
        delete headers.range
        mutation.acted(request)
      }),
  },
  serving('range-shifted', 'a range begins a byte too late', file => {
    if (file.status === 206) file.bytes = Buffer.concat([file.bytes.subarray(1), file.bytes.subarray(0, 1)])
  }),
  serving('content-range-off', 'Content-Range says another range than was sent', file => {
    const { headers } = file
    const range = /^bytes (\d+)-(\d+)\/(\d+)$/.exec(String(headers['content-range']))?.slice(1).map(Number)
    if (range) headers['content-range'] = `bytes ${range[0]}-${(range[1] as number) + 1}/${range[2]}`
  }),
  serving('content-range-missing', '206 has no Content-Range', file => {
    delete file.headers['content-range']
  }),
]
