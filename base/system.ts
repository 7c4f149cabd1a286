import { arch, release, type } from 'node:os'

/** The machine that this runs on, such as `Linux 6.1.0 x64`. */
export const operatingSystem = (): string => `${type()} ${release()} ${arch()}`
