import { SlowAccess } from "../../runtime/abi/guest-state.ts";
import type { BlockCacheStats } from "../../runtime/code/block-cache.ts";
import type { CodeCacheStats } from "../../runtime/code/code-cache.ts";
import type { TranslationStats } from "../../runtime/code/translation-queue.ts";
import type { ExitCounts, Processor } from "../../runtime/cpu/processor.ts";
import type { RefusedStats } from "../../runtime/devices/refused.ts";
import type { PartTime } from "../../runtime/time/part-times.ts";
import { estimateTouchedBytes } from "./touched-memory.ts";

/** Where the time of a run went, in milliseconds. All but `idle` and `generated` are estimates from samples. */
export interface MachineTimes {
  /** what the other parts leave of the time: generated code, and the loop around it */
  readonly generated: number;
  readonly decoding: number;
  readonly translating: number;
  /** delivery of exceptions and interrupts outside generated code */
  readonly exceptions: number;
  /** instructions that TypeScript runs, without the devices that they reach */
  readonly callOuts: number;
  /** keeping decoded code and shadow page tables true when they are written */
  readonly tracing: number;
  /** accesses of the guest to devices, and the devices' timers */
  readonly devices: number;
  /** asleep, because the guest had halted */
  readonly idle: number;
}

export interface MemoryStats {
  /** RAM of the guest */
  readonly guestBytes: number;
  /** how much of it the guest has written to, estimated from a sample */
  readonly touchedBytes: number;
}

export interface MachineStats {
  readonly instructions: bigint;
  readonly runningMs: number;
  readonly idleMs: number;
  readonly times: MachineTimes;
  readonly memory: MemoryStats;
  /** accesses that the inline probe of the TLB did not serve: misses, page crossings, devices, pages with code */
  readonly tlbMisses: { readonly read: bigint; readonly write: bigint; readonly fetch: bigint };
  /** instructions that TypeScript ran, by the name of the call-out */
  readonly callOuts: Readonly<Record<string, number>>;
  readonly blocks: Readonly<BlockCacheStats>;
  readonly shadow: {
    readonly kept: number;
    readonly fresh: number;
    readonly tableWrites: number;
    readonly dropped: number;
  };
  readonly exits: ExitCounts;
  /** faults that generated code delivered to the guest by itself; those of `exits` left it */
  readonly faultsInPlace: bigint;
  /** what devices have refused the guest: rings that break the rules, accesses that nobody answers */
  readonly refused: RefusedStats;
  /** undefined on the interpreter */
  readonly translation: (Readonly<TranslationStats> & { readonly cache: Readonly<CodeCacheStats> }) | undefined;
}

/** Time in devices: reached by call-outs (ports, MSRs), by memory accesses, and their timers. */
export interface DeviceTimes {
  readonly callOuts: PartTime;
  readonly memory: PartTime;
  readonly timers: PartTime;
}

/** How long the loop has run the guest and has slept. */
export interface LoopTimes {
  readonly runningMs: number;
  readonly idleMs: number;
}

/** @param ram of the guest */
export function statsOf(
  processor: Processor,
  ram: Uint8Array,
  devices: DeviceTimes,
  { runningMs, idleMs }: LoopTimes,
  refused: RefusedStats,
): MachineStats {
  return {
    memory: { guestBytes: ram.length, touchedBytes: estimateTouchedBytes(ram) },
    instructions: processor.instructions,
    runningMs,
    idleMs,
    times: timesOf(processor, devices, { runningMs, idleMs }),
    tlbMisses: {
      read: processor.cpu.state.u64("slowAccesses", SlowAccess.READ),
      write: processor.cpu.state.u64("slowAccesses", SlowAccess.WRITE),
      fetch: processor.cpu.state.u64("slowAccesses", SlowAccess.FETCH),
    },
    callOuts: processor.callOutCounts,
    blocks: { ...processor.blocks.stats },
    shadow: { ...processor.shadow.stats },
    exits: { ...processor.exits },
    faultsInPlace: processor.cpu.state.u64("faultsDelivered"),
    refused,
    translation: processor.translation && {
      ...processor.translation.stats,
      cache: { ...processor.translation.cacheStats },
    },
  };
}

function timesOf(processor: Processor, devices: DeviceTimes, { runningMs, idleMs }: LoopTimes): MachineTimes {
  const { decoding, translating, exceptions, callOuts, tracing } = processor.times;
  const parts = {
    decoding: decoding.totalMs,
    translating: translating.totalMs,
    exceptions: exceptions.totalMs,
    callOuts: Math.max(0, callOuts.totalMs - devices.callOuts.totalMs),
    tracing: tracing.totalMs,
    devices: devices.callOuts.totalMs + devices.memory.totalMs + devices.timers.totalMs,
  };
  const known = Object.values(parts).reduce((sum, ms) => sum + ms, 0);
  return { generated: Math.max(0, runningMs - known), ...parts, idle: idleMs };
}
