export function buildDesk(options?: { always?: boolean }): Promise<void>
