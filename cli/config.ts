/**
 * `understudy-mock/config`: what a configuration file may say, for one in TypeScript.
 *
 *     import type { UnderstudyConfig } from 'understudy-mock/config'
 *     export default { serve: { port: 4020 } } satisfies UnderstudyConfig
 */
import type { BugReportSettings } from '../client/reportOptions.ts'
import type { ConductSettings } from '../conduct/options.ts'
import type { DrillSettings } from '../drills/options.ts'
import type { DrillName } from '../drills/report.ts'
import type { McpSettings } from '../mcp/options.ts'
import type { RecorderOptions } from '../record/options.ts'
import type { RehearseSettings } from '../rehearse/options.ts'
import type { ReplaySettings } from '../replay/options.ts'
import type { MockOptions } from '../server/config.ts'
import type { CheckSettings } from '../suite/options.ts'
import type { ReceiverSettings } from '../webhooks/options.ts'

/** As a flag is written, or a list as if it were given again: "5s", 20, true, ["jobs", "RL-2"]. */
export type ConfigValue = string | number | boolean | readonly (string | number)[]

/** A section's options by their names; what a value may be, the command says. */
type Section<Settings> = { readonly [Name in keyof Settings]?: ConfigValue }

/** Of the verbs that write reports. */
interface Reporting {
  reporter?: string[]
}

/** Of `serve` alone: startMock() has none of them. */
interface Serving {
  open?: boolean
  detach?: boolean
  name?: string
  mcpAllowRun?: boolean
  mcpAllowRemote?: boolean
}

/** A section for each verb. */
export interface UnderstudyConfig {
  readonly serve?: Section<MockOptions & Serving>
  readonly check?: Section<CheckSettings & Reporting & { base: string; baseline: string }>
  readonly conduct?: Section<ConductSettings & Reporting>
  readonly rehearse?: Section<RehearseSettings & Reporting>
  readonly replay?: Section<ReplaySettings & Reporting>
  readonly record?: Section<RecorderOptions>
  /** For every drill that takes the option; a section in it is for that drill, and wins. */
  readonly drill?: Section<DrillSettings & Reporting> & {
    readonly [Name in DrillName]?: Section<DrillSettings & Reporting>
  }
  readonly 'webhook-check'?: Section<ReceiverSettings & Reporting>
  readonly mcp?: Section<McpSettings>
  readonly report?: Section<BugReportSettings>
  readonly scenarios?: Section<{ scenarios: string }>
  readonly demo?: Section<{ key: string; out: string }>
  readonly health?: Section<{ wait: string }>
  readonly open?: Section<{ port: number; browser: boolean }>
}
