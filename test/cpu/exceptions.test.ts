import { describe, expect, it } from "vitest";
import { deliver, externalInterrupt, NMI } from "../../runtime/cpu/exceptions.ts";
import { canTakeInterrupt, canTakeNmi } from "../../runtime/cpu/interrupt-window.ts";
import {
  call,
  createSystem,
  expectFault,
  FLAGS_IF_ZF,
  Mode,
  Rflags,
  Segment,
  Selector,
  setGate,
  stack32,
  stack64,
  Table,
  Vector,
} from "./support.ts";

describe("exceptions in 64-bit mode (SDM Vol. 3A, 6.14)", () => {
  it("stay on the stack of the same level, aligned to 16 bytes", () => {
    const system = createSystem({ mode: "long" });
    setGate(system, Vector.UD, 0x7000);
    system.state.rsp = 0x8ffdn;
    system.state.rflags = FLAGS_IF_ZF;
    expect(deliver(system.cpu, { vector: Vector.UD, kind: "fault" })).toBe("delivered");
    expect(system.state.rip).toBe(0x7000n);
    expect(system.state.rsp).toBe(0x8ff0n - 40n);
    expect(stack64(system, 5)).toEqual([0x800n, 0x08n, BigInt(FLAGS_IF_ZF | Rflags.RF), 0x8ffdn, 0x10n]);
    expect(system.state.rflags).toBe(Rflags.ONE | Rflags.ZF);
    expect(system.state.u32("segmentSelector", Segment.SS)).toBe(0x10);
  });

  it("switch to RSP0 and a null SS from level 3", () => {
    const system = createSystem({ mode: "long", cpl: 3 });
    setGate(system, Vector.PF, 0x7000);
    deliver(system.cpu, { vector: Vector.PF, kind: "fault", errorCode: 6, cr2: 0xdead_b000n });
    expect(stack64(system, 6)).toEqual([
      6n,
      0x800n,
      0x2bn,
      BigInt(Rflags.ONE | Rflags.RF),
      BigInt(Table.USER_STACK),
      0x23n,
    ]);
    expect(system.state.rsp).toBe(BigInt(Table.KERNEL_STACK) - 48n);
    expect(system.state.cpl).toBe(0);
    expect(system.state.segment(Segment.SS)).toEqual({ selector: 0, base: 0n, limit: 0, attributes: 0 });
    expect(system.state.u64("cr2")).toBe(0xdead_b000n);
    expect(system.calls).toContain("privilegeChanged");
    // The accessed bit of the handler's segment was clear.
    expect(system.memory.bytes[Table.GDT + Selector.KERNEL_CODE64 + 5]).toBe(0x9b);
  });

  it("push a frame across a page boundary, or fault at its first push", () => {
    const system = createSystem({ mode: "long" });
    setGate(system, Vector.UD, 0x7000);
    setGate(system, Vector.PF, 0x7400, { ist: 1 });
    system.state.rsp = 0x9010n;
    deliver(system.cpu, { vector: Vector.UD, kind: "fault" });
    expect(stack64(system, 5)).toEqual([0x800n, 0x08n, BigInt(Rflags.ONE | Rflags.RF), 0x9010n, 0x10n]);
    expect(call(system, "iret", [8])).toBe("redirect");
    expect([system.state.rip, system.state.rsp]).toEqual([0x800n, 0x9010n]);
    system.memory.missing.add(9);
    deliver(system.cpu, { vector: Vector.UD, kind: "fault" });
    expect(system.state.rip).toBe(0x7400n);
    expect(system.state.u64("cr2")).toBe(0x9008n);
  });

  it("take the stack of the IST slot even at the same level", () => {
    const system = createSystem({ mode: "long" });
    setGate(system, Vector.DF, 0x7000, { ist: 1 });
    deliver(system.cpu, { vector: Vector.DF, kind: "fault", errorCode: 0 });
    expect(system.state.rsp).toBe(BigInt(Table.IST_STACK) - 48n);
    expect(stack64(system, 6)[4]).toBe(BigInt(Table.KERNEL_STACK));
    expect(system.state.u32("segmentSelector", Segment.SS)).toBe(0x10);
  });

  it("enter 64-bit code from compatibility mode", () => {
    const system = createSystem({ mode: "long", cpl: 3 });
    system.state.setSegment(Segment.CS, { selector: 0x1b, base: 0n, limit: 0xffff_ffff, attributes: 0xc0fb });
    system.cpu.updateMode();
    setGate(system, 0x20, 0x7000);
    deliver(system.cpu, externalInterrupt(0x20));
    expect(system.state.u32("mode")).toBe(Mode.CODE64);
    expect(stack64(system, 2)).toEqual([0x800n, 0x1bn]);
  });

  it("refuse a handler that is not 64-bit code with #GP(selector + EXT)", () => {
    const system = createSystem({ mode: "long" });
    setGate(system, 0x20, 0x7000, { selector: Selector.KERNEL_CODE32 });
    setGate(system, Vector.GP, 0x7100);
    deliver(system.cpu, externalInterrupt(0x20));
    expect(system.state.rip).toBe(0x7100n);
    expect(stack64(system, 1)).toEqual([BigInt(Selector.KERNEL_CODE32 | 1)]);
  });

  it("fault with #SS when the privilege stack is not canonical", () => {
    const system = createSystem({ mode: "long", cpl: 3 });
    setGate(system, 0x20, 0x7000);
    setGate(system, Vector.SS, 0x7200, { ist: 1 });
    system.memory.setU64(Table.TSS + 4, 0x8000_0000_0000_0000n);
    deliver(system.cpu, externalInterrupt(0x20));
    expect(system.state.rip).toBe(0x7200n);
    expect(stack64(system, 1)).toEqual([1n]);
  });
});

