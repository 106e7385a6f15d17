import type { BlockDecoder } from "../abi/block-decoder.ts";
import { MAXIMUM_BLOCK_INSTRUCTIONS } from "../abi/block-decoder.ts";
import {
  DELIVERY_BUDGET,
  EventPath,
  Exit,
  guestState,
  Mode,
  NO_ERROR_CODE,
  Segment,
  Vector,
} from "../abi/guest-state.ts";
import { MemoryMap, Tlb } from "../abi/memory-map.ts";
import { BlockCache } from "../code/block-cache.ts";
import { RegionTable } from "../code/region-table.ts";
import { TranslationQueue, type TranslationOptions } from "../code/translation-queue.ts";
import { ShadowTables } from "../memory/shadow-tables.ts";
import { TlbBanks } from "../memory/tlb-banks.ts";
import { PartTime } from "../time/part-times.ts";
import type { CallOut } from "./call-out.ts";
import { callOuts } from "./call-outs.ts";
import { Cr0, Cr4, Efer } from "./control-bits.ts";
import { type Core, type CoreExports, type CoreImports, WalkAccess } from "./core-module.ts";
import { Cpu, Shadow } from "./cpu.ts";
import type { CpuModel } from "./cpuid.ts";
import { afterStep, beforeStep, dataPages, needsStepping, noteDataAccess, stepFaulted, type Step } from "./debug.ts";
import { deliver, type GuestEvent } from "./exceptions.ts";
import { Fault } from "./fault.ts";
import type { CpuHooks, FlushScope } from "./hooks.ts";
import { PagedMemory } from "./paged-memory.ts";
import { StateView } from "./state-view.ts";
import { readTscInPlace } from "./time-and-random.ts";

/** Guest-physical accesses outside RAM, in linear memory at `offset`. */
export interface PhysicalBus {
  read(gpa: number, offset: number, byteLength: number): void;
  write(gpa: number, offset: number, byteLength: number): void;
}

/** Hooks that the processor does not answer itself. */
export type MachineHooks = Pick<CpuHooks, "readTsc" | "random64" | "ports" | "msrs" | "taskPriorityChanged">;

export interface ProcessorParts {
  readonly memory: WebAssembly.Memory;
  readonly core: Core;
  readonly decoder: BlockDecoder;
  readonly model: CpuModel;
  readonly bus: PhysicalBus;
  readonly hooks: MachineHooks;
  /** bytes of guest RAM, a multiple of 4096 */
  readonly ramBytes: number;
  /** deliver faults through the guest's IDT, or hand them to the caller of `run` */
  readonly deliversFaults: () => boolean;
  /** without it, everything is interpreted */
  readonly translation?: TranslationOptions;
  /** a clock of milliseconds for `times`; without it, passes are counted only */
  readonly nowMs?: (() => number) | undefined;
}

/** What the processor does besides running generated code, each timed apart. */
export type ProcessorPart = "decoding" | "translating" | "exceptions" | "callOuts" | "tracing";

/** Why `run` came back. */
export type RunExit =
  | { readonly reason: "budget" }
  | { readonly reason: "halt" }
  | { readonly reason: "event" }
  | { readonly reason: "port" }
  | { readonly reason: "shutdown" }
  | { readonly reason: "fault"; readonly fault: Fault };

/** How often generated code came back, by reason. */
export type ExitCounts = Record<
  "budget" | "block" | "fault" | "halt" | "event" | "port" | "shutdown" | "translate",
  number
>;

/** What the imported function call_out returns; CallOutStatus of the dispatch functions in core.wasm. */
const Status = { CONTINUE: 0, FAULT: 1, REDIRECT: 2, EXIT: 3 } as const;

/** The most instructions that generated code is given at once; bounds how long an event can wait. */
const SLICE = 1_000_000;
/** Repetitions that `run` lets happen beyond its limit. */
const UNCOUNTED = 0x1_0000;

