/** How a command finds the mock that it is run against: by variables, and by placeholders in its words. */

/** Where the mock of a run is, and how the run is called. */
export interface RunPlaces {
  url: string
  key: string
  /** What webhooks are signed with. */
  secret: string
}

/** What webhook-secret-rotated goes on with. */
export const nextSecretOf = (secret: string): string => `${secret}_next`

/** The placeholders of the command and of --env: {url}, {key}, {secret}, and others that a verb has. */
export const fillPlaceholders = (text: string, places: object): string =>
  text.replace(/\{([a-z]+)\}/g, (whole, name: string) => {
    const value: unknown = Object.entries(places).find(([known]) => known === name)?.[1]
    return typeof value === 'string' ? value : whole
  })

/** The variables of one run: the usual ones, those of the verb (in capitals among the places), and the user's own. */
export function variablesFor(
  places: RunPlaces & Record<string, string>,
  own: readonly string[],
): Record<string, string> {
  const given = own.map(line => {
    const at = line.indexOf('=')
    return [line.slice(0, at), fillPlaceholders(line.slice(at + 1), places)] as const
  })
  return {
    UNDERSTUDY_BASE_URL: places.url,
    UNDERSTUDY_API_KEY: places.key,
    UNDERSTUDY_SIGNING_SECRET: places.secret,
    UNDERSTUDY_NEXT_SIGNING_SECRET: nextSecretOf(places.secret),
    ...Object.fromEntries(Object.entries(places).filter(([name]) => name === name.toUpperCase())),
    ...Object.fromEntries(given),
  }
}
