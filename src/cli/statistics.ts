import type { MachineStats } from "../pc/stats.ts";
import { describeTranslation } from "./translation-statistics.ts";

/** Call-outs that are shown: the most frequent ones. */
const SHOWN_CALL_OUTS = 12;

/** What `umbra run --stats` prints: a line for each group of figures. */
export function describeStats(stats: MachineStats): string {
  const {
    instructions,
    runningMs,
    idleMs,
    times,
    tlbMisses,
    callOuts,
    blocks,
    shadow,
    exits,
    faultsInPlace,
    refused,
    translation,
  } = stats;
  const rate = Number(instructions) / Math.max(runningMs, 1) / 1000;
  const { idle: _, ...running } = times;
  const parts = Object.entries(running).map(([name, ms]) => `${words(name)} ${share(ms, runningMs)}`);
  const frequent = Object.entries(callOuts)
    .toSorted(([, left], [, right]) => right - left)
    .slice(0, SHOWN_CALL_OUTS);
  return [
    "",
    `instructions  ${instructions}, ${rate.toFixed(1)} million a second`,
    `time          ${seconds(runningMs)} running, ${seconds(idleMs)} idle`,
    `of running    ${parts.join(", ")}`,
    `blocks        ${counts(blocks)}`,
    `TLB misses    ${counts(tlbMisses)}`,
    `page tables   ${counts(shadow)}`,
    `exits         ${counts(exits)}; ${faultsInPlace} faults delivered without one`,
    `call-outs     ${counts(Object.fromEntries(frequent))}`,
    `refused       ${counts(refused)}`,
    ...(translation ? describeTranslation(translation) : []),
  ].join("\n");
}

function counts(record: object): string {
  return Object.entries(record)
    .map(([name, count]) => `${words(name)} ${String(count)}`)
    .join(", ");
}

/** "tableWrites" as "table writes" */
function words(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function share(ms: number, ofMs: number): string {
  return `${((ms / Math.max(ofMs, 1)) * 100).toFixed(1)} %`;
}