describe("exceptions during exceptions (SDM Vol. 3A, table 6-5)", () => {
  it("turn a page fault inside the delivery of a page fault into a double fault", () => {
    const system = createSystem({ mode: "long", cpl: 3 });
    setGate(system, Vector.PF, 0x7000);
    setGate(system, Vector.DF, 0x7300, { ist: 1 });
    system.memory.missing.add((Table.KERNEL_STACK - 8) >> 12);
    expect(deliver(system.cpu, { vector: Vector.PF, kind: "fault", errorCode: 4, cr2: 0x1234n })).toBe("delivered");
    expect(system.state.rip).toBe(0x7300n);
    expect(stack64(system, 6)).toEqual([
      0n,
      0x800n,
      0x2bn,
      BigInt(Rflags.ONE | Rflags.RF),
      BigInt(Table.USER_STACK),
      0x23n,
    ]);
    // CR2 is that of the second page fault.
    expect(system.state.u64("cr2")).toBe(BigInt(Table.KERNEL_STACK - 8));
  });

  it("deliver a page fault that meets a benign exception, and a contributory one by itself", () => {
    for (const vector of [Vector.UD, Vector.GP]) {
      const system = createSystem({ mode: "long", cpl: 3 });
      setGate(system, vector, 0x7000);
      setGate(system, Vector.PF, 0x7400, { ist: 1 });
      system.memory.missing.add((Table.KERNEL_STACK - 8) >> 12);
      deliver(system.cpu, { vector, kind: "fault", errorCode: 0 });
      expect(system.state.rip).toBe(0x7400n);
      // A write by the supervisor to a page that is not present: the kernel's stack.
      expect(stack64(system, 1)).toEqual([2n]);
    }
  });

  it("make a double fault of two contributory ones", () => {
    const system = createSystem({ mode: "long" });
    setGate(system, Vector.DF, 0x7300);
    setGate(system, Vector.GP, 0x7000, { present: false });
    deliver(system.cpu, { vector: Vector.GP, kind: "fault", errorCode: 0 });
    expect(system.state.rip).toBe(0x7300n);
  });

  it("shut down when the double fault cannot be delivered", () => {
    const system = createSystem({ mode: "long" });
    setGate(system, Vector.GP, 0x7000, { present: false });
    expect(deliver(system.cpu, { vector: Vector.GP, kind: "fault", errorCode: 0 })).toBe("shutdown");
    expect(system.state.rip).toBe(0x800n);
    expect(system.state.rsp).toBe(BigInt(Table.KERNEL_STACK));
  });

  it("report a missing gate as #GP with vector, IDT bit and EXT", () => {
    const system = createSystem({ mode: "long" });
    setGate(system, Vector.GP, 0x7000);
    system.state.setU32("idtLimit", 16 * 0x20 - 1);
    deliver(system.cpu, externalInterrupt(0x80));
    expect(stack64(system, 1)).toEqual([BigInt(0x80 * 8 + 2 + 1)]);
  });
});

