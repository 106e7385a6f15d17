import { describe, expect, it } from "vitest";
import {
  call,
  createSystem,
  expectFault,
  Mode,
  Rflags,
  Segment,
  Selector,
  stack32,
  stack64,
  Table,
  Vector,
  type TestSystem,
} from "./support.ts";

/** Writes a call gate at Selector.CALL_GATE: 12 = 32-bit or, in IA-32e mode, 64-bit. */
function setCallGate(
  { cpu, memory }: TestSystem,
  target: number,
  options: { dpl?: number; parameters?: number; selector?: number; present?: boolean } = {},
): void {
  const {
    dpl = 3,
    parameters = 0,
    present = true,
    selector = cpu.longMode ? Selector.KERNEL_CODE64 : Selector.KERNEL_CODE32,
  } = options;
  const at = Table.GDT + Selector.CALL_GATE;
  memory.setU32(at, ((selector << 16) | target) >>> 0);
  memory.setU32(at + 4, ((present ? 0x8000 : 0) | (dpl << 13) | (12 << 8) | parameters) >>> 0);
}

describe("far JMP (SDM Vol. 2A)", () => {
  it("changes CS and the code size", () => {
    const system = createSystem({ mode: "long" });
    expect(call(system, "farJump", [Selector.KERNEL_CODE32, 0x1234n, 8])).toBe("redirect");
    expect(system.state.rip).toBe(0x1234n);
    expect(system.state.u32("mode")).toBe(Mode.CODE32);
    expect(system.calls).toContain("modeChanged");
  });

  it.each([
    ["null", 0, Vector.GP, 0],
    ["outside the table", 0xa8, Vector.GP, 0xa8],
    ["data", Selector.KERNEL_DATA, Vector.GP, Selector.KERNEL_DATA],
    ["code of level 3", Selector.USER_CODE32 & ~3, Vector.GP, Selector.USER_CODE32 & ~3],
    ["RPL above CPL", Selector.KERNEL_CODE32 | 1, Vector.GP, Selector.KERNEL_CODE32],
  ])("faults: %s", (_what, selector, vector, errorCode) => {
    const system = createSystem({ mode: "protected" });
    expectFault(call(system, "farJump", [selector, 0x1234, 4]), vector, errorCode);
    expect(system.state.rip).toBe(0x800n);
  });

  it("to conforming code keeps CPL as the RPL of CS", () => {
    const system = createSystem({ mode: "protected", cpl: 3 });
    expect(call(system, "farJump", [Selector.CONFORMING32, 0x1234, 4])).toBe("redirect");
    expect(system.state.u32("segmentSelector", Segment.CS)).toBe(Selector.CONFORMING32 | 3);
    expect(system.state.cpl).toBe(3);
  });

  it("checks the limit of the target", () => {
    const system = createSystem({ mode: "protected" });
    system.memory.setU64(Table.GDT + Selector.EXECUTE_ONLY, 0x0040_9900_0000_0fffn);
    expectFault(call(system, "farJump", [Selector.EXECUTE_ONLY, 0x1000, 4]), Vector.GP, 0);
    expect(call(system, "farJump", [Selector.EXECUTE_ONLY, 0xfff, 4])).toBe("redirect");
  });

  it("in real mode sets CS without a descriptor", () => {
    const system = createSystem({ mode: "real" });
    expect(call(system, "farJump", [0xf000, 0x1_5678n, 2])).toBe("redirect");
    expect(system.state.segment(Segment.CS)).toMatchObject({ selector: 0xf000, base: 0xf_0000n });
    expect(system.state.rip).toBe(0x5678n);
  });

  it("switches to another task", () => {
    const system = createSystem({ mode: "protected" });
    const { memory, state } = system;
    const tss = 0x6000;
    memory.setU32(tss + 0x20, 0x4321);
    memory.setU32(tss + 0x24, Rflags.ONE | Rflags.CF);
    memory.setU32(tss + 0x28, 0x1111);
    memory.setU32(tss + 0x38, 0x8800);
    for (const [index, selector] of [0x23, 0x1b, 0x23, 0x23, 0, 0].entries())
      memory.setU32(tss + 0x48 + 4 * index, selector);
    expect(call(system, "farJump", [Selector.OTHER_TSS, 0, 4], 7)).toBe("redirect");
    expect([state.rip, state.rsp, state.u64("gpr", 0)]).toEqual([0x4321n, 0x8800n, 0x1111n]);
    expect([state.cpl, state.rflags]).toEqual([3, Rflags.ONE | Rflags.CF]);
    expect(memory.u32(Table.TSS + 0x20)).toBe(0x807);
    // Busy moved from the old TSS to the new one.
    expect([memory.bytes[Table.GDT + 0x35], memory.bytes[Table.GDT + 0x8d]]).toEqual([0x89, 0x8b]);
    expect(state.cr0 & 8n).toBe(8n);
  });
});

