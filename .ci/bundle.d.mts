export function bundle(
  entries: readonly string[],
  folder: string,
  outside?: readonly string[],
): Promise<import('esbuild').Metafile>

export function bundlePackage(entries: readonly string[], folder: string): Promise<void>
