/** /v1/admin (AD-1): keys are made, listed by fingerprint, disabled and enabled. */
import type { FastifyRequest } from 'fastify'
import {
  type AdminConfig,
  type AdminKey,
  type AdminKeyCreate,
  type AdminKeyCreated,
  type AdminKeys,
  type KeyFingerprint,
  models,
  outputFormats,
} from '../../contracts/schemas.ts'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'

export const adminConfig =
  ({ config }: Mock) =>
  async (): Promise<AdminConfig> => ({
    models: [...models],
    output_formats: [...outputFormats],
    max_upload_bytes: config.maxUploadBytes,
    rate_limits: { requests_per_minute: config.rateLimit, jobs_per_minute: config.jobLimit },
    webhook_signing: config.webhookSecret !== undefined,
  })

export const listAdminKeys =
  ({ worlds }: Mock) =>
  async (): Promise<AdminKeys> => ({ keys: worlds.listKeys() })

export const createAdminKey =
  ({ worlds }: Mock) =>
  async ({ body }: FastifyRequest<{ Body: AdminKeyCreate }>): Promise<AdminKeyCreated> => {
    const { key, ...shown } = worlds.createKey(body.client_id, body.note)
    return { api_key: key, ...shown }
  }

export const setAdminKey =
  ({ worlds }: Mock, disabled: boolean) =>
  async ({ body }: FastifyRequest<{ Body: KeyFingerprint }>): Promise<AdminKey> => {
    const key = worlds.setDisabled(body.key_fingerprint, disabled)
    if (key) return key
    throw apiError(
      'invalid_field',
      `key_fingerprint ${JSON.stringify(body.key_fingerprint)} belongs to no key; expected one of GET /v1/admin/keys`,
    )
  }
