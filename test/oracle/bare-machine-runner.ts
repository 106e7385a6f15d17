import { Vector } from "../../runtime/abi/guest-state.ts";
import { createBareMachine } from "../../src/bare-machine.ts";
import type { BareExit, BareMachine, BareMachineOptions } from "../../src/bare-machine.ts";
import type { BareState } from "../../src/bare-state.ts";
import type { CaseRunner } from "./case-runner.ts";
import { FX_BYTES } from "./format.ts";
import type { CpuState, OracleCase, OracleResult, Outcome, Span } from "./format.ts";
import {
  backgroundImage,
  CODE,
  CODE_FILL,
  GDT,
  IMAGE_BYTES,
  IMAGE_REGIONS,
  imageOffset,
  LDT,
  REGIONS,
  Selector,
} from "./layout.ts";

type Segment = BareState["cs"];

/** Guest-physical homes: the regions one behind the other from CODE_GPA, then the descriptor tables. */
const CODE_GPA = 0x1_0000;
const IMAGE_GPA = CODE_GPA + CODE.lengthBytes;
const TABLES_GPA = IMAGE_GPA + IMAGE_BYTES;
/** The descriptor tables are where no case looks, and user code may not. */
const TABLES_GVA = 0xffff_8000_0000_0000n;
const LDT_OFFSET = 0x800;
const TSS_OFFSET = 0xc00;
/** A 64-bit TSS without I/O permission bits: the map base is behind its end. SDM Vol. 3A, 9.7. */
const TSS_LIMIT = 0x67;
const TSS_MAP_BASE = 0x66;
const MEMORY_BYTES = 0x10_0000;
/** No case needs more: a REP iteration may count as an instruction, and has at most some dozens. */
const INSTRUCTIONS = 2000;

const SEGMENT_NAMES = ["es", "cs", "ss", "ds", "fs", "gs"] as const;
// prettier-ignore
const GPR_NAMES = [
  "rax", "rcx", "rdx", "rbx", "rsp", "rbp", "rsi", "rdi", "r8", "r9", "r10", "r11", "r12", "r13", "r14", "r15",
] as const;
const INDEX16 = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15] as const;
const INDEX8 = [0, 1, 2, 3, 4, 5, 6, 7] as const;

/** What a processor would have in its hidden part after loading a selector. */
function loadedSegment(selector: number): Segment {
  if ((selector & ~3) === 0) return { selector, base: 0n, limit: 0, attributes: 0 };
  const entry = (selector & 4 ? LDT : GDT)[selector >> 3] ?? 0n;
  const bytes = Number((entry >> 40n) & 0xffn);
  const flags = Number((entry >> 52n) & 0xfn);
  const limit = Number((entry & 0xffffn) | ((entry >> 32n) & 0xf_0000n));
  return {
    selector,
    base: ((entry >> 16n) & 0xff_ffffn) | ((entry >> 56n) << 24n),
    limit: flags & 8 ? ((limit << 12) | 0xfff) >>> 0 : limit,
    attributes: bytes | (flags << 12),
  };
}

/** Runs cases in user mode of a bare machine whose memory and descriptor tables are those of a native case. */
export class BareMachineRunner implements CaseRunner {
  readonly name: string;
  readonly #machine: BareMachine;
  /** what memory holds between cases, and, with the patches of the case in progress, before it */
  readonly #background = backgroundImage();
  readonly #before = backgroundImage();
  readonly #beforeWords = new Uint32Array(this.#before.buffer);
  /** why the last case threw, if it did */
  lastCrash: unknown;

  private constructor(name: string, machine: BareMachine) {
    this.name = name;
    this.#machine = machine;
  }

