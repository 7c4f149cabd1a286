// What the page of chromium.test.ts has: what a developer's own would do, by fetch alone.

const key = { 'X-Api-Key': 'test_page' }
const get = (url, headers = key) => fetch(url, { headers }).then(answer => answer.json())

function create(url, job) {
  const headers = { ...key, 'Content-Type': 'application/json', 'Idempotency-Key': `${Math.random()}` }
  return fetch(`${url}/v1/jobs`, { method: 'POST', headers, body: JSON.stringify(job) })
}

async function finished(url, id) {
  for (;;) {
    const job = await get(`${url}/v1/jobs/${id}`)
    if (job.status === 'completed' || job.status === 'failed') return job
  }
}

async function journey(url, bytes) {
  const body = new FormData()
  body.append('file', new File([new Uint8Array(bytes)], 'katze 🐈.mp4', { type: 'video/mp4' }))
  const upload = await fetch(`${url}/v1/uploads`, { method: 'POST', headers: key, body }).then(answer => answer.json())
  const created = await create(url, { video_url: upload.video_url })
  const { id } = await created.json()
  const job = await finished(url, id)
  const download = await get(`${url}/api/download/${id}`, {})
  const whole = await fetch(download.download_url)
  const part = await fetch(download.download_url, { headers: { Range: 'bytes=0-9' } })
  const file = {
    type: whole.headers.get('content-type'),
    disposition: whole.headers.get('content-disposition'),
    range: part.headers.get('content-range'),
    size: (await whole.arrayBuffer()).byteLength,
  }
  return { upload, requestId: created.headers.get('x-request-id'), job, download, file }
}

/** GET /v1/jobs by each key, with the fault that it names. */
async function askAll(url, asks) {
  const answers = []
  for (const [name, fault] of asks) {
    const headers = { ...(name && { 'X-Api-Key': name }), ...(fault && { 'X-Mock-Fault': fault }) }
    const answer = await fetch(`${url}/v1/jobs`, { headers })
    answers.push({ status: answer.status, headers: Object.fromEntries(answer.headers), body: await answer.json() })
  }
  return answers
}

const statusOf = answer =>
  answer.then(
    ({ status, type }) => (type === 'opaque' ? type : status),
    ({ message }) => message,
  )

/** Of each "METHOD /path". */
const statuses = (url, calls) =>
  Promise.all(
    calls.map(call => {
      const [method, path] = call.split(' ')
      return statusOf(fetch(url + path, { method, headers: path.startsWith('/v1/') ? key : {} }))
    }),
  )

async function control(url) {
  const reset = `${url}/__mock/reset`
  const headers = { 'Content-Type': 'application/json' }
  return {
    journal: await statusOf(fetch(`${url}/__mock/journal`)),
    // It needs no preflight, so it is sent, though its answer can't be read.
    simple: await statusOf(fetch(reset, { method: 'POST', mode: 'no-cors' })),
    reset: await statusOf(fetch(reset, { method: 'POST', headers, body: '{}' })),
  }
}

function submit(url) {
  const form = document.createElement('form')
  Object.assign(form, { method: 'POST', action: url })
  document.body.append(form)
  form.submit()
}

async function output(url, format) {
  const created = await create(url, { video_url: 'https://example.com/cat.mp4#t=2', output_format: format })
  return (await finished(url, (await created.json()).id)).output_url
}

async function play(url) {
  const video = document.createElement('video')
  Object.assign(video, { crossOrigin: 'anonymous', muted: true, src: await output(url, 'webm') })
  await video.play()
  await new Promise(resolve => video.addEventListener('timeupdate', () => video.currentTime > 0 && resolve()))
  const pen = document.createElement('canvas').getContext('2d')
  pen.drawImage(video, 0, 0, 32, 18)
  const { data } = pen.getImageData(0, 0, 32, 18)
  return {
    width: video.videoWidth,
    height: video.videoHeight,
    seconds: video.currentTime,
    pixels: data.filter(Boolean).length,
  }
}

/** Draws the outputs of an uploaded clip over red, and says what colour each of some places has: [r, g, b]. */
async function seeThrough(url, bytes, jobs, places) {
  const body = new FormData()
  body.append('file', new File([new Uint8Array(bytes)], 'short.mp4', { type: 'video/mp4' }))
  const { video_url } = await fetch(`${url}/v1/uploads`, { method: 'POST', headers: key, body }).then(answer =>
    answer.json(),
  )
  return Promise.all(
    jobs.map(async fields => {
      const { id } = await create(url, { video_url, ...fields }).then(answer => answer.json())
      const { output_url } = await finished(url, id)
      const isFilm = /\.(webm|mp4)$/.test(output_url)
      const shown = document.createElement(isFilm ? 'video' : 'img')
      shown.crossOrigin = 'anonymous'
      shown.muted = true
      shown.src = output_url
      if (isFilm) {
        // It plays before there is a picture to be drawn.
        const hasPicture = new Promise(resolve => shown.requestVideoFrameCallback(resolve))
        await Promise.all([shown.play(), hasPicture])
      } else await shown.decode()
      const canvas = document.createElement('canvas')
      canvas.width = shown.videoWidth || shown.naturalWidth
      canvas.height = shown.videoHeight || shown.naturalHeight
      const context = canvas.getContext('2d')
      context.fillStyle = 'red'
      context.fillRect(0, 0, canvas.width, canvas.height)
      context.drawImage(shown, 0, 0)
      const colours = places.map(([x, y]) => [...context.getImageData(x, y, 1, 1).data].slice(0, 3))
      return { width: canvas.width, height: canvas.height, seconds: isFilm ? shown.duration : undefined, colours }
    }),
  )
}

Object.assign(globalThis, { journey, askAll, statuses, control, submit, output, play, seeThrough })
