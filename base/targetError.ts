/** Nobody answers at the target, or not the API. The command exits with 3. */
export class TargetError extends Error {}

/** Has a TargetError say which target it is about. */
export const atTarget = <T>(target: string, run: Promise<T>): Promise<T> =>
  run.catch(error => {
    throw error instanceof TargetError ? new TargetError(`${target}: ${error.message}`) : error
  })
