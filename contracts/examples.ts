/** One example for each documented thing. A test holds each against its schema. */
import type * as schemas from './schemas.ts'

const jobId = 'job_k3f9az8dnwq2xw4hv7tp'
const origin = 'http://127.0.0.1:4010'
const videoUrl = `${origin}/files/uploads/vid_k3f9azm5x0c2v8rtyd1q_1jk/short.mp4`

const job: schemas.Job = {
  id: jobId,
  status: 'completed',
  progress: 100,
  output_url: `${origin}/files/outputs/${jobId}/output.webm`,
  error: null,
  created_at: '2026-01-15T09:30:00.000Z',
  duration_seconds: 2,
  billing_status: 'charged',
  webhook_url: null,
  webhook_events: [],
  video_url: videoUrl,
  model: 'original',
  output_format: 'webm',
  bg_type: 'transparent',
  metadata: { user_id: 'u_42' },
}

const totals = { total_jobs: 3, completed_jobs: 2, failed_jobs: 1, credits_used: 4 }
const key = {
  key_fingerprint: 'b5d4045c3f46',
  client_id: 'web-app',
  note: null,
  disabled: false,
  created_at: '2026-01-15T09:00:00.000Z',
}

export const examples = {
  ErrorEnvelope: {
    error: {
      code: 'insufficient_credits',
      message: 'Not enough credits to process this video',
      request_id: 'req_123456',
    },
  },
  Upload: {
    success: true,
    video_id: 'vid_k3f9azm5x0c2v8rtyd1q_1jk',
    video_url: videoUrl,
    filename: 'short.mp4',
    size: 31052,
  },
  JobCreate: {
    video_url: videoUrl,
    model: 'original',
    output_format: 'webm',
    bg_type: 'transparent',
    auto_start: true,
    metadata: { user_id: 'u_42' },
  },
  JobStart: { model: 'pro', text_prompt: 'the person in the red jacket' },
  JobAccepted: { success: true, id: jobId, status: 'pending', message: 'Job accepted' },
  WebhookDelivery: { event: 'job.completed', status: 'sent' },
  Job: job,
  JobList: { jobs: [job], total: 1, limit: 20, offset: 0 },
  Download: { success: true, download_url: job.output_url as string, output_format: 'webm' },
  UsageSummary: { days: 1, ...totals, daily: [{ date: '2026-01-15', ...totals }] },
  UsageEvent: {
    request_id: 'req_k3f9az00001c',
    job_id: jobId,
    endpoint: 'POST /v1/jobs',
    status: 200,
    credits: 2,
    time: '2026-01-15T09:30:00.000Z',
  },
  UsageEvents: { events: [], limit: 20 },
  Pricing: {
    model_pricing_credits_per_minute: { original: 60, light: 45, pro: 180, human: 45 },
    price_per_second_cents: 1,
    packages: [{ name: 'starter', credits: 600, price_cents: 600 }],
  },
  Health: { status: 'ok' },
  WebhookEvent: { event: 'job.completed', data: job },
  AdminConfig: {
    models: ['original', 'light', 'pro', 'human'],
    output_formats: ['webm', 'mov', 'mp4', 'gif', 'webp', 'png_sequence'],
    max_upload_bytes: 524288000,
    rate_limits: { requests_per_minute: 100, jobs_per_minute: 10 },
    webhook_signing: false,
  },
  AdminKey: key,
  AdminKeys: { keys: [key] },
  AdminKeyCreate: { client_id: 'web-app' },
  AdminKeyCreated: { api_key: 'key_example', ...key },
  KeyFingerprint: { key_fingerprint: 'b5d4045c3f46' },
} satisfies { [Title in keyof typeof schemas]?: unknown }
