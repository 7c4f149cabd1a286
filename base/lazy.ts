/** What is loaded only when it is first needed: most runs need little of it, and all would wait for it at their start. */
import { closeSync, openSync } from 'node:fs'

/** As many files as the largest of these has open at once while it is loaded. */
const filesAtOnce = 24

/**
 * Loads once, and keeps what came. A failure is not kept: the next call tries again. As Node keeps a failed import for as
 * long as it runs, none is begun while the process has too few descriptors left for its files; the call fails with EMFILE
 * then.
 */
export function lazy<T>(load: () => Promise<T>): () => Promise<T> {
  let loading: Promise<T> | undefined
  return () => {
    loading ??= begin(load).catch(error => {
      loading = undefined
      throw error
    })
    return loading
  }
}

async function begin<T>(load: () => Promise<T>): Promise<T> {
  const spare: number[] = []
  try {
    while (spare.length < filesAtOnce) spare.push(openSync(process.execPath, 'r'))
  } catch (error) {
    // A system that doesn't show us our own program has descriptors all the same.
    if (['EMFILE', 'ENFILE'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
  } finally {
    for (const one of spare) closeSync(one)
  }
  return load()
}
