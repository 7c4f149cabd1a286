/** The tools, in the order of an agent's work: ten at the most, as each costs every conversation its description. */
import type { AgentTool } from '../tool.ts'
import { mockTool, useScenarioTool } from './mocks.ts'
import { mutateTool } from './mutate.ts'
import { conductTool, whatHappenedTool, whyAnsweredTool, worldStateTool } from './questions.ts'
import { rehearseTool } from './rehearse.ts'
import { checkEndpointTool, drillTool } from './runs.ts'

export const tools: readonly AgentTool[] = [
  mockTool,
  useScenarioTool,
  whatHappenedTool,
  whyAnsweredTool,
  worldStateTool,
  conductTool,
  rehearseTool,
  mutateTool,
  checkEndpointTool,
  drillTool,
]

/** Tools of before, each with what is called in its place. */
export const renamedTools: Readonly<Record<string, string>> = {
  start_mock: 'mock with action: "start"',
  stop_mock: 'mock with action: "stop"',
}