describe("far CALL and RET", () => {
  it("come back to where they began", () => {
    const system = createSystem({ mode: "protected" });
    expect(call(system, "farCall", [Selector.CONFORMING32, 0x1234, 4], 7)).toBe("redirect");
    expect(stack32(system, 2)).toEqual([0x807, Selector.KERNEL_CODE32]);
    expect(call(system, "farReturn", [4, 0])).toBe("redirect");
    expect(system.state.rip).toBe(0x807n);
    expect(system.state.rsp).toBe(BigInt(Table.KERNEL_STACK));
  });

  it("go through a call gate to level 0 with parameters, and back", () => {
    const system = createSystem({ mode: "protected", cpl: 3 });
    const { state, memory } = system;
    setCallGate(system, 0x7000, { parameters: 2 });
    memory.setU32(Table.USER_STACK - 8, 0xaaaa);
    memory.setU32(Table.USER_STACK - 4, 0xbbbb);
    state.rsp = BigInt(Table.USER_STACK - 8);
    expect(call(system, "farCall", [Selector.CALL_GATE | 3, 0, 4], 7)).toBe("redirect");
    expect(state.rip).toBe(0x7000n);
    expect(state.cpl).toBe(0);
    expect(stack32(system, 6)).toEqual([
      0x807,
      Selector.USER_CODE32,
      0xaaaa,
      0xbbbb,
      Table.USER_STACK - 8,
      Selector.USER_DATA,
    ]);
    state.setSegment(Segment.DS, { selector: Selector.KERNEL_DATA, base: 0n, limit: 0xffff_ffff, attributes: 0xc093 });
    expect(call(system, "farReturn", [4, 8])).toBe("redirect");
    expect([state.rip, state.rsp, state.cpl]).toEqual([0x807n, BigInt(Table.USER_STACK), 3]);
    // The kernel's DS must not stay usable.
    expect(state.u32("segmentAttributes", Segment.DS)).toBe(0);
    expect(state.u32("segmentSelector", Segment.ES)).toBe(Selector.USER_DATA);
  });

  it("check the gate before its target", () => {
    const system = createSystem({ mode: "protected", cpl: 3 });
    setCallGate(system, 0x7000, { dpl: 2 });
    expectFault(call(system, "farCall", [Selector.CALL_GATE, 0, 4]), Vector.GP, Selector.CALL_GATE);
    setCallGate(system, 0x7000, { present: false });
    expectFault(call(system, "farCall", [Selector.CALL_GATE, 0, 4]), Vector.NP, Selector.CALL_GATE);
    setCallGate(system, 0x7000, { selector: Selector.KERNEL_DATA });
    expectFault(call(system, "farCall", [Selector.CALL_GATE, 0, 4]), Vector.GP, Selector.KERNEL_DATA);
    // JMP cannot change the level.
    setCallGate(system, 0x7000);
    expectFault(call(system, "farJump", [Selector.CALL_GATE, 0, 4]), Vector.GP, Selector.KERNEL_CODE32);
  });

  it("go through a 64-bit gate with a null SS", () => {
    const system = createSystem({ mode: "long", cpl: 3 });
    setCallGate(system, 0x7000);
    expect(call(system, "farCall", [Selector.CALL_GATE, 0, 4], 3)).toBe("redirect");
    expect(stack64(system, 4)).toEqual([0x803n, 0x2bn, BigInt(Table.USER_STACK), 0x23n]);
    expect(system.state.u32("segmentSelector", Segment.SS)).toBe(0);
    expect(call(system, "farReturn", [8, 0])).toBe("redirect");
    expect([system.state.rip, system.state.cpl]).toEqual([0x803n, 3]);
  });

  it("leave everything alone when the push faults", () => {
    const system = createSystem({ mode: "protected" });
    system.memory.missing.add((Table.KERNEL_STACK - 4) >> 12);
    expectFault(call(system, "farCall", [Selector.CONFORMING32, 0x1234, 4]), Vector.PF, 2);
    expect(system.state.rsp).toBe(BigInt(Table.KERNEL_STACK));
    expect(system.state.u32("segmentSelector", Segment.CS)).toBe(Selector.KERNEL_CODE32);
  });

  it("refuse a return to an inner level", () => {
    const system = createSystem({ mode: "protected", cpl: 3 });
    system.memory.setU32(Table.USER_STACK + 4, Selector.KERNEL_CODE32);
    expectFault(call(system, "farReturn", [4, 0]), Vector.GP, Selector.KERNEL_CODE32);
  });
});

