/** Every option of `understudy report` in one table, as --help has it. */
import { adminTokenOption, caOption, type OptionRow, onOff, text } from '../base/options.ts'

export interface BugReportSettings {
  /** The zip file to write. */
  out?: string
  /** Overwrite an existing file. */
  force?: boolean
  /** Opens the mock's /__mock off loopback. */
  adminToken?: string
  /** PEM file of an authority that the mock's certificate is trusted by. */
  ca?: string
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
  ca: caOption,
} as const satisfies Record<keyof BugReportSettings, OptionRow>
