/** GET /__mock/conduct: the grade of a key's client. */
import type { FastifyRequest } from 'fastify'
import { parseDuration } from '../../base/duration.ts'
import { defined } from '../../base/inputs.ts'
import { ConfigError } from '../../base/options.ts'
import type { ConductOptions, WorldSelector } from '../../client/mock.ts'
import type { ConductReport } from '../../conduct/report.ts'
import type { RuleLevel, RuleSet } from '../../conduct/rule.ts'
import { conductOf } from '../conduct.ts'
import { apiError } from '../errors.ts'
import type { Mock } from '../mock.ts'

interface ConductQuery {
  stopped_at?: number
  silent_since?: number
  alone?: boolean
  level?: RuleLevel
  rules?: RuleSet
}

export interface ConductRoute {
  /** max_poll_time: a time such as 30m. require: rules and clauses, separated by commas. */
  Querystring: WorldSelector & {
    max_poll_time?: string
    patience?: string
    require?: string
    ended: boolean
  } & ConductQuery
}

export const conductRoute =
  (mock: Mock) =>
  async ({ query }: FastifyRequest<ConductRoute>): Promise<ConductReport> => {
    const {
      key,
      world,
      max_poll_time: text,
      patience,
      require,
      ended,
      stopped_at: stoppedAt,
      silent_since: silentSince,
      alone,
      level,
      rules,
    } = query
    if (patience !== undefined) throw apiError('invalid_field', 'patience is now called max_poll_time')
    const maxPollTime = text === undefined ? undefined : parseDuration(text)
    if (text !== undefined && maxPollTime === undefined)
      throw apiError('invalid_field', `max_poll_time is ${JSON.stringify(text)}; expected a time such as 30m`)
    try {
      return conductOf(
        mock,
        { key, world },
        {
          maxPollTime,
          require: require?.split(',') as ConductOptions['require'],
          ended,
          ...defined({ stoppedAt, silentSince, alone, level, rules }),
        },
      )
    } catch (error) {
      throw error instanceof ConfigError ? apiError('invalid_field', `require: ${error.message}`) : error
    }
  }
