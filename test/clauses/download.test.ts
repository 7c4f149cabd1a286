import t from 'tap'
import { outputFormats } from '../../contracts/schemas.ts'
import { client, start } from '../support.ts'

t.test('DL-1 a completed job has a download_url and its output_format', async t => {
  const mock = await start(t)
  const api = client(mock)
  const { status, body } = await api.get(`/api/download/${await api.job({ output_format: 'gif' })}`)
  t.equal(status, 200)
  t.match(body, { success: true, download_url: /output\.gif$/, output_format: 'gif' })
})

t.test('DL-2 before completion 400 Job not completed, an unknown job 404 Job not found', async t => {
  const mock = await start(t, { speed: 1 })
  const api = client(mock)
  mock.clock.freeze()
  const ids = [
    await api.job({ auto_start: false }),
    await api.job(),
    await api.job({ video_url: 'https://e.com/fail.mp4' }),
  ]
  mock.clock.step('2s')
  for (const id of ids)
    t.match(await api.get(`/api/download/${id}`), { status: 400, body: { error: { message: 'Job not completed' } } })
  mock.clock.step('1m')
  t.equal((await api.get(`/api/download/${ids[2]}`)).status, 400, 'a failed job has no output')
  t.match(await api.get('/api/download/job_none'), { status: 404, body: { error: { message: 'Job not found' } } })
})

t.test('DL-3 output_url and download_url lead to a file of the format, ranges too', async t => {
  const mock = await start(t)
  const api = client(mock)
  const starts = {
    webm: '1a45dfa3',
    mov: '00000014',
    mp4: '000000',
    gif: '47494638',
    webp: '52494646',
    png_sequence: '504b0304',
  }
  for (const output_format of outputFormats) {
    const id = await api.job({ output_format, bg_type: output_format === 'mp4' ? 'green' : 'transparent' })
    const { output_url } = (await api.get(`/v1/jobs/${id}`)).body
    const { download_url } = (await api.get(`/api/download/${id}`)).body
    t.equal(output_url, download_url)
    const whole = Buffer.from(await (await fetch(output_url)).arrayBuffer())
    t.ok(whole.toString('hex', 0, 4).startsWith(starts[output_format]), output_format)
    const part = await fetch(output_url, { headers: { range: 'bytes=10-19' } })
    t.equal(part.status, 206)
    t.ok(whole.subarray(10, 20).equals(Buffer.from(await part.arrayBuffer())))
  }
})
