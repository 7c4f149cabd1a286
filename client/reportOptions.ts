/** Every option of `understudy report` in one table, as --help has it. */
import { adminTokenOption, type OptionRow, onOff, text, tlsFileOptions } from '../base/options.ts'
import type { TlsFiles } from '../base/pem.ts'

export interface BugReportSettings extends TlsFiles {
  /** The zip file to write. */
  out?: string
  /** Overwrite an existing file. */
  force?: boolean
  /** Opens the mock's /__mock off loopback. */
  adminToken?: string
}

export const bugReportOptions = {
  out: {
    argument: '<file.zip>',
    description: 'the zip file to write',
    defaultText: 'understudy-report-DATE.zip',
    default: () => undefined,
    parse: text('a file, such as report.zip'),
  },
  force: {
    argument: '',
    isFlag: true,
    description: 'overwrite an existing file',
    defaultText: 'off',
    default: () => undefined,
    parse: onOff,
  },
  adminToken: adminTokenOption,
  ...tlsFileOptions,
} as const satisfies Record<keyof BugReportSettings, OptionRow>
