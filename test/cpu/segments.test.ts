import { describe, expect, it } from "vitest";
import { call, createSystem, expectFault, Segment, Selector, Table, Vector } from "./support.ts";

describe("segment loads (SDM Vol. 3A, 5.6 and 5.7)", () => {
  it("cache the descriptor and mark it accessed", () => {
    const system = createSystem({ mode: "protected" });
    expect(call(system, "loadSegment", [Segment.DS, Selector.READ_ONLY_DATA])).toBeUndefined();
    expect(system.state.segment(Segment.DS)).toEqual({
      selector: 0x68,
      base: 0n,
      limit: 0xffff_ffff,
      attributes: 0xc091,
    });
    expect(system.memory.bytes[Table.GDT + 0x68 + 5]).toBe(0x91);
  });

  it("accept null in data segments and refuse it in SS", () => {
    const system = createSystem({ mode: "protected" });
    expect(call(system, "loadSegment", [Segment.ES, 3])).toBeUndefined();
    expect(system.state.segment(Segment.ES)).toEqual({ selector: 3, base: 0n, limit: 0, attributes: 0 });
    expectFault(call(system, "loadSegment", [Segment.SS, 0]), Vector.GP, 0);
  });

  it("accept a null SS in 64-bit mode below level 3 with the right RPL", () => {
    const system = createSystem({ mode: "long" });
    expect(call(system, "loadSegment", [Segment.SS, 0])).toBeUndefined();
    expectFault(call(system, "loadSegment", [Segment.SS, 3]), Vector.GP, 0);
    expectFault(call(createSystem({ mode: "long", cpl: 3 }), "loadSegment", [Segment.SS, 3]), Vector.GP, 0);
  });

  it.each([
    ["outside the table", Segment.DS, 0x98, Vector.GP, 0x98],
    ["outside the table, for SS", Segment.SS, 0x98, Vector.GP, 0x98],
    ["not present", Segment.DS, Selector.ABSENT_DATA, Vector.NP, Selector.ABSENT_DATA],
    ["not present, for SS", Segment.SS, Selector.ABSENT_DATA, Vector.SS, Selector.ABSENT_DATA],
    ["execute-only code", Segment.DS, Selector.EXECUTE_ONLY, Vector.GP, Selector.EXECUTE_ONLY],
    ["a system segment", Segment.DS, Selector.TSS, Vector.GP, Selector.TSS],
    ["read-only data for SS", Segment.SS, Selector.READ_ONLY_DATA, Vector.GP, Selector.READ_ONLY_DATA],
    ["wrong RPL for SS", Segment.SS, Selector.KERNEL_DATA | 1, Vector.GP, Selector.KERNEL_DATA],
    ["an LDT that is null", Segment.DS, 0x0c, Vector.GP, 0x0c],
  ])("fault: %s", (_what, segment, selector, vector, errorCode) => {
    const system = createSystem({ mode: "protected" });
    const before = system.state.segment(segment);
    expectFault(call(system, "loadSegment", [segment, selector]), vector, errorCode);
    expect(system.state.segment(segment)).toEqual(before);
  });

  it("respect privilege: level 3 may not load the kernel's data, but conforming code", () => {
    const system = createSystem({ mode: "protected", cpl: 3 });
    expectFault(call(system, "loadSegment", [Segment.DS, Selector.KERNEL_DATA]), Vector.GP, Selector.KERNEL_DATA);
    expect(call(system, "loadSegment", [Segment.DS, Selector.CONFORMING32])).toBeUndefined();
  });

  it("find descriptors in the LDT", () => {
    const system = createSystem({ mode: "protected" });
    system.memory.setU64(Table.LDT + 8, 0x0040_9200_1234_0fffn);
    expect(call(system, "lldt", [Selector.LDT])).toBeUndefined();
    expect(call(system, "loadSegment", [Segment.FS, 0x0c])).toBeUndefined();
    expect(system.state.segment(Segment.FS)).toMatchObject({ base: 0x1234n, limit: 0xfff });
    expectFault(call(system, "loadSegment", [Segment.FS, 0x14]), Vector.GP, 0x14);
  });

  it("replace the base alone in real mode", () => {
    const system = createSystem({ mode: "real" });
    system.state.setSegment(Segment.DS, { selector: 0, base: 0n, limit: 0xffff_ffff, attributes: 0xc093 });
    call(system, "loadSegment", [Segment.DS, 0x1234]);
    expect(system.state.segment(Segment.DS)).toEqual({
      selector: 0x1234,
      base: 0x1_2340n,
      limit: 0xffff_ffff,
      attributes: 0xc093,
    });
  });

  it("pass page faults on the descriptor table through", () => {
    const system = createSystem({ mode: "protected" });
    system.memory.missing.add(Table.GDT >> 12);
    expectFault(call(system, "loadSegment", [Segment.DS, Selector.KERNEL_DATA]), Vector.PF, 0);
  });

  it("hold interrupts back after a load of SS", () => {
    const system = createSystem({ mode: "protected" });
    call(system, "loadSegment", [Segment.SS, Selector.KERNEL_DATA]);
    expect(system.cpu.shadow).toBe(0);
    system.state.rip = system.cpu.nextRip;
    expect(system.cpu.shadow).toBe(2);
  });
});

