import { geometricMean } from "../slowdown/statistics.ts";
import type { Bars, Curve, Phases } from "./charts.ts";
import { complaints, type Report } from "./report.ts";
import { figure, headerLines } from "./text.ts";

const STYLE = `
body { font: 15px/1.5 system-ui, sans-serif; color: #222; background: #fff; max-width: 1040px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; border-bottom: 1px solid #ddd; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 13px; }
th, td { padding: 2px 10px; border-bottom: 1px solid #eee; text-align: right; white-space: nowrap; }
th:first-child, td:first-child { text-align: left; } .wrong { color: #b00020; font-weight: bold; }
.wide { overflow-x: auto; } svg { max-width: 100%; height: auto; } pre { font-size: 12.5px; white-space: pre-wrap; }
p { max-width: 46rem; }`;

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cell = (tag: string, text: string): string =>
    `<${tag}${text.startsWith("WRONG") ? ' class="wrong"' : ""}>${escape(text)}</${tag}>`;
  const line = (tag: string, cells: readonly string[]): string =>
    `<tr>${cells.map((text) => cell(tag, text)).join("")}</tr>`;
  return `<div class="wide"><table>${line("th", head)}${rows.map((row) => line("td", row)).join("")}</table></div>`;
}

/** Engines that appear in charts: all that were measured, without the one that they are compared with. */
function compared({ results }: Report): string[] {
  return [...new Set(results.map(({ engine }) => engine))].filter((engine) => engine !== "native");
}

/** Slowdowns of the workloads of one suite. */
function suiteBars({ results }: Report, suite: string, engines: readonly string[]): { names: string[]; bars: Bars[] } {
  const own = results.filter((row) => row.suite === suite);
  const names = [...new Set(own.map(({ workload }) => workload))];
  const bars = engines.map((engine) => ({
    engine,
    values: names.map((name) => own.find((row) => row.workload === name && row.engine === engine)?.slowdown ?? null),
  }));
  return { names, bars: bars.filter(({ values }) => values.some((value) => value !== null)) };
}

/** Geometric means over the workloads that have as many passes; a pass that few reach says nothing about all. */
function curves({ results }: Report, engines: readonly string[]): Curve[] {
  return engines.flatMap((engine): Curve[] => {
    const own = results.filter((row) => row.engine === engine && row.slowdown !== null);
    const shortest = Math.max(0, ...own.map(({ passes }) => passes.length));
    const values = Array.from({ length: shortest }, (_, pass) => {
      const ratios = own.flatMap(({ passes, seconds, slowdown }) => {
        // A workload that was not repeated so often stays where it was.
        const here = passes[Math.min(pass, passes.length - 1)];
        return here === undefined || slowdown === null ? [] : [(slowdown * here) / seconds];
      });
      return geometricMean(ratios);
    });
    return values.length === 0 ? [] : [{ engine, values }];
  });
}

const PHASES = ["until the kernel speaks", "until the first process", "until the first workload"];

function phases({ boots }: Report): Phases[] {
  return boots.map(({ engine, firstOutput, init, firstWorkload }) => {
    const first = firstOutput ?? 0;
    return { engine, values: [first, init - first, Math.max(0, (firstWorkload ?? init) - init)] };
  });
}

/** The report as a page that needs nothing else: no script, no style sheet, no network. */
export async function reportPage(report: Report): Promise<string> {
  // Loaded when a page is wanted: the library takes longer to load than everything else.
  const { bootTimeline, slowdownBars, warmUpCurves } = await import("./charts.ts");
  const engines = compared(report);
  const suites = [...new Set(report.results.map(({ suite }) => suite))];
  const sections: string[] = [];
  const section = (title: string, ...content: readonly string[]): void =>
    void sections.push(`<h2>${escape(title)}</h2>\n${content.join("\n")}`);

  const wrong = complaints(report);
  if (wrong.length > 0) {
    section("What went wrong", `<ul>${wrong.map((line) => `<li class="wrong">${escape(line)}</li>`).join("")}</ul>`);
  }
  if (engines.length > 0 && report.suites.length > 0) {
    const mean = (suite: string, engine: string): number | null =>
      report.suites.find((row) => row.suite === suite && row.engine === engine)?.slowdown ?? null;
    section(
      "Slowdown of the suites",
      "<p>Seconds by native seconds: best passes, geometric means of a suite’s workloads. 1x is as fast as native; shorter is better.</p>",
      slowdownBars(
        suites,
        engines.map((engine) => ({ engine, values: suites.map((suite) => mean(suite, engine)) })),
      ),
      tableOf(
        ["suite", ...engines],
        suites.map((suite) => [suite, ...engines.map((engine) => figure(mean(suite, engine)))]),
      ),
    );
    const ofProcessor = (suite: string, engine: string): number | null =>
      report.suites.find((row) => row.suite === suite && row.engine === engine)?.cpuSlowdown ?? null;
    section(
      "The same of processor time",
      "<p>Of a virtual machine it is that of its whole process, with the threads that translate. On a busy machine it says more than seconds.</p>",
      slowdownBars(
        suites,
        engines.map((engine) => ({ engine, values: suites.map((suite) => ofProcessor(suite, engine)) })),
      ),
    );
    for (const suite of suites) {
      const { names, bars } = suiteBars(report, suite, engines);
      if (bars.length > 0) section(suite, slowdownBars(names, bars));
    }
    section(
      "Warm-up",
      "<p>Slowdown of the first, second, ... pass of a workload against native’s best, geometric mean of all workloads.</p>",
      warmUpCurves(curves(report, engines)),
    );
  }
  if (report.boots.length > 0) {
    section("Start of the virtual machines", bootTimeline(PHASES, phases(report)));
  }
  section("All figures", allFigures(report));
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Umbra: slowdown against native</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Umbra: how much slower than native?</h1>
<pre>${escape(headerLines(report).join("\n"))}</pre>
${sections.join("\n")}
</body>
</html>
`;
}

function allFigures({ results }: Report): string {
  return tableOf(
    ["workload", "engine", "slowdown", "spread", "seconds", "first pass", "CPU s", "rate", "unit", "bits"],
    results.map((row) => [
      `${row.suite}/${row.workload}`,
      row.engine,
      figure(row.slowdown),
      row.spread === null ? "?" : `${Math.round(row.spread * 100)} %`,
      figure(row.seconds),
      figure(row.firstSeconds),
      figure(row.cpuSeconds),
      figure(row.rate),
      row.unit,
      row.hashEqual ? "equal" : "WRONG",
    ]),
  );
}
