import { describe, expect, it } from "vitest";
import { RegionTranslator } from "../../jit/translator/translator.ts";
import { FEATURES } from "../../runtime/abi/features.ts";
import { guestState, Mode } from "../../runtime/abi/guest-state.ts";
import { MemoryMap, Tlb } from "../../runtime/abi/memory-map.ts";
import type { REGION_IMPORTS } from "../../runtime/abi/translator.ts";

const PAGE = MemoryMap.RAM + 0x3000;
const RIP_PAGE = 0x7000;
const DATA_GVA = 0x9000;
const DATA = MemoryMap.RAM + 0x5000;
const START = 0x10;

/** A region that runs by itself, without a machine around it. */
class Bench {
  readonly memory: WebAssembly.Memory = new WebAssembly.Memory({
    initial: MemoryMap.RAM / 0x1_0000 + 1,
    maximum: 0x1_0000,
    shared: true,
  });
  readonly view: DataView = new DataView(this.memory.buffer);
  readonly instructions: number;
  readonly #region: (cpu: number, record: number) => number;
  #left: { action: keyof typeof REGION_IMPORTS; rip: bigint } | undefined;

  constructor(code: readonly number[]) {
    new Uint8Array(this.memory.buffer).set(code, PAGE + START);
    const translator = new RegionTranslator({ features: new Set(FEATURES) });
    const pages = [{ distance: 0, start: PAGE, bytes: new Uint8Array(this.memory.buffer, PAGE, 4096) }];
    const { binary, regions } = translator.translate([{ pages, start: PAGE + START, mode: Mode.CODE64 }]);
    const [region] = regions;
    if (!region) throw new Error("not translated");
    this.instructions = region.instructions;
    const note = (action: keyof typeof REGION_IMPORTS) => (_cpu: number, rip: bigint) => {
      this.#left = { action, rip };
      return 0;
    };
    const { exports } = new WebAssembly.Instance(new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>), {
      env: {
        memory: this.memory,
        handlers: new WebAssembly.Table({ element: "anyfunc", initial: 1 }),
        enter_read: () => 0,
        enter_write: () => 0,
        goto: note("goto"),
        goto_interpreter: note("goto_interpreter"),
        goto_link: note("goto_link"),
        goto_from: note("goto_from"),
      },
    });
    this.#region = exports[region.name] as (cpu: number, record: number) => number;
    this.#set64("ripPage", BigInt(RIP_PAGE));
    this.view.setUint32(MemoryMap.CPU + guestState.tlb.offset, MemoryMap.TLB, true);
    new Uint8Array(this.memory.buffer, MemoryMap.TLB, Tlb.BANK_BYTES).fill(0xff);
  }

  #set64(field: "ripPage", value: bigint): void {
    this.view.setBigUint64(MemoryMap.CPU + guestState[field].offset, value, true);
  }
  gpr(number: number, value?: bigint): bigint {
    const at = MemoryMap.CPU + guestState.gpr.offset + 8 * number;
    if (value !== undefined) this.view.setBigUint64(at, value, true);
    return this.view.getBigUint64(at, true);
  }
  /** Enters the data page in the TLB. */
  mapData(): void {
    for (const table of [Tlb.READ, Tlb.WRITE]) {
      const entry = MemoryMap.TLB + table + (DATA_GVA >> 12) * Tlb.ENTRY_BYTES;
      this.view.setBigUint64(entry + Tlb.TAG, BigInt(DATA_GVA), true);
      this.view.setUint32(entry + Tlb.ADDEND, DATA - DATA_GVA, true);
    }
  }
  run(budget: number): { action: string | undefined; rip: bigint | undefined; left: number } {
    const at = MemoryMap.CPU + guestState.budget.offset;
    this.view.setInt32(at, budget, true);
    this.#region(MemoryMap.CPU, MemoryMap.RECORDS);
    return { action: this.#left?.action, rip: this.#left?.rip, left: this.view.getInt32(at, true) };
  }
}

const [RAX, RCX, RSP, RSI] = [0, 1, 4, 6];
// add rax, rcx; dec rcx; jnz -8; hlt
const COUNTED_LOOP = [0x48, 0x01, 0xc8, 0x48, 0xff, 0xc9, 0x75, 0xf8, 0xf4];

