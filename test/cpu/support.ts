import { expect } from "vitest";
import { guestState, Mode, Rflags, Segment, Vector } from "../../runtime/abi/guest-state.ts";
import type { CallOutResult } from "../../runtime/cpu/call-out.ts";
import { callOuts } from "../../runtime/cpu/call-outs.ts";
import { Cpu, resetCpu } from "../../runtime/cpu/cpu.ts";
import { CpuModel, type CpuModelOptions } from "../../runtime/cpu/cpuid.ts";
import { Fault } from "../../runtime/cpu/fault.ts";
import { isolatedHooks, type CpuHooks } from "../../runtime/cpu/hooks.ts";
import type { AccessSize, LinearMemory, Privilege } from "../../runtime/cpu/memory-access.ts";
import { StateView } from "../../runtime/cpu/state-view.ts";

const BYTES = 0x2_0000;

/** 128 KiB of linear memory at 0, with pages that can be taken away or closed to user mode. */
export class FakeMemory implements LinearMemory {
  readonly bytes = new Uint8Array(BYTES);
  readonly view: DataView = new DataView(this.bytes.buffer);
  readonly missing: Set<number> = new Set<number>();
  readonly readOnly: Set<number> = new Set<number>();
  readonly supervisorOnly: Set<number> = new Set<number>();

  read(linear: bigint, size: AccessSize, privilege: Privilege): bigint | Fault {
    const fault = this.#check(linear, size, privilege, false);
    if (fault) return fault;
    let value = 0n;
    for (let index = size - 1; index >= 0; index--)
      value = (value << 8n) | BigInt(this.bytes[Number(linear) + index] ?? 0);
    return value;
  }

  write(linear: bigint, size: AccessSize, value: bigint, privilege: Privilege): Fault | undefined {
    const fault = this.#check(linear, size, privilege, true);
    if (fault) return fault;
    for (let index = 0; index < size; index++)
      this.bytes[Number(linear) + index] = Number((value >> BigInt(8 * index)) & 0xffn);
    return undefined;
  }

  readWords(linear: bigint, count: number, privilege: Privilege): bigint[] | Fault {
    const words: bigint[] = [];
    for (let index = 0; index < count; index++) {
      const word = this.read(linear + BigInt(8 * index), 8, privilege);
      if (word instanceof Fault) return word;
      words.push(word);
    }
    return words;
  }

  writeWords(linear: bigint, words: readonly bigint[], privilege: Privilege): Fault | undefined {
    const fault = this.#check(linear, words.length * 8, privilege, true);
    if (fault) return fault;
    for (const [index, word] of words.entries()) this.write(linear + BigInt(8 * index), 8, word, privilege);
    return undefined;
  }

  #check(linear: bigint, size: number, { user }: Privilege, write: boolean): Fault | undefined {
    for (const at of [linear, linear + BigInt(size - 1)]) {
      const page = Number(at >> 12n);
      const present = at < BigInt(BYTES) && !this.missing.has(page);
      const allowed = present && !(write && this.readOnly.has(page)) && !(user && this.supervisorOnly.has(page));
      if (!allowed) return new Fault(Vector.PF, (present ? 1 : 0) | (write ? 2 : 0) | (user ? 4 : 0), { cr2: at });
    }
    return undefined;
  }

  u64(at: number): bigint {
    return this.view.getBigUint64(at, true);
  }
  setU64(at: number, value: bigint): void {
    this.view.setBigUint64(at, value, true);
  }
  u32(at: number): number {
    return this.view.getUint32(at, true);
  }
  setU32(at: number, value: number): void {
    this.view.setUint32(at, value, true);
  }
}

/** Where the tables of the test system lie. */
export const Table = {
  GDT: 0x1000,
  IDT: 0x2000,
  TSS: 0x4000,
  LDT: 0x5000,
  KERNEL_STACK: 0x9000,
  USER_STACK: 0xb000,
  IST_STACK: 0xd000,
} as const;