describe("IRET (SDM Vol. 2A)", () => {
  function frame64(system: TestSystem, values: readonly (number | bigint)[]): void {
    system.state.rsp = 0x8000n;
    for (const [index, value] of values.entries()) system.memory.setU64(0x8000 + 8 * index, BigInt(value));
  }

  it("returns from 64-bit level 0 to level 3", () => {
    const system = createSystem({ mode: "long" });
    frame64(system, [
      0x40_0000,
      Selector.USER_CODE64,
      Rflags.ONE | Rflags.IF | Rflags.CF | Rflags.OF,
      0x7fff_0000,
      Selector.USER_DATA,
    ]);
    expect(call(system, "iret", [8])).toBe("redirect");
    const { state } = system;
    expect([state.rip, state.rsp, state.cpl]).toEqual([0x40_0000n, 0x7fff_0000n, 3]);
    expect(state.rflags).toBe(Rflags.ONE | Rflags.IF | Rflags.CF | Rflags.OF);
    expect(state.u32("segmentSelector", Segment.SS)).toBe(Selector.USER_DATA);
    // DS held the kernel's data.
    expect(state.u32("segmentAttributes", Segment.DS)).toBe(0);
    expect(system.calls).toContain("privilegeChanged");
  });

  it("pops SS:RSP even at the same level, and accepts a null SS", () => {
    const system = createSystem({ mode: "long" });
    frame64(system, [0x1000, Selector.KERNEL_CODE64, Rflags.ONE, 0x8800, 0]);
    expect(call(system, "iret", [8])).toBe("redirect");
    expect(system.state.rsp).toBe(0x8800n);
    expect(system.state.u32("segmentAttributes", Segment.SS)).toBe(0);
  });

  it.each([
    ["a RIP that is not canonical", [1n << 47n, Selector.USER_CODE64, 2, 0x1000, Selector.USER_DATA], 0],
    ["a null CS", [0x1000, 0, 2, 0x1000, 0], 0],
    ["a null SS at level 3", [0x1000, Selector.USER_CODE64, 2, 0x1000, 0], 0],
    ["an SS of another level", [0x1000, Selector.USER_CODE64, 2, 0x1000, Selector.KERNEL_DATA], Selector.KERNEL_DATA],
    ["CS that is data", [0x1000, Selector.USER_DATA, 2, 0x1000, Selector.USER_DATA], Selector.USER_DATA & ~3],
  ])("faults with #GP and changes nothing: %s", (_what, frame, errorCode) => {
    const system = createSystem({ mode: "long" });
    frame64(system, frame);
    expectFault(call(system, "iret", [8]), Vector.GP, errorCode);
    expect([system.state.rip, system.state.rsp, system.state.cpl]).toEqual([0x800n, 0x8000n, 0]);
  });

  it("faults with NT in IA-32e mode", () => {
    const system = createSystem({ mode: "long" });
    system.state.rflags = Rflags.ONE | Rflags.NT;
    expectFault(call(system, "iret", [8]), Vector.GP, 0);
  });

  it("lets level 3 change neither IF nor IOPL", () => {
    const system = createSystem({ mode: "long", cpl: 3 });
    frame64(system, [
      0x1000,
      Selector.USER_CODE64,
      Rflags.ONE | Rflags.IF | Rflags.IOPL | Rflags.AC,
      0x8800,
      Selector.USER_DATA,
    ]);
    expect(call(system, "iret", [8])).toBe("redirect");
    expect(system.state.rflags).toBe(Rflags.ONE | Rflags.AC);
  });

  it("returns to virtual-8086 mode", () => {
    const system = createSystem({ mode: "protected" });
    system.state.rsp = 0x8000n;
    const frame = [0x100, 0x2000, Rflags.ONE | Rflags.VM | Rflags.IF, 0xfffe, 0x3000, 0x4000, 0x5000, 0x6000, 0x7000];
    for (const [index, value] of frame.entries()) system.memory.setU32(0x8000 + 4 * index, value);
    expect(call(system, "iret", [4])).toBe("redirect");
    const { state } = system;
    expect([state.rip, state.rsp, state.cpl, state.u32("mode")]).toEqual([0x100n, 0xfffen, 3, Mode.CODE16 | Mode.REAL]);
    expect(state.segment(Segment.CS)).toEqual({ selector: 0x2000, base: 0x2_0000n, limit: 0xffff, attributes: 0xf3 });
    expect(state.u64("segmentBase", Segment.GS)).toBe(0x7_0000n);
  });

  it("in virtual-8086 mode needs IOPL 3", () => {
    const system = createSystem({ mode: "protected", cpl: 3 });
    system.state.rflags = Rflags.ONE | Rflags.VM;
    expectFault(call(system, "iret", [2]), Vector.GP, 0);
  });

  it("in real mode takes all but the flags that only protected mode has", () => {
    const system = createSystem({ mode: "real" });
    for (const [index, word] of [0x1234, 0x2000, 0xffff].entries())
      system.memory.view.setUint16(0x8000 + 2 * index, word, true);
    expect(call(system, "iret", [2])).toBe("redirect");
    expect([system.state.rip, system.state.rsp]).toEqual([0x1234n, 0x8006n]);
    expect(system.state.rflags).toBe(0x7fd7);
  });
});