describe("a region", () => {
  it("runs a loop to its end in one call, and leaves before the HLT", () => {
    const bench = new Bench(COUNTED_LOOP);
    bench.gpr(RAX, 0n);
    bench.gpr(RCX, 100n);
    expect(bench.run(1000)).toEqual({ action: "goto_interpreter", rip: BigInt(RIP_PAGE + START + 8), left: 700 });
    expect(bench.gpr(RAX)).toBe(5050n);
    expect(bench.gpr(RCX)).toBe(0n);
  });

  it("leaves a loop before the budget could be overdrawn", () => {
    const bench = new Bench(COUNTED_LOOP);
    bench.gpr(RCX, 1_000_000n);
    expect(bench.instructions).toBe(3);
    expect(bench.run(100)).toEqual({ action: "goto_link", rip: BigInt(RIP_PAGE + START), left: 1 });
    expect(bench.gpr(RCX)).toBe(1_000_000n - 33n);
  });

  it("leaves before an access that misses the TLB, with what came before it done", () => {
    // inc rax; mov rcx, [rsi]; inc rax; ret
    const bench = new Bench([0x48, 0xff, 0xc0, 0x48, 0x8b, 0x0e, 0x48, 0xff, 0xc0, 0xc3]);
    bench.gpr(RAX, 5n);
    bench.gpr(RCX, 77n);
    bench.gpr(RSI, BigInt(DATA_GVA + 8));
    expect(bench.run(50)).toEqual({ action: "goto_interpreter", rip: BigInt(RIP_PAGE + START + 3), left: 49 });
    expect(bench.gpr(RAX)).toBe(6n);
    expect(bench.gpr(RCX)).toBe(77n);
  });

  it("reads and writes through the TLB, and returns to where the stack says", () => {
    // add [rsi], rax; mov rcx, [rsi]; ret
    const bench = new Bench([0x48, 0x01, 0x06, 0x48, 0x8b, 0x0e, 0xc3]);
    bench.mapData();
    bench.view.setBigUint64(DATA + 8, 30n, true);
    bench.view.setBigUint64(DATA + 0x100, 0x1234_5678n, true);
    bench.gpr(RAX, 12n);
    bench.gpr(RSI, BigInt(DATA_GVA + 8));
    bench.gpr(RSP, BigInt(DATA_GVA + 0x100));
    expect(bench.run(50)).toEqual({ action: "goto_from", rip: 0x1234_5678n, left: 47 });
    expect(bench.gpr(RCX)).toBe(42n);
    expect(bench.gpr(RSP)).toBe(BigInt(DATA_GVA + 0x108));
    expect(bench.view.getBigUint64(DATA + 8, true)).toBe(42n);
  });

  it("does not take an access across the end of a page", () => {
    const bench = new Bench([0x48, 0x8b, 0x0e, 0xc3]);
    bench.mapData();
    bench.gpr(RSI, BigInt(DATA_GVA + 0xffc));
    expect(bench.run(50).action).toBe("goto_interpreter");
    bench.gpr(RSI, BigInt(DATA_GVA + 0xff8));
    bench.gpr(RSP, BigInt(DATA_GVA));
    expect(bench.run(50).action).toBe("goto_from");
  });

  it("is not there for an instruction that is the interpreter's", () => {
    const translator = new RegionTranslator({ features: new Set(FEATURES) });
    const page = new Uint8Array(4096);
    // cpuid
    page.set([0x0f, 0xa2], START);
    expect(translator.compile({ pages: [{ distance: 0, start: 0, bytes: page }] }, START)).toBeUndefined();
  });

  it("has a name for profilers, if that is wanted", () => {
    const page = new Uint8Array(4096);
    // jmp to itself
    page.set([0xeb, 0xfe], START);
    const namesIn = (namesRegions: boolean): string => {
      const translator = new RegionTranslator({ features: new Set(FEATURES), namesRegions });
      const start = MemoryMap.RAM + 0x5000;
      const pages = [{ distance: 0, start, bytes: page }];
      const { binary } = translator.translate([{ pages, start: start + START, mode: Mode.CODE64 }]);
      const sections = WebAssembly.Module.customSections(
        new WebAssembly.Module(binary as Uint8Array<ArrayBuffer>),
        "name",
      );
      return sections.map((section) => new TextDecoder().decode(section)).join();
    };
    expect(namesIn(true)).toContain(`guest:0x${(0x5000 + START).toString(16)}`);
    expect(namesIn(false)).toBe("");
  });
});
