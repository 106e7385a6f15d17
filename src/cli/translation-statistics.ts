import type { MachineStats } from "../pc/stats.ts";

type Translation = NonNullable<MachineStats["translation"]>;

/** What `umbra run --stats` says of the translator: a line for each group of figures. */
export function describeTranslation(stats: Translation): string[] {
  const { regions, instructions, batches, wasmBytes, translatingMs, compilingMs, cache } = stats;
  const { untranslatable, outdated, refused, failures, sampled, sampledTranslated } = stats;
  const share = (100 * sampledTranslated) / Math.max(sampled, 1);
  return [
    `translated    ${regions} regions of ${instructions} instructions, in ${batches} batches, ${megabytes(wasmBytes)} of WebAssembly`,
    `  took        translator ${seconds(translatingMs)}, engine ${seconds(compilingMs)} (without optimizing)`,
    `  widened     ${stats.widened} regions that stayed hot`,
    `  left out    untranslatable ${untranslatable}, outdated ${outdated}, refused ${refused}, failed batches ${failures}`,
    `  cache       ${cache.live} regions, ${megabytes(cache.liveBytes)}, evicted ${cache.evictedRegions} in ${cache.evictedBatches} batches, found in use ${cache.kept} batches`,
    `  share       ${share.toFixed(0)} % of instructions ran in translated code, estimated from samples`,
  ];
}

function megabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}
