import { BarChart, type BarSeriesOption, LineChart } from "echarts/charts";
import { GridComponent, LegendComponent } from "echarts/components";
import { type ComposeOption, init, use } from "echarts/core";
import { SVGRenderer } from "echarts/renderers";
import type { GridComponentOption, LegendComponentOption } from "echarts/components";
import type { LineSeriesOption } from "echarts/charts";

use([BarChart, LineChart, GridComponent, LegendComponent, SVGRenderer]);

type Option = ComposeOption<BarSeriesOption | LineSeriesOption | GridComponentOption | LegendComponentOption>;

/** Colours that are told apart with all kinds of colour vision, after Okabe and Ito; an engine keeps its own on every chart. */
const COLORS: Readonly<Record<string, string>> = {
  container: "#999999",
  kvm: "#56b4e9",
  "qemu-user": "#e69f00",
  "qemu-system": "#d55e00",
  native32: "#bbbbbb",
  v86: "#cc79a7",
  "umbra-interpreter": "#009e73",
  "umbra-tiered": "#0072b2",
};
const OTHER_COLOR = "#666666";

const WIDTH = 1000;
const TEXT = { fontFamily: "system-ui, sans-serif", fontSize: 12, color: "#222" } as const;

/** Wide gaps: without a browser the width of a text is a guess. */
const LEGEND = { top: 0, itemGap: 36 } as const;

function color(engine: string): string {
  return COLORS[engine] ?? OTHER_COLOR;
}

/** Draws without a browser: the result is text, and needs no script in the page. */
function draw(option: Option, height: number): string {
  const chart = init(null, null, { renderer: "svg", ssr: true, width: WIDTH, height });
  try {
    chart.setOption({ animation: false, textStyle: TEXT, ...option });
    return chart.renderToSVGString();
  } finally {
    chart.dispose();
  }
}

/** 0.9 -> "0.9x", 30.04 -> "30x" */
function label(value: number): string {
  return `${Number(value.toPrecision(value < 10 ? 2 : 3))}x`;
}

export interface Bars {
  readonly engine: string;
  /** one for each name; null where nothing was measured */
  readonly values: readonly (number | null)[];
}

const BAR_HEIGHT = 13;

/** Slowdowns as horizontal bars on a logarithmic axis, in groups of one name each. */
export function slowdownBars(names: readonly string[], bars: readonly Bars[]): string {
  const largest = Math.max(2, ...bars.flatMap(({ values }) => values.filter((value) => value !== null)));
  const height = names.length * (bars.length * (BAR_HEIGHT + 2) + 14) + 90;
  return draw(
    {
      legend: { ...LEGEND, data: bars.map(({ engine }) => engine) },
      grid: { left: 130, right: 60, top: 34, bottom: 44 },
      xAxis: {
        type: "log",
        min: 0.5,
        // Room for the figure behind the longest bar.
        max: largest * 2,
        name: "times native (log)",
        nameLocation: "middle",
        nameGap: 28,
        axisLabel: { formatter: (value: number) => label(value), showMaxLabel: false },
        minorSplitLine: { show: true, lineStyle: { color: "#f2f2f2" } },
      },
      yAxis: { type: "category", data: [...names], inverse: true, axisTick: { show: false } },
      series: bars.map(({ engine, values }) => ({
        name: engine,
        type: "bar",
        barWidth: BAR_HEIGHT,
        barGap: "15%",
        color: color(engine),
        data: values.map((value) => value ?? "-"),
        label: {
          show: true,
          position: "right",
          fontSize: 10,
          formatter: ({ value }: { value: unknown }) => (typeof value === "number" ? label(value) : ""),
        },
      })),
    },
    height,
  );
}

export interface Curve {
  readonly engine: string;
  /** slowdown of the first, second, ... pass */
  readonly values: readonly number[];
}

/** How a workload gets faster from pass to pass. */
export function warmUpCurves(curves: readonly Curve[]): string {
  const passes = Math.max(1, ...curves.map(({ values }) => values.length));
  return draw(
    {
      legend: { ...LEGEND, data: curves.map(({ engine }) => engine) },
      grid: { left: 70, right: 40, top: 40, bottom: 50 },
      xAxis: {
        type: "category",
        data: Array.from({ length: passes }, (_, index) => String(index + 1)),
        name: "pass",
        nameLocation: "middle",
        nameGap: 28,
      },
      yAxis: { type: "log", name: "times native (log)", axisLabel: { formatter: (value: number) => label(value) } },
      series: curves.map(({ engine, values }) => ({
        name: engine,
        type: "line",
        color: color(engine),
        symbolSize: 7,
        data: [...values],
      })),
    },
    360,
  );
}

export interface Phases {
  readonly engine: string;
  /** seconds of each phase */
  readonly values: readonly number[];
}

const PHASE_COLORS = ["#b3cde3", "#6497b1", "#03396c"];

/** A start of each virtual machine, phase by phase. */
export function bootTimeline(phases: readonly string[], engines: readonly Phases[]): string {
  return draw(
    {
      legend: LEGEND,
      grid: { left: 140, right: 40, top: 34, bottom: 44 },
      xAxis: { type: "value", name: "seconds", nameLocation: "middle", nameGap: 28 },
      yAxis: { type: "category", data: engines.map(({ engine }) => engine), inverse: true },
      series: phases.map((name, index) => ({
        name,
        type: "bar",
        stack: "boot",
        barWidth: 22,
        color: PHASE_COLORS[index] ?? OTHER_COLOR,
        data: engines.map(({ values }) => values[index] ?? 0),
      })),
    },
    engines.length * 40 + 90,
  );
}
