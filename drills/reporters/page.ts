/** The looks and the manners of a drill's page, on top of those of the suite's. Nothing of a report is in here. */
import { copyButtons } from '../../reports/page.ts'

const tones = {
  blue: ['#1f6feb', '#6cb0ff'],
  teal: ['#0f8a96', '#45c4d0'],
  orange: ['#d9660a', '#f39a4b'],
  red: ['#cf3038', '#ff7b72'],
  violet: ['#8250df', '#bc97ff'],
  yellow: ['#b98900', '#e3b341'],
  green: ['#93cba3', '#2f6f45'],
  grey: ['#8a939d', '#7d8893'],
  dark: ['#3d444d', '#c9d1d9'],
} as const

const palette = (mode: 0 | 1): string =>
  Object.entries(tones)
    .map(([name, colours]) => `--${name}: ${colours[mode]}`)
    .join('; ')

const light = `${palette(0)}; --grid: #e4e8ec; --band-outage: rgb(207 48 56 / .1); --band: rgb(31 111 235 / .07); --band-wait: rgb(138 147 157 / .16)`

export const drillStyle = `
:root { ${light} }
@media (prefers-color-scheme: dark) {
  :root { ${palette(1)}; --grid: #232b34; --band-outage: rgb(255 123 114 / .16); --band: rgb(108 176 255 / .09); --band-wait: rgb(139 150 162 / .18) }
}
body { max-width: 70rem }
h1 { display: flex; gap: .6rem; align-items: baseline }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.2rem, 1fr)); gap: 0; margin: 1.75rem 0 0; padding: 0;
  border: 1px solid var(--line); border-radius: 8px; overflow: hidden }
.tiles > div { padding: .8rem 1rem .75rem; box-shadow: 1px 0 0 var(--line), 0 1px 0 var(--line) } .tiles dt { font-size: .8rem }
.tiles dd { font-size: 1.3rem; font-weight: 600; letter-spacing: -.01em; font-variant-numeric: tabular-nums; white-space: nowrap }
.tiles small { display: block; color: var(--soft); font-size: .78rem; font-weight: 400; letter-spacing: 0; white-space: normal; line-height: 1.35 }
.facts { margin-top: 1.5rem }
table.numbers { font-variant-numeric: tabular-nums } table.numbers td, table.numbers th { padding-right: 1rem } .numbers td:first-child { white-space: nowrap }
table.numbers tbody tr:last-child td { border-bottom: 0 }
.numbers .number:not(:last-child) { padding-left: .25rem }
.thresholds td:first-child { white-space: nowrap } .thresholds code { font-size: .9rem; white-space: nowrap }
td.failed { font-weight: 600 }
figure { margin: 1.75rem 0 0; min-width: 0 }
figcaption { display: grid; grid-template-columns: 1fr auto; gap: 0 1rem; align-items: baseline; margin-bottom: .35rem }
figcaption h3 { font-size: .98rem } figcaption p { grid-column: 1 / -1; margin: 0; color: var(--soft); font-size: .88rem }
figcaption button { font-size: .78rem; padding: .05rem .55rem; color: var(--soft) }
figcaption button[aria-pressed=true] { color: var(--ink); background: var(--well) }
.plot { position: relative; min-height: 60px }
.still { display: block; width: 100%; height: auto }
.still .tick, .still .mark { font: 11px system-ui, sans-serif; fill: var(--soft) } .still text.limit { font: 600 11px system-ui, sans-serif; fill: var(--red); stroke: none }
.still .grid { stroke: var(--grid); fill: none } .still .line { fill: none; stroke: var(--tone); stroke-width: 1.6; stroke-linejoin: round }
.still .line.thin { stroke-width: 1 } .still .dashed { stroke-dasharray: 5 4 } .still .fill { fill: var(--tone) }
.still .area { fill: var(--tone); fill-opacity: .16 }
.still path.limit { fill: none; stroke: var(--red); stroke-width: 1.3; stroke-dasharray: 6 4 }
.still .band { fill: var(--band) } .still .band.step { fill: none } .still .band.step.odd { fill: var(--band) }
.still .band.outage { fill: var(--band-outage) } .still .band.wait { fill: var(--band-wait) }
.still .edge { stroke: var(--soft); stroke-opacity: .45; fill: none } .still .edge.well { stroke: var(--passed); stroke-opacity: 1 }
${Object.keys(tones)
  .map(name => `.tone-${name} { --tone: var(--${name}) }`)
  .join(' ')}
ul.keys { display: flex; flex-wrap: wrap; gap: 0 1.1rem; list-style: none; margin: .25rem 0 0 3.9rem; padding: 0; font-size: .82rem }
.key { display: inline-block; width: .9rem; height: 0; border-top: 3px solid var(--tone); vertical-align: .25em; margin-right: .4rem } .key.dashed { border-top-style: dashed }
.live .still { display: none }
.uplot { font-family: inherit; line-height: 1.4 } .uplot .u-legend { width: auto; font-size: .82rem; margin: 0 0 0 3.9rem; text-align: left; color: var(--ink) }
.uplot .u-legend th, .uplot .u-legend td { padding: .1rem .2rem; border: 0; color: inherit; font-variant-numeric: tabular-nums }
.uplot .u-legend th { font-weight: 400 } .uplot .u-legend .u-value { min-width: 4.6rem; color: var(--ink); font-weight: 600 }
.uplot .u-inline.u-live th::after { content: none } .uplot .u-inline tr { margin-right: .6rem } .uplot .u-legend .u-marker { width: .85rem; height: .7rem; border-radius: 2px }
.uplot .u-select { background: var(--band-wait) } .uplot .u-hz .u-cursor-x, .uplot .u-hz .u-cursor-y { border-color: var(--soft) }
.fixed .u-series { pointer-events: none }
.hint { margin: .2rem 0 0; font-size: .88rem; color: var(--soft) }
h3.breach { margin: 1.5rem 0 .5rem } .columns { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 26rem), 1fr)); gap: 0 2.5rem }
.columns dl { font-size: .93rem; align-content: start }
.gauges { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 28rem), 1fr)); gap: 0 2rem }
@media (max-width: 40rem) { ul.keys, .uplot .u-legend { margin-left: 0 } dl.rows { grid-template-columns: 1fr; gap: 0 } dl.rows dd { margin-bottom: .5rem } }
@media print {
  :root { ${light} }
  .uplot, .hint, figcaption button { display: none !important } .live .still { display: block } .live ul.keys { display: flex }
  figure, .tiles, .evidence { break-inside: avoid }
  .plot { height: auto !important }
}
`

