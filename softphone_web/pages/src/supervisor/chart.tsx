// uPlot in the colours of the page. One accent, the target as a line, zero-based.
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import { useEffect, useRef } from "preact/hooks";
import { timeOfDay } from "../kit/format";
import { theme } from "../kit/theme";

const ink = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** A token as a colour that a canvas takes: `light-dark()` resolved by the browser itself. */
function colour(name: string): string {
  const probe = document.createElement("span");
  probe.style.color = ink(name);
  document.body.append(probe);
  const found = getComputedStyle(probe).color;
  probe.remove();
  return found;
}

export interface Series {
  values: readonly (number | null)[];
  ink: string;
  dashed?: boolean;
  bars?: boolean;
  fill?: string;
}

export interface ChartProps {
  at: readonly number[];
  series: readonly Series[];
  /** Top and bottom of the scale; the bottom is zero unless a line needs to be seen closer. */
  max?: number;
  min?: number;
  height: number;
  axes?: boolean;
  /** What somebody who cannot see it is told. */
  label: string;
  value?: (value: number) => string;
}

export function Chart(props: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const { at, series, max, min, height, axes = false, value = String } = props;
  useEffect(() => {
    const element = box.current;
    if (!element) return;
    let plot: uPlot | null = null;
    const make = (): void => {
      plot?.destroy();
      plot = new uPlot(options(element.clientWidth || 120, props), [at as number[], ...series.map((one) => one.values as number[])], element);
    };
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const stop = theme.subscribe(make);
    dark.addEventListener("change", make);
    const sizes = new ResizeObserver(() => { if (element.clientWidth > 0) plot?.setSize({ width: element.clientWidth, height }); });
    sizes.observe(element);
    return () => {
      stop();
      dark.removeEventListener("change", make);
      sizes.disconnect();
      plot?.destroy();
    };
  }, [at, JSON.stringify(series), max, min, height, axes, value]);
  return <div class="chart" ref={box} role="img" aria-label={props.label} style={{ height: `${height}px` }} />;
}

/** Half a step of room on both sides, or the first and the last bar would be cut. */
function aroundBars(plot: uPlot, first: number, last: number): [number, number] {
  const times = plot.data[0];
  const half = times.length > 1 ? ((times[1] ?? first) - (times[0] ?? first)) / 2 : 450;
  return [first - half, last + half];
}

function options(width: number, { series, max, min = 0, height, axes = false, value = String }: ChartProps): uPlot.Options {
  const line = colour("--line");
  const axis = { stroke: colour("--muted"), grid: { stroke: line, width: 1 }, ticks: { show: false }, font: "12px Inter Variable, sans-serif" };
  return {
    width,
    height,
    padding: axes ? [8, 8, 0, 0] : [4, 6, 4, 6], // room for the whole of a dot at an edge
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: true, ...(series.some((one) => one.bars) && { range: aroundBars }) }, y: { range: (_, __, top) => [min, max ?? Math.max(1, Math.ceil(top * 1.1))] } },
    axes: axes
      ? [
          { ...axis, grid: { show: false }, size: 28, values: (_, ticks) => ticks.map((one) => timeOfDay(new Date(one * 1000))), space: 70 },
          { ...axis, size: 52, values: (_, ticks) => ticks.map(value), space: 36 },
        ]
      : [{ show: false }, { show: false }],
    series: [
      {},
      ...series.map((one): uPlot.Series => ({
        stroke: colour(one.ink),
        width: one.dashed ? 1 : 2,
        ...(one.dashed && { dash: [4, 3] }),
        ...(one.fill && { fill: colour(one.fill) }),
        ...(one.bars && uPlot.paths.bars && { paths: uPlot.paths.bars({ size: [0.7, 24] }), width: 0, fill: colour(one.ink) }),
        // A value that stands alone has no line to be seen by.
        points: { show: one.values.filter((value) => value !== null).length === 1 && !one.bars },
        spanGaps: false,
      })),
    ],
  };
}
