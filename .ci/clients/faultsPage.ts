export const faultsPage = (found: object): string => JSON.stringify(found)