describe("LTR and LLDT", () => {
  it("mark the TSS busy and refuse a busy one", () => {
    const system = createSystem({ mode: "protected" });
    expect(call(system, "ltr", [Selector.OTHER_TSS])).toBeUndefined();
    expect(system.state.segment(Segment.TR)).toMatchObject({
      selector: 0x88,
      base: 0x6000n,
      limit: 0x67,
      attributes: 0x8b,
    });
    expect(system.memory.bytes[Table.GDT + 0x88 + 5]).toBe(0x8b);
    expectFault(call(system, "ltr", [Selector.OTHER_TSS]), Vector.GP, Selector.OTHER_TSS);
    expectFault(call(system, "ltr", [0]), Vector.GP, 0);
  });

  it("take 64-bit bases in IA-32e mode", () => {
    const system = createSystem({ mode: "long" });
    system.memory.setU64(Table.GDT + 0x88 + 8, 0xffff_8000n);
    expect(call(system, "ltr", [Selector.OTHER_TSS])).toBeUndefined();
    expect(system.state.u64("segmentBase", Segment.TR)).toBe(0xffff_8000_0000_6000n);
  });
});

describe("LAR, LSL, VERR, VERW", () => {
  const VALID = 1n << 32n;
  it("report rights and limits of visible segments", () => {
    const system = createSystem({ mode: "protected" });
    expect(call(system, "lar", [Selector.KERNEL_DATA])).toBe(VALID | 0xcf_9300n);
    expect(call(system, "lsl", [Selector.KERNEL_DATA])).toBe(VALID | 0xffff_ffffn);
    expect(call(system, "lsl", [Selector.TSS])).toBe(VALID | 0x67n);
    expect(call(system, "lar", [0])).toBe(0n);
    expect(call(system, "verw", [Selector.READ_ONLY_DATA])).toBe(0n);
    expect(call(system, "verr", [Selector.READ_ONLY_DATA])).toBe(1n);
    expect(call(system, "verr", [Selector.EXECUTE_ONLY])).toBe(0n);
  });

  it("hide what the level or the RPL may not see", () => {
    const user = createSystem({ mode: "protected", cpl: 3 });
    expect(call(user, "lar", [Selector.KERNEL_DATA])).toBe(0n);
    expect(call(user, "verr", [Selector.CONFORMING32])).toBe(1n);
    expect(call(createSystem({ mode: "protected" }), "lsl", [Selector.KERNEL_DATA | 3])).toBe(0n);
  });
});