/** One vCPU: generated code, the blocks it runs, and the loop that serves what it leaves for. */
export class Processor {
  readonly cpu: Cpu;
  readonly blocks: BlockCache;
  readonly shadow: ShadowTables;
  readonly tlb: TlbBanks;
  /** whether generated code may deliver faults and return from handlers by itself; false for tests that compare with TypeScript */
  eventsInPlace = true;
  /** undefined on a processor that only interprets */
  readonly translation: TranslationQueue | undefined;
  /** exits by reason, for statistics */
  readonly exits: ExitCounts = { budget: 0, block: 0, fault: 0, halt: 0, event: 0, port: 0, shutdown: 0, translate: 0 };
  /** "tracing": what keeps decoded code and shadow page tables true when they are written */
  readonly times: Readonly<Record<ProcessorPart, PartTime>>;
  /** calls of each call-out, by its number */
  readonly #callOutCounts: number[];
  readonly #base: number = MemoryMap.CPU;
  readonly #view: DataView;
  readonly #exports: CoreExports;
  readonly #callOuts: readonly (CallOut | undefined)[];
  readonly #callOutNames: readonly string[];
  readonly #scratch: BigUint64Array;
  readonly #deliversFaults: () => boolean;
  /** what happened in this run that retired no instruction */
  #uncounted = 0;

