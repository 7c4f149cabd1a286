/** The few tests that a comparison of two runs is made of. Pure, and each with what it takes for granted. */

/** The chance of a normal variable being this far from its middle, on either side. Right to six digits of it. */
export function twoSided(z: number): number {
  const x = Math.abs(z) / Math.SQRT2
  const t = 1 / (1 + x / 2)
  const terms = [
    -1.26551223, 1.00002368, 0.37409196, 0.09678418, -0.18628806, 0.27886807, -1.13520398, 1.48851587, -0.82215223,
    0.17087277,
  ]
  return Math.min(1, t * Math.exp(-x * x + terms.reduceRight((sum, term) => term + t * sum, 0)))
}

/**
 * Wilcoxon's signed-rank test on the differences of pairs, as z: by how many standard deviations they lean to one side.
 * With the corrections for ties and for continuity; pairs that don't differ say nothing and are left out.
 */
export function signedRank(differences: readonly number[]): number {
  const sorted = differences.filter(value => value !== 0).sort((a, b) => Math.abs(a) - Math.abs(b))
  const n = sorted.length
  let above = 0
  let ties = 0
  for (let from = 0; from < n; ) {
    let to = from
    while (to < n && Math.abs(sorted[to] ?? 0) === Math.abs(sorted[from] ?? 0)) to++
    const tied = to - from
    for (const value of sorted.slice(from, to)) if (value > 0) above += (from + 1 + to) / 2
    ties += tied ** 3 - tied
    from = to
  }
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - ties / 48
  const lean = above - (n * (n + 1)) / 4
  return variance <= 0 ? 0 : (Math.sign(lean) * Math.max(0, Math.abs(lean) - 0.5)) / Math.sqrt(variance)
}

/**
 * For how much a value of the row counts, 0 to 1, as neighbours are alike: (1 - r) / (1 + r) of their autocorrelation r.
 * One that is negative is taken for chance.
 */
export function effectiveShare(values: readonly number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const off = values.map(value => value - mean)
  const all = off.reduce((sum, value) => sum + value * value, 0)
  const next = off.reduce((sum, value, i) => sum + value * (off[i + 1] ?? 0), 0)
  const r = all === 0 ? 0 : Math.min(0.95, Math.max(0, next / all))
  return (1 - r) / (1 + r)
}

/**
 * Two shares, as z: pooled, with Yates' correction, so that 3 against 0 prove nothing. Takes each of them to come about
 * by itself.
 */
export function proportions(part: number, whole: number, otherPart: number, otherWhole: number): number {
  const pooled = (part + otherPart) / (whole + otherWhole)
  const weight = 1 / whole + 1 / otherWhole
  const difference = otherPart / otherWhole - part / whole
  const spread = Math.sqrt(pooled * (1 - pooled) * weight)
  return spread > 0 ? (Math.sign(difference) * Math.max(0, Math.abs(difference) - weight / 2)) / spread : 0
}

/** Each p with Holm's correction: the chance that any of them all was so by chance. */
export function holm(ps: readonly number[]): number[] {
  const ranked = ps.map((p, i) => ({ p, i })).sort((a, b) => a.p - b.p)
  const corrected = ps.map(() => 1)
  let highest = 0
  for (const [rank, { p, i }] of ranked.entries()) {
    highest = Math.max(highest, Math.min(1, p * (ps.length - rank)))
    corrected[i] = highest
  }
  return corrected
}
