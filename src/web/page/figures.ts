import type { MachineStats } from "umbra";

/** What the charts show, at one moment. */
export interface Figures {
  /** seconds since the machine was started */
  readonly seconds: number;
  /** millions of guest instructions a second, while the guest was not idle or paused */
  readonly mips: number;
  /** percent of instructions that ran in translated code; null on the interpreter, and while nothing ran */
  readonly translatedPercent: number | null;
  /** regions installed and not evicted */
  readonly regions: number;
  /** thousands of accesses a second that the inline probe of the TLB did not serve */
  readonly tlbMisses: number;
  /** mebibytes that the guest has written to, and those of translated code */
  readonly memoryMib: number;
}

const MIB = 1 << 20;

/** Makes rates from the counters of a machine, each over the time since the last look. */
export class FigureTracker {
  #last: { readonly nowMs: number; readonly stats: MachineStats } | undefined;
  readonly #startMs: number;

  /** @param nowMs when the machine was started, by the clock that `next` gets */
  constructor(nowMs: number) {
    this.#startMs = nowMs;
  }

  /** @param nowMs a monotonic clock */
  next(stats: MachineStats, nowMs: number): Figures {
    // A reset makes another machine, whose counters begin at 0.
    const last = this.#last && this.#last.stats.instructions <= stats.instructions ? this.#last : undefined;
    const lookedMs = this.#last?.nowMs ?? this.#startMs;
    this.#last = { nowMs, stats };
    const elapsedMs = Math.max(1, nowMs - lookedMs);
    const runningMs = stats.runningMs - (last?.stats.runningMs ?? 0);
    const instructions = Number(stats.instructions - (last?.stats.instructions ?? 0n));
    const misses = Number(missesOf(stats) - (last ? missesOf(last.stats) : 0n));
    const { translation } = stats;
    const sampled = (translation?.sampled ?? 0) - (last?.stats.translation?.sampled ?? 0);
    const translated = (translation?.sampledTranslated ?? 0) - (last?.stats.translation?.sampledTranslated ?? 0);
    return {
      seconds: (nowMs - this.#startMs) / 1000,
      // An idle guest runs for a millisecond now and then: what is left of that is noise.
      mips: runningMs > 1 ? instructions / runningMs / 1000 : 0,
      translatedPercent: translation && sampled > 0 ? (100 * translated) / sampled : null,
      regions: translation?.cache.live ?? 0,
      tlbMisses: misses / elapsedMs,
      memoryMib: (stats.memory.touchedBytes + (translation?.cache.liveBytes ?? 0)) / MIB,
    };
  }
}

function missesOf({ tlbMisses }: MachineStats): bigint {
  return tlbMisses.read + tlbMisses.write + tlbMisses.fetch;
}
