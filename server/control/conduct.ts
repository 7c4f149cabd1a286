/** GET /__mock/conduct: the grade of a key's client. */
import type { FastifyRequest } from 'fastify'
import { parseDuration } from '../../base/duration.ts'
import type { ConductReport } from '../../conduct/report.ts'
import { conductOf } from '../conduct.ts'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'
import type { WorldSelector } from '../world/worlds.ts'

export interface ConductRoute {
  /** patience: a time such as 30m. require: rules and clauses with commas between them. */
  Querystring: WorldSelector & { patience?: string; require?: string }
}

export const conductRoute =
  (mock: Mock) =>
  async ({ query }: FastifyRequest<ConductRoute>): Promise<ConductReport> => {
    const { key, world, patience, require } = query
    const patienceMs = patience === undefined ? undefined : parseDuration(patience)
    if (patience !== undefined && patienceMs === undefined)
      throw apiError('invalid_field', `patience is ${JSON.stringify(patience)}; expected a time such as 30m`)
    try {
      return conductOf(mock, { key, world }, { patienceMs, require: require?.split(',') })
    } catch (error) {
      throw error instanceof RangeError ? apiError('invalid_field', `require: ${error.message}`) : error
    }
  }