/** Selectors of the test GDT. */
export const Selector = {
  KERNEL_CODE64: 0x08,
  KERNEL_DATA: 0x10,
  USER_CODE32: 0x1b,
  USER_DATA: 0x23,
  USER_CODE64: 0x2b,
  TSS: 0x30,
  KERNEL_CODE32: 0x40,
  ABSENT_DATA: 0x48,
  CONFORMING32: 0x50,
  CALL_GATE: 0x58,
  READ_ONLY_DATA: 0x68,
  LDT: 0x70,
  EXECUTE_ONLY: 0x80,
  OTHER_TSS: 0x88,
} as const;

const DESCRIPTORS: Readonly<Record<number, bigint>> = {
  0x08: 0x00af_9a00_0000_ffffn,
  0x10: 0x00cf_9300_0000_ffffn,
  0x18: 0x00cf_fb00_0000_ffffn,
  0x20: 0x00cf_f300_0000_ffffn,
  0x28: 0x00af_fb00_0000_ffffn,
  0x30: 0x0000_8b00_4000_0067n,
  0x40: 0x00cf_9b00_0000_ffffn,
  0x48: 0x00cf_1300_0000_ffffn,
  0x50: 0x00cf_9f00_0000_ffffn,
  0x68: 0x00cf_9000_0000_ffffn,
  0x70: 0x0000_8200_5000_000fn,
  0x80: 0x00cf_9900_0000_ffffn,
  0x88: 0x0000_8900_6000_0067n,
};

export interface TestSystem {
  readonly cpu: Cpu;
  readonly state: StateView;
  readonly memory: FakeMemory;
  /** names of the hooks that were called, in order */
  readonly calls: string[];
}

/** A segment register as a load of the test GDT's entry gives it. */
function load(system: TestSystem, segment: number, selector: number): void {
  const raw = DESCRIPTORS[selector & 0xfff8] ?? 0n;
  const high = Number(raw >> 32n);
  system.state.setSegment(segment, {
    selector,
    base: raw === 0n ? 0n : ((raw >> 16n) & 0xff_ffffn) | ((raw >> 32n) & 0xff00_0000n),
    limit: high & 0x80_0000 ? 0xffff_ffff : Number(raw & 0xffffn),
    attributes: raw === 0n ? 0 : ((high >>> 8) & 0xf0ff) | (high & 0x1000 ? 1 : 0),
  });
}

export interface SystemOptions {
  readonly mode: "long" | "protected" | "real";
  readonly cpl?: 0 | 3;
  readonly model?: CpuModelOptions;
  readonly hooks?: Partial<CpuHooks>;
}

