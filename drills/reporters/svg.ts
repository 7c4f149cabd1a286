/** A plot as a still picture: for print, for whoever lets no script run, and until the script has drawn its own. */
import { type Markup, markup } from '../../reports/markup.ts'
import type { Plot, PlotData } from './plots.ts'
import { most } from './shared.ts'

const box = { width: 960, height: 236, left: 64, right: 20, top: 22, bottom: 26 }
const bottom = box.height - box.bottom
const right = box.width - box.right

type Sample = readonly [x: number, y: number | null]
interface Scale {
  x(value: number): number
  y(value: number): number
}

interface Drawn {
  samples: Sample[]
  /** Where each of them begins, in a stack. */
  base: number[]
  line: Plot['lines'][number]
}

export function svg(data: PlotData, plot: Plot): Markup {
  const drawn = linesOf(data, plot)
  const x = plot.kind === 'curve' ? rareScale(data) : timeScale(data)
  const values = drawn.flatMap(({ samples }) => samples.map(([, y]) => y)).filter(y => y !== null)
  const y = valueScale(plot, values)
  return markup`<svg class="still" viewBox="0 0 ${box.width} ${box.height}" role="img" aria-label="${plot.title}. ${plot.about}">
${plot.kind === 'curve' ? [] : bands(data, x.at)}
${y.ticks.map(value => markup`<path class="grid" d="M${box.left} ${round(y.at(value))}H${right}"/><text class="tick" x="${box.left - 8}" y="${round(y.at(value) + 4)}" text-anchor="end">${y.label(value)}</text>`)}
${x.ticks.map(([value, text]) => markup`<text class="tick" x="${round(x.at(value))}" y="${bottom + 18}" text-anchor="middle">${text}</text>`)}
${drawn.map(one => pathOf(one, data, { x: x.at, y: y.at }))}
${plot.limits.filter(({ value }) => value <= y.top).map(limit => limitLine(limit, y.at))}
</svg>`
}

/** The signs and names of the lines, as a picture alone tells none. */
export const legend = ({ lines }: Plot): Markup =>
  lines.length < 2
    ? markup``
    : markup`<ul class="still keys">${lines.map(({ label, tone, dashed }) => markup`<li><i class="key tone-${tone}${dashed ? ' dashed' : ''}"></i>${label}</li>`)}</ul>`

/** No picture shows more than this many points; those of a longer drill are put together. */
const pointsShown = 320

function linesOf(data: PlotData, plot: Plot): Drawn[] {
  const times = (data.columns.at_ms ?? []).map(at => at ?? 0)
  const base: number[] = []
  const drawn = plot.lines.map((line): Drawn => {
    const under = [...base]
    if (plot.kind === 'curve') return { line, base: under, samples: data.curve }
    if (plot.gauge !== undefined) {
      const points = data.gauges[plot.gauge]?.points ?? []
      return { line, base: under, samples: thin(points, most) }
    }
    const scale = plot.perSecond ? 1000 / data.every_ms : 1
    const middle = line.shape === 'bar' ? 0 : data.every_ms / 2
    const column = data.columns[line.column] ?? []
    const samples = thin(
      times.map((at, i): Sample => [at + middle, column[i] == null ? null : (column[i] ?? 0) * scale]),
      plot.perSecond ? mean : most,
    )
    if (!plot.stacked) return { line, base: under, samples }
    const stacked = samples.map(([at, y], i): Sample => {
      base[i] = (base[i] ?? 0) + (y ?? 0)
      return [at, base[i] ?? 0]
    })
    return { line, base: under, samples: stacked }
  })
  return plot.stacked ? drawn.reverse() : drawn
}

function thin(samples: readonly Sample[], join: (values: number[]) => number | undefined): Sample[] {
  const size = Math.ceil(samples.length / pointsShown)
  if (size <= 1) return [...samples]
  return Array.from({ length: Math.ceil(samples.length / size) }, (_, i): Sample => {
    const part = samples.slice(i * size, (i + 1) * size)
    return [part[0]?.[0] ?? 0, join(part.map(([, y]) => y).filter(y => y !== null)) ?? null]
  })
}

const mean = (values: number[]): number | undefined =>
  values.length === 0 ? undefined : values.reduce((a, b) => a + b) / values.length

function pathOf({ line, samples, base }: Drawn, data: PlotData, scale: Scale): Markup {
  const { shape, tone, dashed, thin } = line
  if (shape === 'bar') return markup`<path class="fill tone-${tone}" d="${barsPath(samples, base, data, scale)}"/>`
  const area =
    shape === 'area' ? markup`<path class="area tone-${tone}" d="${linePath(samples, true, scale)}"/>` : markup``
  const kind = `line tone-${tone}${thin ? ' thin' : ''}${dashed ? ' dashed' : ''}`
  return markup`${area}<path class="${kind}" d="${linePath(samples, false, scale)}"/>`
}

/** Each as wide as its interval, from where the one beneath it in the stack ends. */
function barsPath(
  samples: readonly Sample[],
  base: readonly number[],
  { every_ms, end_ms }: PlotData,
  { x, y }: Scale,
): string {
  const width = samples.length > 1 ? (samples[1]?.[0] ?? 0) - (samples[0]?.[0] ?? 0) : every_ms
  const bars = samples.map(([at, value], i) => {
    const low = base[i] ?? 0
    if (value === null || value <= low) return ''
    return `M${round(x(at))} ${round(y(low))}V${round(y(value))}H${round(x(Math.min(at + width, end_ms)))}V${round(y(low))}Z`
  })
  return bars.join('')
}