  constructor(parts: ProcessorParts) {
    const { memory, core, decoder, model, bus, hooks, ramBytes } = parts;
    this.#view = new DataView(memory.buffer);
    this.#scratch = new BigUint64Array(memory.buffer, this.#base + guestState.scratch.offset, guestState.scratch.count);
    this.#deliversFaults = parts.deliversFaults;
    const part = (): PartTime => new PartTime(parts.nowMs);
    // Batches of regions are few, long and unlike each other: each is timed.
    const translating = new PartTime(parts.nowMs, 1);
    this.times = { decoding: part(), translating, exceptions: part(), callOuts: part(), tracing: part() };
    this.tlb = new TlbBanks(this.#view, (bank, first, count) =>
      this.#exports.drop_entries(this.#base, bank, first, count),
    );
    this.shadow = new ShadowTables(this.#view, this.tlb);
    this.blocks = new BlockCache(this.#view, decoder, (page) => this.tlb.forgetWrites(page), parts.translation);
    const readTscNumber = core.callOuts.indexOf("readTsc");
    const imports: CoreImports = {
      bus_read: (gpa, to, byteLength) => bus.read(Number(gpa), to, byteLength),
      bus_write: (gpa, from, byteLength) => bus.write(Number(gpa), from, byteLength),
      code_write: (gpa, byteLength) =>
        this.times.tracing.time(() => void this.blocks.invalidate(Number(gpa), byteLength)),
      trace_table: (page, trace) => this.times.tracing.time(() => this.shadow.trace(page, trace)),
      page_table_write: (gpa, from, byteLength) =>
        this.times.tracing.time(() => this.shadow.beforeWrite(Number(gpa), from, byteLength)),
      data_access: (gva, byteLength, write) =>
        noteDataAccess(this.cpu, BigInt.asUintN(64, gva), byteLength, write !== 0),
      call_out: (number, length) => {
        if (number === readTscNumber && readTscInPlace(this.#view, this.#base, hooks.readTsc)) {
          this.#callOutCounts[number] = (this.#callOutCounts[number] ?? 0) + 1;
          return Status.CONTINUE;
        }
        return this.times.callOuts.time(() => this.#callOut(number, length));
      },
    };
    const instance = new WebAssembly.Instance(core.module, { env: { memory, ...imports } });
    this.#exports = instance.exports as unknown as CoreExports;
    this.translation =
      parts.translation &&
      new TranslationQueue(memory, this.blocks, new RegionTable(this.#exports, memory), parts.translation);
    this.#callOutNames = core.callOuts;
    this.#callOuts = core.callOuts.map((name) => callOuts[name]);
    this.#callOutCounts = core.callOuts.map(() => 0);
    const state = new StateView(memory.buffer, this.#base);
    state.setU64("ramBytes", BigInt(ramBytes));
    state.setU32("tlbBanks", this.shadow.banks);
    state.setU32("supervisorBank", this.shadow.banks);
    reservedEntryBits(model).forEach((bits, index) => state.setU64("reservedEntryBits", bits, index));
    this.cpu = new Cpu({
      state,
      memory: new PagedMemory(this.#exports, state, this.#view),
      model,
      hooks: {
        ...hooks,
        flushTlb: (scope) => this.#flush(scope),
        addressSpaceChanged: () => this.#switchAddressSpace(),
        modeChanged: () => undefined,
        privilegeChanged: () => this.#selectTlb(),
        debugChanged: () => this.#watchData(),
      },
    });
    this.#flush({ kind: "all" });
    this.#selectTlb();
    this.cpu.updateUnitTraps();
  }

  /** Instructions retired since the processor was made. */
  get instructions(): bigint {
    return this.cpu.state.u64("instructions");
  }

  /** How often each call-out was called; those that never were are left out. */
  get callOutCounts(): Readonly<Record<string, number>> {
    const named = this.#callOutNames.map((name, number) => [name, this.#callOutCounts[number] ?? 0] as const);
    return Object.fromEntries(named.filter(([, count]) => count > 0));
  }

  /**
   * Runs guest code.
   *
   * @param limit instructions to run at most, exactly; Infinity for no limit. What retires no instruction (a repetition of a
   *   string instruction, an exception) may happen UNCOUNTED times more than that, so that a run with a limit always ends
   */
  run(limit: number): RunExit {
    let left = limit;
    this.#uncounted = 0;
    for (;;) {
      if (left <= 0 || this.#uncounted > limit + UNCOUNTED) return { reason: "budget" };
      const stepping = left <= MAXIMUM_BLOCK_INSTRUCTIONS || needsStepping(this.cpu);
      const before = this.instructions;
      const exit = stepping ? this.#step() : this.#runFreely(Math.min(left - MAXIMUM_BLOCK_INSTRUCTIONS - 1, SLICE));
      left -= Number(this.instructions - before);
      if (exit) return exit;
    }
  }

  /**
   * Runs guest code for about `budget` instructions: a block more or less, without the single steps that an exact count takes.
   * What `run` needs for a machine with a clock.
   */
  runSlice(budget: number): RunExit {
    const end = this.instructions + BigInt(budget);
    do {
      const exit = needsStepping(this.cpu) ? this.#step() : this.#runFreely(budget);
      if (exit) return exit;
    } while (this.instructions < end);
    return { reason: "budget" };
  }

  /**
   * Instructions retired up to the last end of a block, also while generated code runs (in a call-out): what a clock made of
   * instructions reads.
   */
  get instructionsNow(): bigint {
    const { state } = this.cpu;
    if (!this.#inside) return state.u64("instructions");
    const spent = this.#granted - (state.u32("budget") | 0) - state.u32("repeatIterations");
    return state.u64("instructions") + BigInt(spent);
  }

  /** Delivers an event (an interrupt, for instance) to the guest now. */
  deliver(event: GuestEvent): RunExit | undefined {
    this.#uncounted += DELIVERY_BUDGET;
    const result = this.times.exceptions.time(() => deliver(this.cpu, event));
    this.#afterChange();
    return result === "shutdown" ? { reason: "shutdown" } : undefined;
  }

  /**
   * After state was changed from outside: derived fields and the mode follow it.
   *
   * @param paging control registers, EFER or page tables were changed: the TLB is emptied
   */
  stateChanged(paging: boolean): void {
    this.cpu.updateMode();
    if (paging) this.#flush({ kind: "all" });
    this.#afterChange();
  }

  /** Tells that [gpa, gpa + byteLength) of RAM was written from outside (DMA, the embedder). */
  memoryWritten(gpa: number, byteLength: number): void {
    const end = gpa + byteLength;
    let flushed = false;
    for (let at = gpa; at < end;) {
      const next = Math.min(end, at - (at % 4096) + 4096);
      // What a page table held before is gone, so nothing tells which translations are stale now.
      if (!flushed && this.shadow.isTable(at >>> 12)) {
        this.shadow.flushAll();
        flushed = true;
      }
      this.blocks.invalidate(at, next - at);
      at = next;
    }
  }

  /**
   * Offset in linear memory of the code at RIP, fetched as it is when it runs: with the traces that leaves in page tables. 0 when it
   * cannot be fetched, -1 when it is no RAM.
   */
  fetchCode(): number {
    return this.#fetch(this.#linearRip());
  }

  // ---- running ----

  /** budget of the run that is under way */
  #granted = 0;
  #inside = false;

  #runFreely(budget: number): RunExit | undefined {
    const { state } = this.cpu;
    state.setU32("mode", state.u32("mode") & ~Mode.STEP);
    return this.#serve(this.#enter(budget));
  }

  /** Runs one instruction, with the debug exceptions that go with it. */
  #step(): RunExit | undefined {
    const { cpu } = this;
    const { state } = cpu;
    const step: Step | GuestEvent = beforeStep(cpu);
    if ("vector" in step) return this.#raise(step);
    state.setU32("mode", state.u32("mode") | Mode.STEP);
    let reason = this.#enter(0);
    // A missing block is no step: provide it and go on.
    while (reason === Exit.NEED_BLOCK) {
      const deliveries = this.#uncounted;
      const exit = this.#serve(reason);
      // A fault of the fetch is all that this step does, or a handler that cannot be fetched would keep us here.
      if (exit || this.#uncounted !== deliveries) {
        state.setU32("mode", state.u32("mode") & ~Mode.STEP);
        return exit;
      }
      reason = this.#enter(0);
    }
    state.setU32("mode", state.u32("mode") & ~Mode.STEP);
    if (reason === Exit.FAULT) {
      stepFaulted(cpu, step);
      return this.#serve(reason);
    }
    const trap = afterStep(cpu, step);
    if (trap) {
      const exit = this.#raise(trap);
      if (exit) return exit;
    }
    return this.#serve(reason);
  }

  #enter(budget: number): number {
    const { state } = this.cpu;
    state.setU32("budget", budget);
    state.setU32("repeatIterations", 0);
    state.setU32("eventPaths", this.#eventPaths());
    this.#granted = budget;
    this.#inside = true;
    const reason = this.#exports.run(this.#base);
    this.#inside = false;
    const repeated = state.u32("repeatIterations");
    this.#uncounted += repeated;
    const retired = budget - (state.u32("budget") | 0) - repeated;
    state.setU64("instructions", state.u64("instructions") + BigInt(retired));
    return reason;
  }

  /** What generated code may deliver and return from by itself. */
  #eventPaths(): number {
    const { cpu } = this;
    if (!this.eventsInPlace || cpu.state.mode & Mode.STEP) return 0;
    return (this.#deliversFaults() ? EventPath.DELIVER : 0) | (cpu.nmiBlocked ? 0 : EventPath.RETURN);
  }

  #serve(reason: number): RunExit | undefined {
    switch (reason) {
      case Exit.BUDGET:
        this.exits.budget++;
        if (this.translation) this.times.translating.time(() => this.#endOfSlice());
        return undefined;
      case Exit.NEED_BLOCK:
        this.exits.block++;
        return this.times.decoding.time(() => this.#provideBlock());
      case Exit.TRANSLATE:
        this.exits.translate++;
        this.#noteHotBlock();
        return undefined;
      case Exit.FAULT:
        this.exits.fault++;
        return this.#raiseFault(this.#exitFault());
      case Exit.HALT:
        this.exits.halt++;
        // STI; HLT: the shadow covered the HLT, which has been executed.
        this.cpu.state.setU32("interruptShadow", Shadow.NONE);
        return { reason: "halt" };
      case Exit.PORT:
        this.exits.port++;
        return { reason: "port" };
      case Exit.SHUTDOWN:
        this.exits.shutdown++;
        return { reason: "shutdown" };
      default:
        this.exits.event++;
        // Whoever runs this processor looks at everything that may wait, and says again whether something does.
        this.cpu.state.setU32("pendingEvents", 0);
        return { reason: "event" };
    }
  }

  #provideBlock(): RunExit | undefined {
    const { state } = this.cpu;
    const mode = state.u32("mode");
    const linear = this.#linearRip();
    const start = this.#fetch(linear);
    if (start === 0) return this.#raiseFault(this.#exitFault());
    if (start === -1) return this.#raiseFault(new Fault(Vector.UD));
    if (state.u32("exitRecord") !== 0) this.blocks.dropAt(start, mode);
    this.blocks.provide(start, mode, this.#bytesToCodeLimit(), () => this.#nextCodePage(linear));
    return undefined;
  }

  /** The block at RIP, which is decoded and has just been entered, is to be translated. */
  #noteHotBlock(): void {
    const start = this.fetchCode();
    const mode = this.cpu.state.u32("mode");
    const pageAt = this.#mappedCode();
    this.times.translating.time(() => this.translation?.note(start, mode, Number(this.instructions), pageAt));
  }

  /** Which pages are mapped for execution around RIP, by the TLB: their offset in linear memory by their distance from that of RIP. */
  #mappedCode(): (distance: number) => number {
    const bank = this.cpu.state.u32("tlb") + Tlb.EXECUTE;
    const page = this.#linearRip() & ~0xfffn;
    return (distance) => {
      const linear = BigInt.asUintN(64, page + BigInt(distance) * 4096n);
      const entry = bank + (Number(linear >> 12n) & (Tlb.ENTRIES - 1)) * Tlb.ENTRY_BYTES;
      if (this.#view.getBigUint64(entry + Tlb.TAG, true) !== linear) return 0;
      return (Number(BigInt.asUintN(32, linear)) + this.#view.getUint32(entry + Tlb.ADDEND, true)) >>> 0;
    };
  }

  #endOfSlice(): void {
    const { state } = this.cpu;
    const access = WalkAccess.FETCH | WalkAccess.PROBE | (state.cpl === 3 ? WalkAccess.USER : 0);
    const gpa = this.#exports.page_walk(this.#base, this.#linearRip(), access);
    const instructions = Number(this.instructions);
    this.translation?.sample(gpa === -1n ? 0 : MemoryMap.RAM + Number(gpa), state.u32("mode"), instructions);
    this.translation?.tick(instructions);
  }

  #bytesToCodeLimit(): number {
    const { state, code64 } = this.cpu;
    return code64 ? Infinity : state.u32("segmentLimit", Segment.CS) - Number(state.rip) + 1;
  }

  /** Offset of the page after the one that holds `linear`; 0 when it cannot be fetched, -1 when it is no RAM. */
  #nextCodePage(linear: bigint): number {
    const next = (linear & ~0xfffn) + 4096n;
    return this.#fetch(this.cpu.code64 ? next : next & 0xffff_ffffn);
  }

  #fetch(linear: bigint): number {
    const offset = this.#exports.fetch_slow(this.#base, linear);
    return offset === -1 ? offset : offset >>> 0;
  }

  #linearRip(): bigint {
    const { state, code64 } = this.cpu;
    return code64 ? state.rip : (state.rip + state.u64("segmentBase", Segment.CS)) & 0xffff_ffffn;
  }

  /** The fault that generated code noted. */
  #exitFault(): Fault {
    const { state } = this.cpu;
    const vector = state.u32("exitVector");
    const code = state.u32("exitErrorCode");
    const cr2 = vector === Vector.PF ? { cr2: state.u64("exitAddress") } : {};
    const dr6 = this.#callOutFault?.dr6;
    this.#callOutFault = undefined;
    return new Fault(vector, code === NO_ERROR_CODE ? undefined : code, dr6 === undefined ? cr2 : { ...cr2, dr6 });
  }

  #raiseFault(fault: Fault): RunExit | undefined {
    if (!this.#deliversFaults()) {
      if (fault.cr2 !== undefined) this.cpu.state.setU64("cr2", fault.cr2);
      return { reason: "fault", fault };
    }
    return this.deliver({
      vector: fault.vector,
      kind: "fault",
      errorCode: fault.errorCode,
      cr2: fault.cr2,
      dr6: fault.dr6,
    });
  }

  #raise(event: GuestEvent): RunExit | undefined {
    if (this.#deliversFaults()) return this.deliver(event);
    return { reason: "fault", fault: new Fault(event.vector, event.errorCode) };
  }

  // ---- call-outs ----

  #callOutFault: Fault | undefined;

  #callOut(number: number, length: number): number {
    const { cpu } = this;
    const { state } = cpu;
    cpu.instructionLength = length;
    this.#callOutCounts[number] = (this.#callOutCounts[number] ?? 0) + 1;
    const callOut = this.#callOuts[number];
    if (!callOut) {
      state.setU32("exitVector", Vector.UD);
      state.setU32("exitErrorCode", NO_ERROR_CODE);
      return Status.FAULT;
    }
    const vector = this.#deliversFaults() ? undefined : softwareVector(this.#callOutNames[number], this.#scratch);
    const result = vector === undefined ? callOut(cpu, this.#scratch) : new Fault(vector);
    if (result === undefined || typeof result === "bigint") {
      this.#scratch[0] = result ?? 0n;
      return Status.CONTINUE;
    }
    if (result instanceof Fault) {
      state.setU32("exitVector", result.vector);
      state.setU32("exitErrorCode", result.errorCode ?? NO_ERROR_CODE);
      if (result.cr2 !== undefined) state.setU64("exitAddress", result.cr2);
      this.#callOutFault = result;
      return Status.FAULT;
    }
    this.cpu.updateUnitTraps();
    if (result === "redirect") {
      if (!needsStepping(cpu)) return Status.REDIRECT;
      // New flags or breakpoints ask for single steps from here on.
      state.setU32("exitReason", Exit.EVENT);
      return Status.EXIT;
    }
    state.setU32("exitReason", result.exit);
    if (result.exit === Exit.PORT) state.rip = cpu.nextRip;
    return Status.EXIT;
  }

  // ---- what follows from state ----

  #afterChange(): void {
    this.#watchData();
    this.cpu.updateUnitTraps();
  }

  /** After a change of the debug registers: data breakpoints are found on the slow path of accesses. */
  #watchData(): void {
    this.cpu.state.setU32("dataBreakpoints", dataPages(this.cpu).length);
    this.#selectTlb();
  }