describe("SYSENTER and SYSEXIT", () => {
  it("go to the registered entry and back to level 3", () => {
    const system = createSystem({ mode: "long", cpl: 3 });
    const { state } = system;
    expectFault(call(system, "sysenter"), Vector.GP, 0);
    state.setU64("sysenterCs", 0x8n);
    state.setU64("sysenterEip", 0xffff_8000_0000_0000n);
    state.setU64("sysenterEsp", 0x9000n);
    state.rflags = Rflags.ONE | Rflags.IF;
    expect(call(system, "sysenter")).toBe("redirect");
    expect([state.rip, state.rsp, state.cpl, state.rflags]).toEqual([0xffff_8000_0000_0000n, 0x9000n, 0, Rflags.ONE]);
    expect(state.segment(Segment.CS)).toEqual({ selector: 8, base: 0n, limit: 0xffff_ffff, attributes: 0xa09b });
    state.setU64("gpr", 0x1000n, 2);
    state.setU64("gpr", 0x2000n, 1);
    expect(call(system, "sysexit", [8])).toBe("redirect");
    expect([state.rip, state.rsp, state.cpl]).toEqual([0x1000n, 0x2000n, 3]);
    expect(state.u32("segmentSelector", Segment.CS)).toBe(0x2b);
    expect(state.u32("segmentSelector", Segment.SS)).toBe(0x33);
  });
});