/** With a gap where there is nothing; an area goes down to nothing at the ends of each piece. */
function linePath(samples: readonly Sample[], isArea: boolean, { x, y }: Scale): string {
  let d = ''
  let start: number | undefined
  const close = () => (isArea && start !== undefined ? `V${round(y(0))}H${round(start)}Z` : '')
  for (const [at, value] of samples) {
    if (value === null) {
      d += close()
      start = undefined
      continue
    }
    d += `${start === undefined ? 'M' : 'L'}${round(x(at))} ${round(y(value))}`
    start ??= x(at)
  }
  return d + close()
}

const limitLine = ({ label, value }: Plot['limits'][number], y: (value: number) => number): Markup =>
  markup`<path class="limit" d="M${box.left} ${round(y(value))}H${right}"/><text class="limit" x="${right - 4}" y="${round(y(value) - 5)}" text-anchor="end">${label}</text>`

/** About as wide as a sign is, to keep labels from lying on one another. */
const signWidth = 6.2

function bands({ marks, end_ms }: PlotData, x: (value: number) => number): Markup[] {
  let free = box.left
  const order = marks.toSorted((a, b) => a.from_ms - b.from_ms)
  return order.map(({ label, from_ms, to_ms, kind = 'step' }, i) => {
    const from = x(Math.min(from_ms, end_ms))
    const to = to_ms === undefined ? from : x(Math.min(to_ms, end_ms))
    const fits = from >= free && from + 4 + label.length * signWidth <= right
    if (fits) free = from + 10 + label.length * signWidth
    const area =
      to > from
        ? markup`<rect class="band ${kind}${i % 2 ? ' odd' : ''}" x="${round(from)}" y="${box.top}" width="${round(to - from)}" height="${bottom - box.top}"/>`
        : markup``
    const text = fits ? markup`<text class="mark" x="${round(from + 4)}" y="${box.top - 7}">${label}</text>` : markup``
    return markup`${area}<path class="edge ${kind}" d="M${round(from)} ${box.top - 16}V${bottom}"/>${text}\n`
  })
}

function timeScale({ end_ms }: PlotData) {
  const end = Math.max(1, end_ms)
  const at = (ms: number) => box.left + ((right - box.left) * ms) / end
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400]
  const step = 1000 * (steps.find(seconds => end / 1000 / seconds <= 10) ?? 86_400)
  const ticks = Array.from({ length: Math.floor(end / step) + 1 }, (_, i): [number, string] => [
    i * step,
    clock(i * step),
  ])
  return { at, ticks: end < 1000 ? ([[0, '0']] as [number, string][]) : ticks }
}

/** "0:30", "1:02:00" */
export function clock(ms: number): string {
  const seconds = Math.round(ms / 1000)
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60]
  const two = (value: number) => String(value).padStart(2, '0')
  return h > 0 ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`
}

function rareScale({ curve }: PlotData) {
  const end = Math.log10(Math.max(10, curve.at(-1)?.[0] ?? 10))
  const at = (rarity: number) => box.left + ((right - box.left) * Math.log10(Math.max(1, rarity))) / end
  const ticks = [1, 10, 100, 1000, 1e4, 1e5, 1e6].filter(value => Math.log10(value) <= end)
  return { at, ticks: ticks.map((value): [number, string] => [value, percentileName(value)]) }
}

/** 100 as "99 %" */
const percentileName = (rarity: number): string => `${Number((100 - 100 / rarity).toPrecision(8))} %`

function valueScale(plot: Plot, values: readonly number[]) {
  const label = (value: number) => axisLabel(value, plot.unit)
  const highest = most(values) ?? 0
  const limits = plot.limits.map(({ value }) => value).filter(value => plot.log || value <= 2 * highest)
  const top = Math.max(highest, ...limits)
  if (plot.log) {
    const positive = values.filter(value => value > 0)
    const from = Math.log10(positive.reduce((a, b) => Math.min(a, b), top)) - 0.05
    const to = Math.log10(top) + 0.08
    const at = (value: number) =>
      bottom - ((bottom - box.top) * (Math.log10(Math.max(value, 1e-6)) - from)) / (to - from)
    const decades = Array.from({ length: 12 }, (_, i) => i - 4).flatMap(e => [1, 2, 5].map(m => m * 10 ** e))
    const inside = decades.filter(value => Math.log10(value) >= from && Math.log10(value) <= to)
    const ticks = inside.length > 8 ? inside.filter(value => Number.isInteger(Math.log10(value))) : inside
    return { at, ticks, label, top }
  }
  const span = top <= 0 ? 1 : top * 1.08
  const raw = span / 5
  const magnitude = 10 ** Math.floor(Math.log10(raw))
  const step = magnitude * ([1, 2, 2.5, 5, 10].find(factor => factor * magnitude >= raw) ?? 10)
  const ticks = Array.from({ length: Math.floor(span / step + 1e-9) + 1 }, (_, i) => i * step)
  return { at: (value: number) => bottom - ((bottom - box.top) * value) / span, ticks, label, top }
}

/** Short, as an axis has to be: "250 ms", "2 s", "40/s", "90 MB". */
function axisLabel(value: number, unit: string): string {
  const plain = (number: number) => number.toLocaleString('en-US', { maximumSignificantDigits: 4 })
  if (unit === 'ms') return value >= 1000 ? `${plain(value / 1000)} s` : `${plain(value)} ms`
  if (unit === '/s') return `${plain(value)}/s`
  if (/^bytes?$/i.test(unit) && value === 0) return '0'
  if (/^bytes?$/i.test(unit)) return value >= 1e6 ? `${plain(value / 1e6)} MB` : `${plain(value / 1e3)} kB`
  return unit === '' || unit === '%' ? `${plain(value)}${unit && ' %'}` : plain(value)
}

const round = (value: number): string => String(Math.round(value * 10) / 10)