  #selectTlb(): void {
    this.#exports.select_tlb(this.#base);
  }

  #flush(scope: FlushScope): void {
    if (scope.kind === "page" && this.#isTraced()) {
      this.shadow.flushPage(scope.linear);
      return;
    }
    // The paging mode may have changed: which banks serve, and whether they are traced.
    this.shadow.flushAll();
    this.#switchAddressSpace();
  }

  /** After CR3 was loaded, or the paging mode changed. Only 4-level tables are traced: elsewhere everything is dropped. */
  #switchAddressSpace(): void {
    const { state } = this.cpu;
    const traced = this.#isTraced();
    if (traced) this.shadow.switchTo(Number(state.u64("cr3") & 0x000f_ffff_ffff_f000n), (state.cr4 & Cr4.SMAP) !== 0n);
    else this.shadow.flushCurrent();
    state.setU32("slotBit", traced ? this.shadow.slotBit : 0);
    state.setU32("tlbBanks", this.shadow.banks);
    state.setU32("supervisorBank", traced ? this.shadow.supervisorBank : this.shadow.banks);
    this.#selectTlb();
  }

  #isTraced(): boolean {
    const { state } = this.cpu;
    return (state.cr0 & Cr0.PG) !== 0n && (state.efer & Efer.LMA) !== 0n;
  }
}

/** guestState.reservedEntryBits of a processor model. SDM Vol. 3A, tables 4-4, 4-9 to 4-11 and 4-15 to 4-20. */
function reservedEntryBits({ physicalAddressBits, features }: CpuModel): readonly bigint[] {
  const address = 0x000f_ffff_ffff_ffffn & ~((1n << BigInt(physicalAddressBits)) - 1n);
  const large = 0x80n;
  // PSE-36 holds address bits 32..39 in bits 13..20; bit 21 is reserved, and so are those of them that are no address bits.
  const pse36 = 0x3f_ffffn & ~((1n << BigInt(Math.max(0, Math.min(8, physicalAddressBits - 32)) + 13)) - 1n);
  return [address, address, address | (features.has("page1gb") ? 0n : large), address | large, pse36];
}

/** The vector of a software interrupt: without a guest to deliver it to, it ends the run as an exception does. */
function softwareVector(callOut: string | undefined, operands: BigUint64Array): number | undefined {
  switch (callOut) {
    case "int":
      return Number(operands[0] ?? 0n) & 0xff;
    case "int1":
      return Vector.DB;
    case "int3":
      return Vector.BP;
    case "into":
      return Vector.OF;
    default:
      return undefined;
  }
}
