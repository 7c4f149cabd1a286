import { backoff, isTransient, retryAfter } from './call.mjs'

export function undiciSettings(longest) {
  // <careful>
  return {
    // With maxTimeout alone it would come back early: a wait of a day is cut to it.
    retry(error, { state, opts }, done) {
      const wait = retryAfter(error.headers)
      const again = error.statusCode === undefined || isTransient(error.statusCode)
      if (!again || wait > longest || state.counter > opts.retryOptions.maxRetries) return done(error)
      setTimeout(() => done(null), Math.max(wait, backoff(state.counter++ - 1)))
    },
    maxRetries: 4,
    methods: ['GET', 'POST'],
    throwOnError: false,
  }
  // </careful>
}
