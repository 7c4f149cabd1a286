import { UnderstudyError } from './errors.ts'

/** Nothing answers at the target, or something other than what was expected. The command exits with 3. */
export class TargetError extends UnderstudyError {
  override readonly name = 'TargetError'
  readonly code = 'ERR_TARGET'
}

/** Has a TargetError say which target it is about. */
export const atTarget = <T>(target: string, run: Promise<T>): Promise<T> =>
  run.catch(error => {
    throw error instanceof TargetError ? new TargetError(`${target}: ${error.message}`) : error
  })
