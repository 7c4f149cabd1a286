/** The mock's own routes: control, metrics, desk and docs. Loaded with their first call, as most tests make none. */
import type { FastifyInstance } from 'fastify'
import { registerControl } from './control/index.ts'
import type { Mock } from './mock.ts'
import { registerDesk } from './routes/desk.ts'
import { registerDocs } from './routes/docs.ts'

export function registerOwnRoutes(app: FastifyInstance, mock: Mock): void {
  registerControl(app, mock)
  registerDesk(app, mock)
  registerDocs(app, mock)
}
