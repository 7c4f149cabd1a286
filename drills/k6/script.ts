/** A script is put together from what it says: a constant, a metric or a function that nothing names is not in it. */

/** The names in the code that stand for something of its own: none in comments or quotes, none of properties. */
export function namesIn(code: string): Set<string> {
  const bare = code
    .replace(/\/\*\*[\s\S]*?\*\//g, '')
    .replace(/(^|\s)\/\/ .*$/gm, '')
    .replace(/'[^'\n]*'/g, "''")
  return new Set(bare.match(/(?<![\w$]|(?<!\.\.)\.)[A-Za-z_$][\w$]*/g))
}

/** Those of the pieces that the code names, and those that these name. In the order of the table. */
export function needed(code: string, pieces: Readonly<Record<string, string>>): string {
  const taken = new Set<string>()
  let all = code
  for (let before = -1; before !== taken.size; ) {
    before = taken.size
    const names = namesIn(all)
    for (const [name, piece] of Object.entries(pieces)) {
      if (taken.has(name) || !names.has(name)) continue
      taken.add(name)
      all += piece
    }
  }
  return Object.entries(pieces)
    .flatMap(([name, piece]) => (taken.has(name) ? piece : []))
    .join('')
}