/**
 * How a number is written, as numbers.ts does it: a test holds the two together. Text of its own, as the page can import
 * nothing.
 */
export const numberScript = `
const grouped = (value, digits) =>
  value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })
const number = value => grouped(value, Math.abs(value) >= 99.95 ? 0 : Math.abs(value) >= 9.995 ? 1 : 2)
const bare = value => (Number.isInteger(value) ? value.toLocaleString('en-US') : number(value))
const duration = ms => {
  if (ms < 1000) return Math.round(ms) + ' ms'
  if (ms < 60000) return (ms / 1000).toFixed(1) + ' s'
  return Math.floor(ms / 60000) + ' min ' + Math.floor((ms % 60000) / 1000) + ' s'
}
const millis = ms => {
  if (Math.abs(ms) < 9999.5) return number(ms) + ' ms'
  return Math.abs(ms) < 60000 ? number(ms / 1000) + ' s' : duration(ms)
}
const moment = ms => (ms < 60000 ? (ms / 1000).toFixed(1) + ' s' : duration(ms))
const size = bytes => {
  if (bytes < 1000) return bytes.toLocaleString('en-US') + (bytes === 1 ? ' byte' : ' bytes')
  return bytes < 1e6 ? (bytes / 1e3).toFixed(1) + ' kB' : (bytes / 1e6).toFixed(1) + ' MB'
}
const percent = value => {
  if (value > 0 && value < 0.01) return '<0.01 %'
  if (value < 100 && value > 99.99) return '>99.99 %'
  return (Number.isInteger(value) ? value : value > 99 ? value.toFixed(2) : number(value)) + ' %'
}
const say = (value, unit) => {
  if (value == null) return '–'
  if (unit === 'ms') return millis(value)
  if (unit === '/s') return bare(value) + '/s'
  if (unit === '%') return percent(value)
  if (/^bytes?$/i.test(unit)) return size(Math.round(value))
  return unit === '' ? bare(value) : bare(value) + ' ' + unit
}
`

