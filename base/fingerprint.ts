import { hash } from 'node:crypto'
/** What a key is called where it must not be shown. */
export const fingerprintOf = (key: string): string => hash('sha256', key).slice(0, 12)
