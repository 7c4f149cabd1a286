// A client as they are written in a hurry: what `understudy rehearse` grades red.
const base = process.env.UNDERSTUDY_BASE_URL ?? 'http://127.0.0.1:4010'
const headers = { 'X-Api-Key': process.env.UNDERSTUDY_API_KEY ?? 'test_key', 'Content-Type': 'application/json' }

/** Whatever went wrong: once more, at once. */
async function call(method, url, body) {
  for (let attempt = 0; ; attempt++) {
    try {
      const response = await fetch(url, { method, headers, body: body && JSON.stringify(body) })
      if (response.ok) return await response.json()
      throw new Error(String(response.status))
    } catch (error) {
      if (attempt === 4) throw error
    }
  }
}

const { id } = await call('POST', `${base}/v1/jobs`, { video_url: 'https://example.com/cat.mp4#t=5' })
let job
do {
  await new Promise(resolve => setTimeout(resolve, 500))
  job = await call('GET', `${base}/v1/jobs/${id}`)
} while (job.status !== 'completed' && job.status !== 'failed')
console.log(id, job.status)
