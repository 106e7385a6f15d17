import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, it } from "vitest";
import { FEATURES } from "../../runtime/abi/features.ts";
import {
  type CompiledBatch,
  LinkCell,
  type TranslateRequest,
  type TranslationService,
} from "../../runtime/abi/translator.ts";
import { MemoryMap } from "../../runtime/abi/memory-map.ts";
import type { CodeCacheStats } from "../../runtime/code/code-cache.ts";
import { LinkCells } from "../../runtime/code/link-cells.ts";
import { RecordRoom } from "../../runtime/code/record-room.ts";
import { RegionTranslator } from "../../jit/translator/translator.ts";
import { ImmediateTranslation } from "../../src/translation/same-thread.ts";
import type { Inspected } from "../mmu/support.ts";
import { COUNT_UP, openMachine, runTo } from "./support.ts";

const MIB = 0x10_0000;
const PROGRAM = 0x1_0000;
const TEMPLATE = 0x2_0000;
const DATA = 0x3_0000;
const POOL = MIB;
/** Bytes from one function that the guest makes to the next. */
const STRIDE = 256;
/** bytes of WebAssembly */
const WARM_UP = 5e6;

/**
 * A guest that compiles as it goes: for each of RBP functions from R12 on, it copies the template, puts RBP in as the number that the
 * function counts up by, and calls it R14 times. RBX sums up what they return.
 */
const COMPILER = [
  ...[0x48, 0xc7, 0xc6, 0, 0, 0x02, 0], // mov rsi, TEMPLATE
  ...[0x4c, 0x89, 0xe7], // mov rdi, r12
  ...[0xb9, STRIDE & 0xff, STRIDE >> 8, 0, 0], // mov ecx, STRIDE
  ...[0xf3, 0xa4], // rep movsb
  ...[0x41, 0x89, 0x6c, 0x24, 0x01], // mov [r12+1], ebp
  ...[0x48, 0xc7, 0xc6, 0, 0, 0x03, 0], // mov rsi, DATA
  ...[0x45, 0x89, 0xf5], // mov r13d, r14d
  ...[0x41, 0xff, 0xd4], // C: call r12
  ...[0x48, 0x01, 0xc3], // add rbx, rax
  ...[0x41, 0xff, 0xcd], // dec r13d
  ...[0x75, 0xf5], // jnz C
  ...[0x49, 0x81, 0xc4, STRIDE & 0xff, STRIDE >> 8, 0, 0], // add r12, STRIDE
  ...[0x48, 0xff, 0xcd], // dec rbp
  ...[0x75, 0xca], // jnz to the beginning
  0xf4,
];

/** mov eax, imm32; mov ecx, 20; L: 12 times: add [rsi], rax; xor rdx, [rsi]; add rdx, rax; then dec ecx; jnz L; ret. */
const FUNCTION = [
  ...[0xb8, 0, 0, 0, 0, 0xb9, 20, 0, 0, 0],
  ...Array.from({ length: 12 }, () => [0x48, 0x01, 0x06, 0x48, 0x33, 0x16, 0x48, 0x01, 0xc2]).flat(),
  ...[0xff, 0xc9, 0x75, 0x100 - 112, 0xc3],
];

/** Translates at once, and notes the modules without keeping them. */
class NotedTranslation extends ImmediateTranslation {
  readonly modules: WeakRef<WebAssembly.Module>[] = [];

  override submit(requests: readonly TranslateRequest[]): CompiledBatch {
    const batch = super.submit(requests);
    if (batch.module) this.modules.push(new WeakRef(batch.module));
    return batch;
  }
}

async function open(codeCacheBytes: number, place?: TranslationService): Promise<Inspected> {
  const machine = await openMachine(place ? { place } : {}, { memoryBytes: 16 * MIB, codeCacheBytes });
  machine.write(PROGRAM, Uint8Array.from(COMPILER));
  machine.write(TEMPLATE, Uint8Array.from(FUNCTION));
  return machine;
}

/** Has the guest make `count` functions from number `first` on. */
function compile(machine: Inspected, first: number, count: number, calls = 400): void {
  runTo(machine, PROGRAM, {
    rbp: BigInt(count),
    r12: BigInt(POOL + STRIDE * first),
    r14: BigInt(calls),
    rbx: 0n,
    rdx: 0n,
    rsi: BigInt(DATA),
  });
  expect(machine.getState().rbx).toBe((BigInt(calls) * BigInt(count) * BigInt(count + 1)) / 2n);
}

function cacheOf(machine: Inspected): Readonly<CodeCacheStats> {
  const { translation } = machine.processor;
  if (!translation) throw new Error("no translation");
  return translation.cacheStats;
}

setFlagsFromString("--expose-gc");
const collectGarbage = runInNewContext("gc") as () => void;

/** Resident bytes of the process after what can be freed has been: the engine compiles and frees machine code in threads of its own. */
async function residentBytes(): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < 12; round++) {
    collectGarbage();
    await new Promise((resolve) => setTimeout(resolve, 200));
    least = Math.min(least, process.memoryUsage.rss());
  }
  return least;
}