  static async open(engine: NonNullable<BareMachineOptions["engine"]>): Promise<BareMachineRunner> {
    const machine = await createBareMachine({ memoryBytes: MEMORY_BYTES, mode: "long", engine });
    let gpa = CODE_GPA;
    for (const { gva, lengthBytes, kind } of REGIONS) {
      machine.map(gva, gpa, lengthBytes, { user: true, write: kind === "data", execute: kind === "code" });
      gpa += lengthBytes;
    }
    machine.map(TABLES_GVA, TABLES_GPA, 0x1000, { write: true });
    const tables = new DataView(new ArrayBuffer(0x1000));
    for (const [i, entry] of GDT.entries()) tables.setBigUint64(i * 8, entry, true);
    for (const [i, entry] of LDT.entries()) tables.setBigUint64(LDT_OFFSET + i * 8, entry, true);
    tables.setUint16(TSS_OFFSET + TSS_MAP_BASE, TSS_LIMIT + 1, true);
    machine.write(TABLES_GPA, new Uint8Array(tables.buffer));
    machine.write(CODE_GPA, new Uint8Array(CODE.lengthBytes).fill(CODE_FILL));
    machine.write(IMAGE_GPA, backgroundImage());
    machine.setState({
      // As Linux has it: write protection, alignment checks, native x87 errors. User code cannot change it, and setting it drops TLBs.
      cr0: 0x8005_0033n,
      gdt: { base: TABLES_GVA, limit: GDT.length * 8 - 1 },
      ldtr: { selector: 0x50, base: TABLES_GVA + BigInt(LDT_OFFSET), limit: LDT.length * 8 - 1, attributes: 0x82 },
      tr: { selector: 0x40, base: TABLES_GVA + BigInt(TSS_OFFSET), limit: TSS_LIMIT, attributes: 0x8b },
    });
    return new BareMachineRunner(engine, machine);
  }

  run(cases: readonly OracleCase[]): OracleResult[] {
    return cases.map((oracleCase) => this.#runOne(oracleCase));
  }

  #runOne(oracleCase: OracleCase): OracleResult {
    const machine = this.#machine;
    const codeGpa = CODE_GPA + oracleCase.codeGva - CODE.gva;
    machine.write(codeGpa, oracleCase.code);
    for (const { gva, bytes } of oracleCase.patches) {
      machine.write(IMAGE_GPA + imageOffset(gva), bytes);
      this.#before.set(bytes, imageOffset(gva));
    }
    let exit: BareExit | undefined;
    try {
      machine.setState(toBareState(oracleCase.state));
      exit = machine.run({ maxInstructions: INSTRUCTIONS });
    } catch (error) {
      this.lastCrash = error;
    }
    const result = this.#result(oracleCase, exit);
    machine.write(codeGpa, new Uint8Array(oracleCase.code.length).fill(CODE_FILL));
    for (const { gva, bytes } of [...oracleCase.patches, ...result.changes]) {
      const at = imageOffset(gva);
      const old = this.#background.subarray(at, at + bytes.length);
      machine.write(IMAGE_GPA + at, old);
      this.#before.set(old, at);
    }
    return result;
  }

  #result(oracleCase: OracleCase, exit: BareExit | undefined): OracleResult {
    const bare = this.#machine.getState();
    const state = fromBareState(bare);
    const outcome: Outcome = exit === undefined ? "crash" : exit.reason === "exception" ? "trap" : "timeout";
    let vector = exit?.vector ?? 0;
    let errorCode = exit?.errorCode ?? 0;
    if (outcome === "trap") {
      const software = softwareInterrupt(oracleCase, bare.cs.base + bare.rip);
      // The machine, without an IDT, stops before INT3, INTO and INT n. The processor pushes the address behind them; but only
      // vectors 3 and 4 are open to user code.
      if (vector === Vector.BP || vector === Vector.OF) state.rip += BigInt(software?.length ?? 1);
      else if (software && software.vector === vector) {
        vector = Vector.GP;
        errorCode = software.vector * 8 + 2;
      }
    }
    const changes = this.#changes();
    return { outcome, vector, errorCode, cr2: exit?.cr2 ?? 0n, state, changes };
  }

  #changes(): Span[] {
    const image = this.#machine.read(IMAGE_GPA, IMAGE_BYTES);
    const now = new Uint32Array(image.buffer, image.byteOffset, IMAGE_BYTES / 4);
    const before = this.#beforeWords;
    const changes: Span[] = [];
    let offset = 0;
    for (const { gva, lengthBytes } of IMAGE_REGIONS) {
      for (let at = 0; at < lengthBytes; at += 8) {
        const i = (offset + at) / 4;
        if (now[i] !== before[i] || now[i + 1] !== before[i + 1])
          changes.push({ gva: gva + at, bytes: image.slice(offset + at, offset + at + 8) });
      }
      offset += lengthBytes;
    }
    return changes;
  }
}

