import { describe, expect, it } from "vitest";
import { type BareExit, type BareMachine, type BareMode, createBareMachine } from "../../src/bare-machine.ts";

const CODE = 0x1000;
const DATA = 0x2000;
const MF = 16;
const NM = 7;
const PF = 14;
const TS = 1n << 3n;
const MP = 1n << 1n;
const Fsw = { IE: 0x01, ZE: 0x04, PE: 0x20, SF: 0x40, ES: 0x80, C1: 0x200, B: 0x8000 } as const;
const HLT = "f4";

/** A machine with code at CODE; RDI points to DATA. */
async function machineWith(
  mode: BareMode,
  code: readonly string[],
  data: readonly number[] = [],
): Promise<BareMachine> {
  const machine = await createBareMachine({ memoryBytes: 1 << 20, mode });
  machine.write(CODE, Uint8Array.fromHex([...code, HLT].join("").replaceAll(" ", "")));
  machine.write(DATA, Uint8Array.from(data));
  machine.setState({ rip: BigInt(CODE), rdi: BigInt(DATA), fcw: 0x37f, fsw: 0, ftw: 0 });
  return machine;
}

function run(machine: BareMachine): BareExit {
  return machine.run({ maxInstructions: 1000 });
}

const FLD1 = "d9 e8";
const FLDZ = "d9 ee";
const FDIVP = "de f9";
const FLDCW = "d9 2f"; // [rdi]
const FNCLEX = "db e2";
const FWAIT = "9b";
/** FCW with everything masked but division by zero */
const ZE_UNMASKED = [0x7b, 0x03];

describe("pending x87 exceptions", () => {
  it("are raised by the next waiting instruction, not by the one that found them", async () => {
    const machine = await machineWith("long", [FLDCW, FLD1, FLDZ, FDIVP, "df e0", FLD1], ZE_UNMASKED);
    const exit = run(machine);
    const { rip, rax, fsw } = machine.getState();
    expect(exit).toMatchObject({ reason: "exception", vector: MF });
    expect(rip).toBe(BigInt(CODE + 10));
    expect(fsw & 0x80ff).toBe(Fsw.B | Fsw.ES | Fsw.ZE);
    expect(Number(rax & 0xffffn)).toBe(fsw);
    // Nothing was stored and nothing popped: both operands are still there.
    expect((fsw >> 11) & 7).toBe(6);
  });

  it("are raised by FWAIT", async () => {
    const machine = await machineWith("long", [FLDCW, FLD1, FLDZ, FDIVP, FWAIT], ZE_UNMASKED);
    expect(run(machine)).toMatchObject({ reason: "exception", vector: MF });
    expect(machine.getState().rip).toBe(BigInt(CODE + 8));
  });

  it("are gone after FNCLEX", async () => {
    const machine = await machineWith("long", [FLDCW, FLD1, FLDZ, FDIVP, FNCLEX, FLD1], ZE_UNMASKED);
    expect(run(machine).reason).toBe("halt");
    expect(machine.getState().fsw & 0x80ff).toBe(0);
  });

  it("appear when FLDCW unmasks a flag that is set", async () => {
    const machine = await machineWith("long", [FLD1, FLDZ, FDIVP, FLDCW, FLD1], ZE_UNMASKED);
    expect(run(machine)).toMatchObject({ reason: "exception", vector: MF });
    expect(machine.getState().rip).toBe(BigInt(CODE + 8));
  });
});

describe("x87 instructions without an x87", () => {
  it.each([
    ["FLD1 while CR0.TS is set", FLD1, TS, NM],
    ["FNSTSW while CR0.TS is set", "df e0", TS, NM],
    ["FWAIT while CR0.TS and CR0.MP are set", FWAIT, TS | MP, NM],
  ])("%s", async (_, code, bits, vector) => {
    const machine = await machineWith("long", [code]);
    const { cr0 } = machine.getState();
    machine.setState({ cr0: (cr0 & ~(TS | MP)) | bits });
    expect(run(machine)).toMatchObject({ reason: "exception", vector });
  });

  it("FWAIT runs while only CR0.TS is set", async () => {
    const machine = await machineWith("long", [FWAIT]);
    const { cr0 } = machine.getState();
    machine.setState({ cr0: (cr0 & ~MP) | TS });
    expect(run(machine).reason).toBe("halt");
  });
});

describe("stack faults", () => {
  it("nine loads overflow: C1, IE, SF and the default NaN", async () => {
    const machine = await machineWith(
      "long",
      Array.from({ length: 9 }, () => FLD1),
    );
    expect(run(machine).reason).toBe("halt");
    const { fsw, st0 } = machine.getState();
    expect(fsw & 0x2ff).toBe(Fsw.C1 | Fsw.SF | Fsw.IE);
    expect(st0.toHex()).toBe("00000000000000c0ffff");
  });

  it("a store of nothing underflows: the integer indefinite", async () => {
    const machine = await machineWith("long", ["db 1f"], [1, 2, 3, 4]);
    expect(run(machine).reason).toBe("halt");
    expect(machine.getState().fsw & 0x2ff).toBe(Fsw.SF | Fsw.IE);
    expect(machine.read(DATA, 4).toHex()).toBe("00000080");
  });
});