describe("exceptions in protected mode (SDM Vol. 3A, 6.12)", () => {
  it("push three words at the same level", () => {
    const system = createSystem({ mode: "protected" });
    setGate(system, Vector.BP, 0x1_7000 & 0xffff, { type: 15 });
    system.state.rflags = FLAGS_IF_ZF;
    system.cpu.instructionLength = 1;
    expect(call(system, "int3", [], 1)).toBe("redirect");
    expect(stack32(system, 3)).toEqual([0x801, Selector.KERNEL_CODE32, FLAGS_IF_ZF]);
    // A trap gate leaves IF alone.
    expect(system.state.rflags & Rflags.IF).toBe(Rflags.IF);
  });

  it("switch stacks from level 3 and push SS:ESP", () => {
    const system = createSystem({ mode: "protected", cpl: 3 });
    setGate(system, Vector.GP, 0x7000);
    deliver(system.cpu, { vector: Vector.GP, kind: "fault", errorCode: 0x18 });
    expect(stack32(system, 6)).toEqual([0x18, 0x800, 0x1b, Rflags.ONE | Rflags.RF, Table.USER_STACK, 0x23]);
    expect(system.state.u32("segmentSelector", Segment.SS)).toBe(Selector.KERNEL_DATA);
    expect(system.state.u32("segmentSelector", Segment.CS)).toBe(Selector.KERNEL_CODE32);
    expect(system.state.cpl).toBe(0);
  });

  it("raise #TS with the stack selector when the TSS holds a bad one", () => {
    const system = createSystem({ mode: "protected", cpl: 3 });
    setGate(system, 0x20, 0x7000);
    setGate(system, Vector.TS, 0x7500, { selector: Selector.CONFORMING32 });
    system.memory.setU32(Table.TSS + 8, Selector.READ_ONLY_DATA);
    deliver(system.cpu, externalInterrupt(0x20));
    // The handler is conforming: it runs at level 3 on the user's stack.
    expect(system.state.rip).toBe(0x7500n);
    expect(system.state.cpl).toBe(3);
    expect(stack32(system, 1)).toEqual([Selector.READ_ONLY_DATA | 1]);
  });

  it("check the gate's DPL for INT n alone", () => {
    const system = createSystem({ mode: "protected", cpl: 3 });
    setGate(system, 0x80, 0x7000, { dpl: 0 });
    expectFault(call(system, "int", [0x80]), Vector.GP, 0x80 * 8 + 2);
    expect(system.state.rip).toBe(0x800n);
    setGate(system, 0x80, 0x7000, { dpl: 3 });
    expect(call(system, "int", [0x80])).toBe("redirect");
    expect(stack32(system, 1)).toEqual([0x802]);
    const other = createSystem({ mode: "protected", cpl: 3 });
    setGate(other, 0x80, 0x7000, { dpl: 0 });
    expect(deliver(other.cpu, externalInterrupt(0x80))).toBe("delivered");
  });

  it("leave virtual-8086 mode with the data segments on the stack", () => {
    const system = createSystem({ mode: "protected", cpl: 3 });
    system.state.rflags = Rflags.ONE | Rflags.VM | Rflags.IF;
    for (const [index, segment] of [Segment.ES, Segment.DS, Segment.FS, Segment.GS].entries()) {
      system.state.setSegment(segment, { selector: 0x100 + index, base: 0n, limit: 0xffff, attributes: 0xf3 });
    }
    setGate(system, Vector.GP, 0x7000);
    deliver(system.cpu, { vector: Vector.GP, kind: "fault", errorCode: 0 });
    expect(stack32(system, 10).slice(4)).toEqual([Table.USER_STACK, 0x23, 0x100, 0x101, 0x102, 0x103]);
    expect(system.state.rflags & Rflags.VM).toBe(0);
    expect(system.state.u32("segmentAttributes", Segment.DS)).toBe(0);
  });
});

