/** Links in recorded answers lead to where the recording was made; they have to lead to the mock. */

/** Puts `to` in the place of each base that a JSON string begins with; all else of the text stays as it is. */
export function rewriteUrls(text: string, bases: readonly string[], to: string): string {
  let led = text
  for (const base of bases) {
    led = led.replaceAll(`"${base}/`, `"${to}/`).replaceAll(`"${base}"`, `"${to}"`)
    // As some servers write them: "http:\/\/host\/…".
    const escaped = base.replaceAll('/', '\\/')
    if (led.includes(escaped)) led = led.replaceAll(`"${escaped}\\/`, `"${to.replaceAll('/', '\\/')}\\/`)
  }
  return led
}