/** A processor with descriptor tables, a TSS and stacks, stopped at RIP = 0x800. */
export function createSystem({ mode, cpl = 0, model = {}, hooks = {} }: SystemOptions): TestSystem {
  const calls: string[] = [];
  const memory = new FakeMemory();
  const state = new StateView(new ArrayBuffer(guestState.byteLength + 64), 64);
  const recording: Partial<CpuHooks> = {
    flushTlb: ({ kind }) => void calls.push(`flushTlb ${kind}`),
    addressSpaceChanged: (keep) => void calls.push(`addressSpaceChanged ${keep}`),
    modeChanged: () => void calls.push("modeChanged"),
    privilegeChanged: () => void calls.push("privilegeChanged"),
  };
  const cpu = new Cpu({ state, memory, hooks: isolatedHooks({ ...recording, ...hooks }), model: new CpuModel(model) });
  resetCpu(cpu);
  const system = { cpu, state, memory, calls };
  for (const [selector, raw] of Object.entries(DESCRIPTORS)) memory.setU64(Table.GDT + Number(selector), raw);
  state.rip = 0x800n;
  if (mode === "real") {
    state.setSegment(Segment.CS, { selector: 0, base: 0n, limit: 0xffff, attributes: 0x0093 });
    state.setU32("idtLimit", 0x3ff);
    state.rsp = 0x8000n;
    calls.length = 0;
    return system;
  }
  const long = mode === "long";
  state.setU64("gdtBase", BigInt(Table.GDT));
  state.setU32("gdtLimit", 0x97);
  state.setU64("idtBase", BigInt(Table.IDT));
  state.setU32("idtLimit", 256 * (long ? 16 : 8) - 1);
  state.setU64("cr0", long ? 0x8000_0031n : 0x31n);
  state.setU64("cr4", long ? 0x620n : 0n);
  state.setU64("efer", long ? 0xd01n : 0n);
  const user = cpl === 3;
  load(
    system,
    Segment.CS,
    long
      ? user
        ? Selector.USER_CODE64
        : Selector.KERNEL_CODE64
      : user
        ? Selector.USER_CODE32
        : Selector.KERNEL_CODE32,
  );
  for (const segment of [Segment.SS, Segment.DS, Segment.ES])
    load(system, segment, user ? Selector.USER_DATA : Selector.KERNEL_DATA);
  load(system, Segment.TR, Selector.TSS);
  state.setSegment(Segment.LDTR, { selector: 0, base: 0n, limit: 0, attributes: 0 });
  state.rsp = BigInt(user ? Table.USER_STACK : Table.KERNEL_STACK);
  state.setU32("cpl", cpl);
  if (long) {
    memory.setU64(Table.TSS + 4, BigInt(Table.KERNEL_STACK));
    memory.setU64(Table.TSS + 0x24, BigInt(Table.IST_STACK));
  } else {
    memory.setU32(Table.TSS + 4, Table.KERNEL_STACK);
    memory.setU32(Table.TSS + 8, Selector.KERNEL_DATA);
  }
  cpu.updateMode();
  calls.length = 0;
  return system;
}

export interface GateOptions {
  readonly selector?: number;
  readonly dpl?: number;
  readonly ist?: number;
  /** 14 interrupt gate, 15 trap gate, 5 task gate */
  readonly type?: number;
  readonly present?: boolean;
}

/** Writes the gate of a vector, by default a present interrupt gate of DPL 0 to `target` in the kernel's code. */
export function setGate({ cpu, memory }: TestSystem, vector: number, target: number, options: GateOptions = {}): void {
  const long = cpu.longMode;
  const {
    selector = long ? Selector.KERNEL_CODE64 : Selector.KERNEL_CODE32,
    dpl = 0,
    ist = 0,
    type = 14,
    present = true,
  } = options;
  const at = Table.IDT + vector * (long ? 16 : 8);
  memory.setU32(at, ((selector << 16) | (target & 0xffff)) >>> 0);
  memory.setU32(at + 4, ((target & 0xffff_0000) | (present ? 0x8000 : 0) | (dpl << 13) | (type << 8) | ist) >>> 0);
}

/** Calls a call-out as generated code does. */
export function call(
  { cpu }: TestSystem,
  name: string,
  operands: readonly (number | bigint)[] = [],
  length = 2,
): CallOutResult {
  const callOut = callOuts[name];
  if (!callOut) throw new Error(`no call-out ${name}`);
  cpu.instructionLength = length;
  return callOut(cpu, operands.map(BigInt));
}

/** The result must be this fault. */
export function expectFault(
  result: CallOutResult | Fault | undefined,
  vector: number,
  errorCode: number | undefined,
): void {
  expect(result).toBeInstanceOf(Fault);
  if (!(result instanceof Fault)) return;
  expect({ vector: result.vector, errorCode: result.errorCode }).toEqual({ vector, errorCode });
}

/** `count` 64-bit words of the stack, from the top. */
export function stack64({ state, memory }: TestSystem, count: number): bigint[] {
  return Array.from({ length: count }, (_, index) => memory.u64(Number(state.rsp) + 8 * index));
}
export function stack32({ state, memory }: TestSystem, count: number): number[] {
  return Array.from({ length: count }, (_, index) => memory.u32(Number(state.rsp) + 4 * index));
}

export const FLAGS_IF_ZF = Rflags.ONE | Rflags.IF | Rflags.ZF;
export { Mode, Rflags, Segment, Vector };
