/** Lines over time, by uPlot; loaded with the first view that draws some. */
import uPlot from 'uplot'
import 'uplot/dist/uPlot.min.css'

export interface ChartLine {
  label: string
  /** A custom property of the style: --good. */
  colour: string
}

export type ChartData = [number[], ...(number | null)[][]]

export interface ChartHandle {
  show(data: ChartData): void
  close(): void
}

export function draw(
  box: HTMLElement,
  lines: readonly ChartLine[],
  data: ChartData,
  onPoint: ((at: number) => void) | undefined,
): ChartHandle {
  const colourOf = (name: string) => () =>
    getComputedStyle(box).getPropertyValue(`--${name}-line`) || getComputedStyle(box).getPropertyValue(`--${name}`)
  const axis = {
    stroke: colourOf('quiet'),
    grid: { stroke: colourOf('line'), width: 1 },
    ticks: { stroke: colourOf('line') },
  }
  const plot = new uPlot(
    {
      width: Math.max(200, box.clientWidth),
      height: 200,
      // As everywhere in the desk: UTC.
      tzDate: at => uPlot.tzDate(new Date(at * 1000), 'Etc/UTC'),
      cursor: { points: { size: 7 } },
      scales: { y: { range: (_plot, _min, max) => [0, Math.max(1, max * 1.1)] } },
      axes: [
        { ...axis, values: (_plot, at) => at.map(one => new Date(one * 1000).toISOString().slice(11, 19)), space: 70 },
        { ...axis, size: 56 },
      ],
      series: [
        { label: 'time', value: (_plot, at) => (at === null ? '' : new Date(at * 1000).toISOString().slice(11, 19)) },
        ...lines.map(({ label, colour }) => ({
          label,
          stroke: colourOf(colour),
          width: 1.5,
          points: { size: 4 },
          value: (_plot: uPlot, value: number | null) =>
            value === null ? '' : value.toLocaleString('en', { maximumFractionDigits: 2 }),
        })),
      ],
    },
    data,
    box,
  )
  const click = (): void => {
    const { idx } = plot.cursor
    const at = idx === null || idx === undefined ? undefined : plot.data[0][idx]
    if (at !== undefined) onPoint?.(at)
  }
  plot.over.addEventListener('click', click)
  if (onPoint) plot.over.classList.add('leads')
  const observer = new ResizeObserver(() => plot.setSize({ width: Math.max(200, box.clientWidth), height: 200 }))
  observer.observe(box)
  return {
    show: next => plot.setData(next),
    close() {
      observer.disconnect()
      plot.destroy()
    },
  }
}
