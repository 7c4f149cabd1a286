/**
 * Keeps process.nextTick() fast for as long as the process lives. V8 learns the shape of Node's tick objects from the first
 * ones, and holds it weakly: where the heap is collected while none of them lives, as at the end of most starts, it learns
 * that the shape varies, and each tick takes ten times as long from then on: a tenth of what a poll costs. One tick object that
 * is kept keeps the shape (findings/node-ticks-slow-for-life.sh).
 */
import { executionAsyncResource } from 'node:async_hooks'
import { nextTick } from 'node:process'

let kept: object | undefined

/** To be called as early as possible, before the heap is collected; again it does nothing. */
export function keepTickShape(): void {
  if (kept !== undefined) return
  kept = {}
  nextTick(() => {
    kept = executionAsyncResource()
  })
}
