/** The options of `understudy mcp` in one table: --help, docs and the defaults are read from here. */
import { adminTokenOption, noDefault, type OptionRow, onOff, tlsFileOptions } from '../base/options.ts'
import type { TlsFiles } from '../base/pem.ts'
import { rehearseOptions } from '../rehearse/options.ts'

/** Its TLS files are for the mocks and endpoints that tools reach. */
export interface McpSettings extends TlsFiles {
  /** Let the agent run commands on this machine: the tools `rehearse` and `mutate`. */
  allowRun?: boolean
  /** Let tools send to other machines: `check_endpoint`, `drill`, and mocks that run elsewhere. */
  allowRemote?: boolean
  /** Folder that rehearsals leave their reports in. */
  out?: string
  /** Opens the /__mock of a mock that is not on loopback. */
  adminToken?: string
}

export const mcpOptions = {
  allowRun: {
    argument: '',
    isFlag: true,
    description: 'let the agent run commands: the tools rehearse and mutate',
    defaultText: 'off',
    default: noDefault,
    parse: onOff,
  },
  allowRemote: {
    argument: '',
    isFlag: true,
    description: 'let tools send to other machines; without it they reach loopback only',
    defaultText: 'off',
    default: noDefault,
    parse: onOff,
  },
  out: { ...rehearseOptions.out, description: 'folder for the reports of rehearsals' },
  adminToken: adminTokenOption,
  ...tlsFileOptions,
} as const satisfies Record<keyof McpSettings, OptionRow>