/** Draws the plots with uPlot. Without it the page has the still ones and all of its numbers. */
export const drillScript = `
'use strict'
${numberScript}
const data = JSON.parse(document.getElementById('data').textContent)
// An interval stands at its middle.
const seconds = data.columns.at_ms.map(ms => (ms + data.every_ms / 2) / 1000)
const end = Math.max(data.end_ms / 1000, 0.001)
const colour = name => getComputedStyle(document.documentElement).getPropertyValue('--' + name).trim()
const faded = hex => hex + '28'
const font = size => size + 'px system-ui, -apple-system, "Segoe UI", sans-serif'
const plain = value => value.toLocaleString('en-US', { maximumSignificantDigits: 4 })
const axisText = (value, unit) => {
  if (value == null) return ''
  if (unit === 'ms') return value >= 1000 ? plain(value / 1000) + ' s' : plain(value) + ' ms'
  if (unit === '/s') return plain(value) + '/s'
  if (/^bytes?$/i.test(unit)) return value === 0 ? '0' : value >= 1e6 ? plain(value / 1e6) + ' MB' : plain(value / 1e3) + ' kB'
  return unit === '%' ? plain(value) + ' %' : plain(value)
}
const clock = value => {
  if (value < 60 && value % 1) return value.toFixed(1)
  const all = Math.round(value)
  const [h, m, s] = [Math.floor(all / 3600), Math.floor(all / 60) % 60, all % 60]
  const two = part => String(part).padStart(2, '0')
  return h > 0 ? h + ':' + two(m) + ':' + two(s) : m + ':' + two(s)
}
const percentile = rarity => Number((100 - 100 / rarity).toPrecision(8)) + ' %'
const isTime = plot => plot.kind !== 'curve'

const columnsOf = plot => {
  if (plot.kind === 'curve') return [data.curve.map(point => point[0]), data.curve.map(point => point[1])]
  if (plot.kind === 'gauge') {
    const points = data.gauges[plot.gauge].points
    return [points.map(point => point[0] / 1000), points.map(point => point[1])]
  }
  const scale = plot.perSecond ? 1000 / data.every_ms : 1
  return [seconds, ...plot.lines.map(line => data.columns[line.column].map(value => (value == null ? null : value * scale)))]
}
// What has none of an interval has no place in its stack.
const stack = columns => {
  const sums = columns[0].map(() => 0)
  return [columns[0], ...columns.slice(1).map(column => column.map((value, i) => (value ? (sums[i] += value) : null)))]
}

/** Spans and moments of the drill lie beneath the lines, their labels above them. */
const drawMarks = u => {
  const { ctx, bbox } = u
  const ratio = devicePixelRatio
  const { min, max } = u.scales.x
  let free = bbox.left
  ctx.save()
  ctx.font = font(11 * ratio)
  ctx.textBaseline = 'alphabetic'
  ctx.textAlign = 'left'
  const order = [...data.marks].sort((a, b) => a.from_ms - b.from_ms)
  order.forEach(({ label, from_ms, to_ms, kind = 'step' }, i) => {
    const until = to_ms === undefined ? from_ms : to_ms
    if (until / 1000 < min || from_ms / 1000 > max) return
    const from = u.valToPos(Math.max(from_ms / 1000, min), 'x', true)
    const to = u.valToPos(Math.min(until / 1000, max), 'x', true)
    if (to > from && (kind !== 'step' || i % 2)) {
      ctx.fillStyle = colour(kind === 'outage' ? 'band-outage' : kind === 'wait' ? 'band-wait' : 'band')
      ctx.fillRect(from, bbox.top, to - from, bbox.height)
    }
    ctx.globalAlpha = kind === 'well' ? 1 : 0.45
    ctx.fillStyle = colour(kind === 'well' ? 'passed' : 'soft')
    ctx.fillRect(Math.round(from), bbox.top - 15 * ratio, Math.max(1, ratio), bbox.height + 15 * ratio)
    ctx.globalAlpha = 1
    const width = ctx.measureText(label).width
    if (from >= free && from + 5 * ratio + width <= bbox.left + bbox.width) {
      ctx.fillStyle = colour('soft')
      ctx.fillText(label, from + 5 * ratio, bbox.top - 6 * ratio)
      free = from + width + 12 * ratio
    }
  })
  ctx.restore()
}
const drawLimits = plot => u => {
  const { ctx, bbox } = u
  const ratio = devicePixelRatio
  ctx.save()
  ctx.strokeStyle = ctx.fillStyle = colour('red')
  ctx.lineWidth = 1.3 * ratio
  ctx.setLineDash([6 * ratio, 4 * ratio])
  ctx.font = '600 ' + font(11 * ratio)
  ctx.textBaseline = 'alphabetic'
  ctx.textAlign = 'right'
  for (const { label, value } of plot.limits) {
    const y = u.valToPos(value, 'y', true)
    if (y < bbox.top - 1 || y > bbox.top + bbox.height) continue
    ctx.beginPath()
    ctx.moveTo(bbox.left, y)
    ctx.lineTo(bbox.left + bbox.width, y)
    ctx.stroke()
    ctx.fillText(label, bbox.left + bbox.width - 4 * ratio, y - 5 * ratio)
  }
  ctx.restore()
}

const scaleOf = (plot, log) => {
  const limits = plot.limits.map(limit => limit.value)
  if (log) return { distr: 3, range: (u, low, high) => {
    const most = Math.max(high || 1, ...limits)
    return [(low > 0 ? low : 0.1) / 1.15, most * 1.25]
  } }
  return { range: (u, low, high) => {
    const most = Math.max(high || 0, ...limits.filter(limit => limit <= 2 * high))
    return [0, most > 0 ? most * 1.08 : 1]
  } }
}

const live = []
const views = new Map()
let zooming = false
const follow = u => {
  if (zooming || u.status !== 1) return
  zooming = true
  const { min, max } = u.scales.x
  for (const other of live)
    if (other.isTime && other.u !== u && (other.u.scales.x.min !== min || other.u.scales.x.max !== max))
      other.u.setScale('x', { min, max })
  zooming = false
}

const draw = (plot, host) => {
  const log = views.get(plot.id) ?? plot.log ?? false
  const raw = columnsOf(plot)
  const values = plot.stacked ? stack(raw) : log ? [raw[0], ...raw.slice(1).map(column => column.map(value => (value > 0 ? value : null)))] : raw
  const bars = uPlot.paths.bars({ size: [1, Infinity], align: 0, gap: 0 })
  const lines = plot.lines.map((line, i) => {
    const tone = colour(line.tone)
    const filled = line.shape === 'bar'
    return {
      label: line.label,
      stroke: tone,
      width: filled ? 0 : line.thin ? 1 : 1.8,
      fill: filled ? tone : line.shape === 'area' ? faded(tone) : undefined,
      dash: line.dashed ? [5, 4] : undefined,
      paths: filled ? bars : undefined,
      points: { show: raw[0].length < 3 },
      value: (u, value, series, at) => (at == null ? '' : say(raw[i + 1][at], plot.unit)),
    }
  })
  const columns = values.slice(1)
  // What is highest in a stack is drawn first: the others lie on it.
  if (plot.stacked) { lines.reverse(); columns.reverse() }
  const ink = colour('soft')
  const grid = { stroke: colour('grid'), width: 1 }
  const options = {
    width: host.clientWidth,
    height: host.clientWidth < 520 ? 190 : 236,
    padding: [isTime(plot) && data.marks.length ? 22 : 10, 20, 0, 0],
    cursor: isTime(plot)
      ? { sync: { key: 'drill', scales: ['x', null], filters: { pub: type => /mouse(move|leave)/.test(type), sub: type => /mouse(move|leave)/.test(type) } }, drag: { x: true, y: false }, y: false, points: { size: 6 } }
      : { drag: { x: true, y: false }, y: false, points: { size: 6 } },
    scales: {
      x: isTime(plot) ? { time: false, range: (u, low, high) => (low === high || low == null || (low <= raw[0][0] && high >= raw[0].at(-1)) ? [0, end] : [low, high]) } : { time: false, distr: 3, range: (u, low, high) => [low ?? 1, high ?? 10] },
      y: scaleOf(plot, log),
    },
    axes: [
      { stroke: ink, font: font(11), grid: { show: false }, ticks: { show: false }, size: 30, gap: 8, space: 64,
        ...(isTime(plot)
          ? { incrs: [0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400], values: (u, splits) => splits.map(clock) }
          : { splits: () => [1, 10, 100, 1000, 1e4, 1e5, 1e6], filter: (u, splits) => splits.map(value => (value <= u.scales.x.max ? value : null)), values: (u, splits) => splits.map(value => (value == null ? '' : percentile(value))) }) },
      { stroke: ink, font: font(11), grid, ticks: { show: false }, size: 64, gap: 8,
        ...(log ? { splits: (u, axis, low, high) => decades(low, high), filter: (u, splits) => splits } : {}),
        values: (u, splits) => splits.map(value => axisText(value, plot.unit)) },
    ],
    series: [{ label: isTime(plot) ? 'at' : 'within', value: (u, value) => (value == null ? '' : isTime(plot) ? moment(value * 1000 - (plot.kind === 'gauge' ? 0 : data.every_ms / 2)) : percentile(value)) }, ...lines],
    legend: { markers: { width: 0, fill: (u, i) => (i > 0 ? lines[i - 1].stroke : 'transparent') } },
    hooks: {
      drawClear: isTime(plot) ? [drawMarks] : [],
      draw: [drawLimits(plot)],
      setScale: isTime(plot) ? [(u, key) => { if (key === 'x') follow(u) }] : [],
    },
  }
  // Of a stack the legend tells each part's own number, whatever was reversed.
  if (plot.stacked) lines.forEach((line, i) => { const own = raw[raw.length - 1 - i]; line.value = (u, value, series, at) => (at == null ? '' : say(own[at], plot.unit)) })
  const u = new uPlot(options, [values[0], ...columns], host)
  host.classList.toggle('fixed', Boolean(plot.stacked))
  return { u, isTime: isTime(plot), host }
}
const decades = (low, high) => {
  const all = []
  for (let e = Math.floor(Math.log10(low)) - 1; e <= Math.ceil(Math.log10(high)); e++) for (const m of [1, 2, 5]) all.push(m * 10 ** e)
  const inside = all.filter(value => value >= low && value <= high)
  return inside.length > 8 ? inside.filter(value => Number.isInteger(Math.round(Math.log10(value) * 1e6) / 1e6)) : inside
}

const drawAll = () => {
  const zoom = live.find(one => one.isTime)
  const limits = zoom && { min: zoom.u.scales.x.min, max: zoom.u.scales.x.max }
  for (const { u } of live.splice(0)) u.destroy()
  for (const plot of data.plots) {
    const host = document.querySelector('#' + plot.id + ' .plot')
    host.classList.add('live')
    live.push(draw(plot, host))
  }
  if (limits) for (const one of live) if (one.isTime) one.u.setScale('x', limits)
}
for (const plot of data.plots) {
  if (plot.unit !== 'ms' || plot.kind === 'gauge') continue
  const button = document.createElement('button')
  button.type = 'button'
  button.textContent = 'Log scale'
  views.set(plot.id, Boolean(plot.log))
  button.setAttribute('aria-pressed', String(Boolean(plot.log)))
  button.addEventListener('click', () => {
    views.set(plot.id, !views.get(plot.id))
    button.setAttribute('aria-pressed', String(views.get(plot.id)))
    drawAll()
  })
  document.querySelector('#' + plot.id + ' h3').after(button)
}
drawAll()
for (const hint of document.querySelectorAll('.hint')) hint.hidden = false
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawAll)
let due = 0
const resized = new ResizeObserver(() => {
  cancelAnimationFrame(due)
  due = requestAnimationFrame(() => {
    for (const { u, host } of live) {
      const width = host.clientWidth
      if (width > 0 && Math.abs(width - u.width) > 1) u.setSize({ width, height: width < 520 ? 190 : 236 })
    }
  })
})
for (const { host } of live) resized.observe(host)
${copyButtons}`