describe("a code cache that is full", () => {
  it("holds on to no module that was evicted, however much code the guest makes", { timeout: 300_000 }, async () => {
    const limit = 2 * MIB;
    const translation = new NotedTranslation(new RegionTranslator({ features: new Set(FEATURES) }));
    const { modules } = translation;
    const machine = await open(limit, translation);
    const stats = machine.processor.translation?.stats;
    let next = 0;
    // Until the heaps of the translator and of the engine's compiler are as large as they get.
    while ((stats?.wasmBytes ?? 0) < WARM_UP) compile(machine, (next += 100) - 100, 100);
    expect(cacheOf(machine).evictedBatches).toBeGreaterThan(20);
    const before = await residentBytes();
    const firstMeasured = next;
    const wasmBefore = stats?.wasmBytes ?? 0;
    while ((stats?.wasmBytes ?? 0) - wasmBefore < (10 * limit) / 3) {
      compile(machine, (next += 100) - 100, 100);
      expect(cacheOf(machine).liveBytes).toBeLessThanOrEqual(limit);
    }
    const grown = (await residentBytes()) - before;
    // The guest's own pages, and the records of blocks, are no part of the cache: 256 bytes and 4 KiB for each function.
    const others = (next - firstMeasured) * (STRIDE + 4096);
    console.log(
      `code cache: ${((stats?.wasmBytes ?? 0) / 1e6).toFixed(1)} MB of WebAssembly in a cache of ${limit / MIB} MiB; the process grew by ${(grown / 1e6).toFixed(1)} MB, of which ${(others / 1e6).toFixed(1)} MB may be the guest's`,
    );
    // How much the process grew is only printed: the engine's own heaps come and go by more than all of this. What is checked is
    // that the modules are gone.
    const installed = (stats?.batches ?? 0) - cacheOf(machine).evictedBatches;
    expect(installed).toBeLessThan((stats?.batches ?? 0) / 4);
    expect(modules.filter((module) => module.deref() !== undefined).length).toBeLessThanOrEqual(installed + 2);
  });

  it("keeps what is in use", async () => {
    // Room for several of the widest regions: what is watched is an eighth of it.
    const machine = await open(2 * MIB);
    const { blocks } = machine.processor;
    const hot = 0x4_0000;
    machine.write(hot, Uint8Array.from(COUNT_UP));
    runTo(machine, hot);
    compile(machine, 0, 40);
    expect(blocks.isTranslated(MemoryMap.RAM + hot, machine.processor.cpu.state.u32("mode"))).toBe(true);
    for (let next = 40; cacheOf(machine).evictedBatches < 50; next += 20) {
      compile(machine, next, 20);
      runTo(machine, hot);
    }
    expect(cacheOf(machine).kept).toBeGreaterThan(0);
    const installed = machine.processor.translation?.stats.regions;
    runTo(machine, hot, { rcx: 10_000n });
    expect(machine.processor.translation?.stats.regions).toBe(installed);
    expect(blocks.isTranslated(MemoryMap.RAM + hot, machine.processor.cpu.state.u32("mode"))).toBe(true);
  });
});

describe("LinkCells", () => {
  const memory = new DataView(new ArrayBuffer(MemoryMap.LINKS_END));

  it("gives pieces again that are free, emptied", () => {
    const cells = new LinkCells(memory);
    const first = cells.allocate(5) ?? 0;
    memory.setUint32(first + 4, MemoryMap.RECORDS, true);
    const second = cells.allocate(5) ?? 0;
    expect(second).toBeGreaterThanOrEqual(first + 5 * LinkCell.BYTES);
    cells.free(first, 5);
    expect(cells.allocate(9)).not.toBe(first);
    expect(cells.allocate(8)).toBe(first);
    expect(memory.getUint32(first + 4, true)).toBe(0);
  });

  it("has an end", () => {
    const cells = new LinkCells(memory);
    const size = 0x4000;
    let pieces = 0;
    while (cells.allocate(size) !== undefined) pieces++;
    expect(pieces).toBe((MemoryMap.LINKS_END - MemoryMap.LINKS) / (LinkCell.BYTES * size));
  });

  it("forgets links into a range", () => {
    const cells = new LinkCells(memory);
    const at = cells.allocate(4) ?? 0;
    [100, 200, 300, 400].forEach((record, index) => memory.setUint32(at + LinkCell.BYTES * index, record, true));
    cells.unlink(200, 400);
    expect([0, 1, 2, 3].map((index) => memory.getUint32(at + LinkCell.BYTES * index, true))).toEqual([100, 0, 0, 400]);
  });
});

describe("RecordRoom", () => {
  it("is used again part by part, in the order in which it was used first", () => {
    const vacated: [number, number][] = [];
    const room = new RecordRoom((first, end) => vacated.push([first, end]));
    const bytes = 48 * 67;
    const seen = new Set<number>();
    while (vacated.length === 0) {
      const at = room.reserve(bytes);
      expect(at + bytes).toBeLessThanOrEqual(MemoryMap.RECORDS_END);
      if (vacated.length === 0) expect(seen.has(at)).toBe(false);
      seen.add(at);
      room.take(bytes);
    }
    expect(vacated[0]?.[0]).toBe(MemoryMap.RECORDS);
    const part = (vacated[0]?.[1] ?? 0) - MemoryMap.RECORDS;
    expect(part * 16).toBe(MemoryMap.RECORDS_END - MemoryMap.RECORDS);
    while (vacated.length < 20) {
      const at = room.reserve(bytes);
      const [first = 0, end = 0] = vacated.at(-1) ?? [];
      expect(at >= first && at + bytes <= end).toBe(true);
      room.take(bytes);
    }
    expect(vacated[16]?.[0]).toBe(MemoryMap.RECORDS);
  });
});