describe("stores to memory", () => {
  it("an unmasked invalid operation stores nothing", async () => {
    const machine = await machineWith("long", [FLDCW, "db 1f"], [0x7e, 0x03, 3, 4]);
    expect(run(machine).reason).toBe("halt");
    expect(machine.read(DATA, 4).toHex()).toBe("7e030304");
    expect(machine.getState().fsw & 0x80ff).toBe(Fsw.B | Fsw.ES | Fsw.SF | Fsw.IE);
  });

  it("FSTP m80 across the end of what is mapped changes neither memory nor stack", async () => {
    const machine = await machineWith("long", [FLD1, "db 3f"]);
    machine.map(0, 0, 0x3000, { write: true, execute: true });
    machine.setState({ rdi: 0x2ffcn });
    expect(run(machine)).toMatchObject({ reason: "exception", vector: PF, cr2: 0x3000n });
    expect(machine.read(0x2ffc, 4).toHex()).toBe("00000000");
    const { fsw, ftw } = machine.getState();
    expect([(fsw >> 11) & 7, ftw]).toEqual([7, 0x80]);
  });
});

// SDM Vol. 1, figures 8-9 to 8-12.
describe("the environment", () => {
  /** FLD m64 [rdi+8], then FNSTENV [rdi+0x20] */
  const load = "dd 47 08";
  const words = (machine: BareMachine, unit: 2 | 4): number[] => {
    const bytes = machine.read(DATA + 0x20, 28);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    return Array.from({ length: 7 }, (_, index) =>
      unit === 4 ? view.getUint32(index * 4, true) : view.getUint16(index * 2, true),
    );
  };

  it("has 28 bytes in 64-bit mode, and masks all exceptions", async () => {
    const machine = await machineWith("long", [FLDCW, load, "d9 77 20"], ZE_UNMASKED);
    expect(run(machine).reason).toBe("halt");
    const { cs, ds, fcw } = machine.getState();
    const pointers = [CODE + 2, cs.selector, DATA + 8, (0xffff_0000 | ds.selector) >>> 0];
    expect(words(machine, 4)).toEqual([0xffff_037b, 0xffff_3800, 0xffff_7fff, ...pointers]);
    expect(fcw).toBe(0x37f);
  });

  it("has 14 bytes with an operand-size prefix", async () => {
    const machine = await machineWith("long", [load, "66 d9 77 20"]);
    expect(run(machine).reason).toBe("halt");
    const { cs, ds } = machine.getState();
    expect(words(machine, 2)).toEqual([0x37f, 0x3800, 0x7fff, CODE, cs.selector, DATA + 8, ds.selector]);
  });

  it("holds linear addresses in real-address mode", async () => {
    // The same code in 16-bit encoding: [di+8] and [di+0x20].
    const machine = await machineWith("real", ["dd 45 08", "d9 75 20"]);
    machine.setState({ ds: { ...machine.getState().ds, selector: 0x1200, base: 0x1_2000n }, rdi: 0n });
    expect(run(machine).reason).toBe("halt");
    const bytes = machine.read(0x1_2020, 14);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const stored = Array.from({ length: 7 }, (_, index) => view.getUint16(index * 2, true));
    expect(stored).toEqual([0x37f, 0x3800, 0x7fff, CODE, 0, 0x2008, 0x1000]);
  });

  it("comes back by FLDENV, but for ES and B, which follow from flags and masks", async () => {
    const image = new Uint8Array(28);
    const view = new DataView(image.buffer);
    view.setUint16(0, 0x0f7e, true);
    view.setUint16(4, 0x4000 | (3 << 11) | Fsw.IE, true);
    view.setUint16(8, 0xfffc, true);
    const machine = await machineWith("long", ["d9 27"], [...image]);
    expect(run(machine).reason).toBe("halt");
    const { fcw, fsw, ftw } = machine.getState();
    expect([fcw, fsw, ftw]).toEqual([0x0f7e, 0x4000 | (3 << 11) | Fsw.IE | Fsw.ES | Fsw.B, 0x01]);
  });

  it("FNSAVE across the end of what is mapped changes nothing", async () => {
    const machine = await machineWith("long", [FLD1, "dd 37"]);
    machine.map(0, 0, 0x3000, { write: true, execute: true });
    machine.setState({ rdi: 0x2fc0n });
    expect(run(machine)).toMatchObject({ reason: "exception", vector: PF, cr2: BigInt(0x2fc0 + 107) });
    expect(machine.read(0x2fc0, 0x40).every((byte) => byte === 0)).toBe(true);
    expect(machine.getState().ftw).toBe(0x80);
  });

  it("FNSAVE initializes, and FRSTOR brings everything back", async () => {
    const machine = await machineWith("long", [FLD1, "d9 eb", "dd 37", "9b", "dd 27"]);
    expect(run(machine).reason).toBe("halt");
    const { fsw, ftw, st0, st1 } = machine.getState();
    expect([(fsw >> 11) & 7, ftw]).toEqual([6, 0xc0]);
    expect(st0.toHex()).toBe("35c26821a2da0fc90040");
    expect(st1.toHex()).toBe("0000000000000080ff3f");
  });
});
