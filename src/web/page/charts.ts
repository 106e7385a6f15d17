import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Figures } from "./figures.ts";

/** Seconds that the charts show. */
const WINDOW_SECONDS = 60;
const HEIGHT = 32;

interface ChartKind {
  readonly name: string;
  readonly unit: string;
  readonly about: string;
  readonly value: (figures: Figures) => number | null;
  /** the top of the scale never lies below this */
  readonly least: number;
  readonly digits: number;
}

const CHARTS: readonly ChartKind[] = [
  {
    name: "Speed",
    unit: "MIPS",
    about: "Millions of guest instructions a second, while the guest runs",
    value: ({ mips }) => mips,
    least: 10,
    digits: 0,
  },
  {
    name: "Translated",
    unit: "%",
    about: "Share of the instructions that ran as translated code",
    value: ({ translatedPercent }) => translatedPercent,
    least: 100,
    digits: 0,
  },
  {
    name: "Regions",
    unit: "",
    about: "Pieces of hot code that are translated now",
    value: ({ regions }) => regions,
    least: 10,
    digits: 0,
  },
  {
    name: "TLB misses",
    unit: "k/s",
    about: "Thousands of memory accesses a second off the fast path",
    value: ({ tlbMisses }) => tlbMisses,
    least: 10,
    digits: 0,
  },
  {
    name: "Memory",
    unit: "MiB",
    about: "What the guest has written to, and translated code",
    value: ({ memoryMib }) => memoryMib,
    least: 16,
    digits: 0,
  },
];

export interface Charts {
  add(figures: Figures): void;
  clear(): void;
}

/** Charts of the last minute. Only what is on the screen is drawn, at most as often as figures come. */
export function openCharts(parent: HTMLElement): Charts {
  const sync = uPlot.sync("figures");
  const seconds: number[] = [];
  const charts = CHARTS.map((kind) => ({
    ...openChart(parent, kind, sync.key),
    kind,
    values: [] as (number | null)[],
  }));
  const redraw = (): void => {
    for (const { plot, values } of charts) plot.setData([seconds, values]);
  };
  const recolour = (): void => charts.forEach(({ plot }) => plot.redraw(false));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", recolour);
  return {
    add(figures) {
      seconds.push(figures.seconds);
      while ((seconds[0] ?? 0) < figures.seconds - WINDOW_SECONDS - 2) {
        seconds.shift();
        for (const { values } of charts) values.shift();
      }
      for (const chart of charts) {
        const value = chart.kind.value(figures);
        chart.values.push(value);
        chart.show(value);
      }
      redraw();
    },
    clear() {
      seconds.length = 0;
      for (const chart of charts) {
        chart.values.length = 0;
        chart.show(null);
      }
      redraw();
    },
  };
}

function openChart(
  parent: HTMLElement,
  kind: ChartKind,
  syncKey: string,
): { readonly plot: uPlot; readonly show: (value: number | null) => void } {
  const figure = document.createElement("figure");
  figure.className = "chart";
  figure.title = kind.about;
  const caption = document.createElement("figcaption");
  const name = labelled("span", "name", kind.name);
  const value = labelled("span", "value", "–");
  const plotElement = labelled("div", "plot", "");
  plotElement.ariaHidden = "true";
  caption.append(name, value);
  figure.append(caption, plotElement);
  parent.append(figure);
  // The ends of the scale, and how far back it goes.
  const top = labelled("span", "scale", "");
  const low = labelled("span", "scale low", `0 · last ${WINDOW_SECONDS} s`);
  plotElement.append(top, low);
  const write = (number: number | null): void => {
    value.textContent = number === null ? "–" : number.toLocaleString("en", { maximumFractionDigits: kind.digits });
    if (number !== null && kind.unit !== "") value.append(labelled("span", "unit", kind.unit));
  };
  const line = (): string => getComputedStyle(figure).getPropertyValue("--accent-line");
  const plot = new uPlot(
    {
      width: Math.max(60, plotElement.clientWidth),
      height: HEIGHT,
      pxAlign: 0,
      padding: [4, 0, 1, 0],
      legend: { show: false },
      cursor: { y: false, points: { size: 5 }, drag: { x: false, y: false }, sync: { key: syncKey } },
      scales: {
        x: { time: false, range: (_plot, _low, high) => [(high ?? 0) - WINDOW_SECONDS, high ?? 0] },
        y: {
          range: (_plot, _low, high) => {
            const most = Math.max(kind.least, high ?? 0);
            top.textContent = `${Math.round(most).toLocaleString("en")} ${kind.unit}`.trim();
            return [0, most];
          },
        },
      },
      axes: [{ show: false }, { show: false }],
      series: [
        {},
        {
          stroke: line,
          fill: () => getComputedStyle(figure).getPropertyValue("--accent-wash"),
          width: 1.5,
          points: { show: false },
        },
      ],
      hooks: {
        setCursor: [
          (self) => {
            const index = self.cursor.idx;
            const at = index === undefined || index === null ? self.data[1]?.at(-1) : self.data[1]?.[index];
            write(at ?? null);
          },
        ],
      },
    },
    [[], []],
    plotElement,
  );
  new ResizeObserver(() => plot.setSize({ width: Math.max(60, plotElement.clientWidth), height: HEIGHT })).observe(
    plotElement,
  );
  return {
    plot,
    show: (number) => {
      // What the pointer is at stays readable.
      if (plot.cursor.idx === undefined || plot.cursor.idx === null) write(number);
    },
  };
}

function labelled(tag: "span" | "div", className: string, text: string): HTMLElement {
  const element = document.createElement(tag);
  element.className = className;
  element.textContent = text;
  return element;
}
