/** The shortest way that we know to each fault that shows only after a sequence of calls. */
import type { Api } from './client.ts'

const draft = { auto_start: false, metadata: { user: 7 } }
const transparentMp4 = { output_format: 'mp4', bg_type: 'transparent' }

export const shortestWays: Readonly<Record<string, (api: Api) => Promise<void>>> = {
  async 'replay-of-started-draft-listed-twice'(api) {
    const id = await api.job(draft, { idempotency: 'one' })
    await api.post(`/v1/jobs/${id}/start`)
    await api.job(draft, { idempotency: 'one' })
    await api.get('/v1/jobs')
  },
  async 'early-download-of-draft-shows-progress'(api) {
    const id = await api.job(draft)
    await api.get(`/api/download/${id}`)
    await api.post(`/v1/jobs/${id}/start`)
    await api.get(`/v1/jobs/${id}`)
    await api.get(`/v1/jobs/${id}`)
  },
  async 'early-downloads-stick'(api) {
    const id = await api.job(draft)
    await api.get(`/api/download/${id}`)
    await api.post(`/v1/jobs/${id}/start`)
    await api.get(`/api/download/${id}`)
    await api.step('30s')
    await api.get(`/api/download/${id}`)
  },
  async 'upload-after-two-refusals-is-the-one-before'(api) {
    await api.upload('short.mp4')
    await api.upload('notes.txt')
    await api.upload('notes.txt')
    await api.upload('difficult.webm')
  },
  async 'idempotency-key-of-two-makes-another-job'(api) {
    await api.job({}, { idempotency: 'two' })
    await api.job({}, { idempotency: 'two', key: 'test_b' })
    await api.job({}, { idempotency: 'two' })
  },
  async 'corrected-create-is-not-listed'(api) {
    await api.post(
      '/v1/jobs',
      { video_url: 'https://example.com/cat.mp4', output_format: 'mp4', bg_type: 'transparent' },
      { idempotency: 'three' },
    )
    await api.job({}, { idempotency: 'three' })
    await api.get('/v1/jobs')
  },
  async 'refused-start-loses-metadata'(api) {
    const id = await api.job(draft)
    await api.post(`/v1/jobs/${id}/start`, transparentMp4)
    await api.post(`/v1/jobs/${id}/start`, { model: 'light' })
    await api.get(`/v1/jobs/${id}`)
  },
  async 'refused-start-charges-double'(api) {
    const id = await api.job(draft)
    await api.post(`/v1/jobs/${id}/start`, transparentMp4)
    await api.post(`/v1/jobs/${id}/start`)
    await api.step('30s')
    await api.get('/v1/usage/summary?days=1')
  },
  async 'foreign-look-at-draft-hides-job'(api) {
    const id = await api.job(draft)
    await api.get(`/v1/jobs/${id}`, { key: 'test_b' })
    await api.post(`/v1/jobs/${id}/start`)
    await api.get(`/v1/jobs/${id}`)
  },
  async 'third-start-makes-another-job'(api) {
    const id = await api.job(draft)
    for (let n = 0; n < 3; n++) await api.post(`/v1/jobs/${id}/start`)
    await api.get('/v1/jobs')
  },
  async 'late-start-comes-first'(api) {
    const first = await api.job(draft)
    const second = await api.job(draft)
    await api.post(`/v1/jobs/${second}/start`)
    await api.post(`/v1/jobs/${first}/start`)
    await api.get('/v1/jobs')
  },
  async 'foreign-starts-share-draft'(api) {
    const id = await api.job(draft)
    await api.post(`/v1/jobs/${id}/start`, {}, { key: 'test_b' })
    await api.post(`/v1/jobs/${id}/start`, {}, { key: 'test_b' })
    await api.get('/v1/jobs', { key: 'test_b' })
  },
}