describe("interrupts in real mode (SDM Vol. 3B, 20.1.4)", () => {
  it("push FLAGS, CS and IP and take the vector table's entry", () => {
    const system = createSystem({ mode: "real" });
    system.memory.setU32(0x10 * 4, 0x1234_5678);
    system.state.rflags = FLAGS_IF_ZF;
    expect(call(system, "int", [0x10])).toBe("redirect");
    expect(system.state.rip).toBe(0x5678n);
    expect(system.state.segment(Segment.CS)).toMatchObject({ selector: 0x1234, base: 0x1_2340n });
    expect(system.state.rsp).toBe(0x7ffan);
    expect(system.memory.view.getUint16(0x7ffa, true)).toBe(0x802);
    expect(system.memory.view.getUint16(0x7ffe, true)).toBe(FLAGS_IF_ZF);
    expect(system.state.rflags).toBe(Rflags.ONE | Rflags.ZF);
  });

  it("push no error code", () => {
    const system = createSystem({ mode: "real" });
    system.memory.setU32(Vector.GP * 4, 0x7000);
    deliver(system.cpu, { vector: Vector.GP, kind: "fault", errorCode: 0 });
    expect(system.state.rsp).toBe(0x7ffan);
    expect(system.memory.view.getUint16(0x7ffa, true)).toBe(0x800);
  });

  it("shut down when the table is too short even for a double fault", () => {
    const system = createSystem({ mode: "real" });
    system.state.setU32("idtLimit", 0);
    expect(deliver(system.cpu, externalInterrupt(0x20))).toBe("shutdown");
  });
});

describe("the interrupt window", () => {
  it("is closed by IF and by the shadows", () => {
    const { cpu, state } = createSystem({ mode: "long" });
    state.rflags = Rflags.ONE;
    expect(canTakeInterrupt(cpu)).toBe(false);
    state.rflags = Rflags.ONE | Rflags.IF;
    expect(canTakeInterrupt(cpu)).toBe(true);
    state.setU32("interruptShadow", 1);
    state.setU64("shadowRip", state.rip);
    expect(canTakeInterrupt(cpu)).toBe(false);
    expect(canTakeNmi(cpu)).toBe(true);
    cpu.shadowStackLoad();
    state.rip = cpu.nextRip;
    expect(canTakeNmi(cpu)).toBe(false);
    // It covers one instruction.
    state.rip += 1n;
    expect(canTakeNmi(cpu)).toBe(true);
    expect(canTakeInterrupt(cpu)).toBe(true);
  });

  it("keeps NMIs out from one NMI to the next IRET", () => {
    const system = createSystem({ mode: "long" });
    setGate(system, Vector.NMI, 0x7000);
    deliver(system.cpu, NMI);
    expect(canTakeNmi(system.cpu)).toBe(false);
    expect(call(system, "iret", [8])).toBe("redirect");
    expect(system.state.rip).toBe(0x800n);
    expect(canTakeNmi(system.cpu)).toBe(true);
  });
});
