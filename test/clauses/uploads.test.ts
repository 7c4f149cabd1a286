import t from 'tap'
import { client, clip, start } from '../support.ts'

const types = { mp4: 'video/mp4', mov: 'video/quicktime', webm: 'video/webm', avi: 'video/x-msvideo' }

t.test('UP-1 both upload routes take one file in the field "file"', async t => {
  const mock = await start(t)
  const bytes = await clip('short.mp4')
  for (const path of ['/v1/uploads', '/api/upload']) {
    t.equal((await client(mock).upload(bytes, 'a.mp4', 'video/mp4', path)).status, 200, path)
  }
})

t.test('UP-2 the four video types are taken, told by their bytes; others are not', async t => {
  const mock = await start(t)
  for (const [extension, type] of Object.entries(types)) {
    const bytes = await clip(`short.${extension}`)
    const { status, headers } = await client(mock).upload(bytes, `a.${extension}`, type)
    t.equal(status, 200, type)
    const entry = mock.journal.entries({ requestId: headers.get('x-request-id') as string })[0]
    t.match(entry?.upload, { type, size: bytes.length, filename: `a.${extension}` })
  }
  const text = await client(mock).upload(Buffer.from('just text'), 'text.mp4', 'video/mp4')
  t.match(text, { status: 400, body: { error: { message: /^Invalid file type/ } } })
})

t.test('UP-2 a file of exactly the limit is taken, one byte more is not', async t => {
  const bytes = await clip('short.mp4')
  const mock = await start(t, { maxUploadBytes: bytes.length })
  t.equal((await client(mock).upload(bytes)).status, 200)
  t.match(await client(mock).upload(Buffer.concat([bytes, Buffer.alloc(1)])), {
    status: 400,
    body: { error: { message: /^File too large/ } },
  })
})

t.test('UP-3 the answer is the documented one, and video_url gives the file back', async t => {
  const mock = await start(t)
  const bytes = await clip('short.mp4')
  const { body } = await client(mock).upload(bytes, 'my clip.mp4', 'video/mp4')
  t.match(body, { success: true, video_id: /^vid_/, video_url: /^http:/, filename: 'my clip.mp4', size: bytes.length })
  t.same(Object.keys(body), ['success', 'video_id', 'video_url', 'filename', 'size'])
  const file = await fetch(body.video_url)
  t.equal(file.headers.get('content-type'), 'video/mp4')
  t.ok(bytes.equals(Buffer.from(await file.arrayBuffer())))
})

t.test('UP-4 without a Content-Type the extension and the first bytes decide', async t => {
  const mock = await start(t)
  const bytes = await clip('short.webm')
  t.equal((await client(mock).upload(bytes, 'video.webm')).status, 200)
  t.equal((await client(mock).upload(bytes, 'video.mp4')).status, 200, "the node client's default name fits any video")
  t.equal((await client(mock).upload(bytes, 'notes.txt')).status, 400)
})

t.test('GO-6 a short, a longer and a difficult clip are taken, and billed at their true length', async t => {
  const mock = await start(t)
  const api = client(mock)
  for (const [name, seconds] of Object.entries({ short: 2, longer: 12, difficult: 3 })) {
    for (const extension of Object.keys(types)) {
      const { body } = await api.upload(await clip(`${name}.${extension}`), `${name}.${extension}`)
      const job = (await api.get(`/v1/jobs/${await api.job({ video_url: body.video_url })}`)).body
      t.ok(Math.abs(job.duration_seconds - seconds) < 0.05, `${name}.${extension}: ${job.duration_seconds} s`)
    }
  }
})
