/**
 * `understudy-mock/record`: a proxy before any endpoint, which keeps what passes as a recording (HAR 1.2).
 *
 *     import { startRecorder } from 'understudy-mock/record'
 */
export { UnderstudyError } from '../base/errors.ts'
export { ConfigError } from '../base/options.ts'
export { type Recorder, type RecorderOptions, startRecorder } from './recorder.ts'