/** The INT3, INTO or INT n at a linear address of the snippet, if one is there. */
function softwareInterrupt(
  { code, codeGva }: OracleCase,
  gva: bigint,
): { readonly vector: number; readonly length: number } | undefined {
  const start = Number(gva) - codeGva;
  let at = start;
  while (PREFIXES.has(code[at] ?? 0)) at++;
  const opcode = code[at];
  if (opcode === 0xcc) return { vector: Vector.BP, length: at + 1 - start };
  if (opcode === 0xce) return { vector: Vector.OF, length: at + 1 - start };
  if (opcode === 0xcd) return { vector: code[at + 1] ?? CODE_FILL, length: at + 2 - start };
  return undefined;
}

/** Legacy prefixes, and REX, which stands alone in 64-bit mode and is an instruction otherwise (and then not before these). */
const PREFIXES = new Set([0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65, 0x66, 0x67, 0xf0, 0xf2, 0xf3]);
for (let rex = 0x40; rex < 0x50; rex++) PREFIXES.add(rex);

function toBareState(state: CpuState): Partial<BareState> {
  const fx = new DataView(state.fx.buffer, state.fx.byteOffset, FX_BYTES);
  const bare: Partial<BareState> = {
    rip: state.rip,
    rflags: state.rflags,
    fcw: fx.getUint16(0, true),
    fsw: fx.getUint16(2, true),
    ftw: fx.getUint8(4),
    mxcsr: fx.getUint32(24, true),
    fop: fx.getUint16(6, true),
    fip: fx.getBigUint64(8, true),
    fdp: fx.getBigUint64(16, true),
    fcs: 0,
    fds: 0,
  };
  for (const [i, name] of GPR_NAMES.entries()) bare[name] = state.gpr[i] ?? 0n;
  for (const [i, name] of SEGMENT_NAMES.entries()) bare[name] = loadedSegment(state.selectors[i] ?? 0);
  // In 64-bit mode FS and GS have bases of their own.
  if (state.selectors[1] === Selector.CODE64) {
    bare.fs = { ...loadedSegment(0), base: state.fsBase };
    bare.gs = { ...loadedSegment(0), base: state.gsBase };
  }
  for (const i of INDEX8) bare[`st${i}`] = state.fx.slice(32 + i * 16, 42 + i * 16);
  for (const i of INDEX16) bare[`xmm${i}`] = state.fx.slice(160 + i * 16, 176 + i * 16);
  // Last, so that the segments loaded above agree with it.
  bare.cpl = 3;
  return bare;
}

function fromBareState(bare: BareState): CpuState {
  const fx = new Uint8Array(FX_BYTES);
  const view = new DataView(fx.buffer);
  view.setUint16(0, bare.fcw, true);
  view.setUint16(2, bare.fsw, true);
  view.setUint8(4, bare.ftw);
  view.setUint32(24, bare.mxcsr, true);
  for (const i of INDEX8) fx.set(bare[`st${i}`], 32 + i * 16);
  for (const i of INDEX16) fx.set(bare[`xmm${i}`], 160 + i * 16);
  return {
    rip: bare.rip,
    rflags: bare.rflags,
    gpr: BigUint64Array.from(GPR_NAMES, (name) => bare[name]),
    fsBase: bare.fsBase,
    gsBase: bare.gsBase,
    selectors: Uint16Array.from(SEGMENT_NAMES, (name) => bare[name].selector),
    fx,
  };
}
