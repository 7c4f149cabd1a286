export function bundle(
  entries: readonly string[],
  folder: string,
  options?: {
    outside?: readonly string[]
    inside?: readonly string[]
    alias?: Record<string, string>
    sourcemap?: boolean
  },
): Promise<import('esbuild').Metafile>

export function bundlePackage(entries: readonly string[], folder: string): Promise<void>
