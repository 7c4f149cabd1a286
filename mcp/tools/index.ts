/** The tools, in the order of an agent's work: ten at the most, as each costs every conversation its description. */
import type { AgentTool } from '../tool.ts'
import { startMockTool, stopMockTool, useScenarioTool } from './mocks.ts'
import { conductTool, whatHappenedTool, whyAnsweredTool, worldStateTool } from './questions.ts'
import { checkEndpointTool, drillTool, rehearseTool } from './runs.ts'

export const tools: readonly AgentTool[] = [
  startMockTool,
  useScenarioTool,
  whatHappenedTool,
  whyAnsweredTool,
  worldStateTool,
  conductTool,
  rehearseTool,
  checkEndpointTool,
  drillTool,
  stopMockTool,
]
