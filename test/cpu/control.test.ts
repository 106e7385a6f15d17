import { describe, expect, it } from "vitest";
import { Exit } from "../../runtime/abi/guest-state.ts";
import { CpuModel } from "../../runtime/cpu/cpuid.ts";
import { afterStep, beforeStep, dataPages, needsStepping, noteDataAccess, type Step } from "../../runtime/cpu/debug.ts";
import { deliver } from "../../runtime/cpu/exceptions.ts";
import { call, createSystem, expectFault, Mode, Rflags, setGate, stack64, Table, Vector } from "./support.ts";

describe("control registers (SDM Vol. 3A, 2.5)", () => {
  it.each([
    ["PG without PE", 0x8000_0010n],
    ["NW without CD", 0x2000_0031n],
    ["a bit above 31", 0x1_0000_0031n],
    ["clearing PG in 64-bit mode", 0x31n],
  ])("CR0 refuses %s", (_what, value) => {
    const system = createSystem({ mode: "long" });
    const before = system.state.cr0;
    expectFault(call(system, "writeControl", [0, value]), Vector.GP, 0);
    expect(system.state.cr0).toBe(before);
  });

  it("CR0 ignores reserved bits and keeps ET", () => {
    const system = createSystem({ mode: "protected" });
    expect(call(system, "writeControl", [0, 0x1000_0001n])).toBeUndefined();
    expect(system.state.cr0).toBe(0x11n);
  });

  it("enter IA-32e mode with EFER.LME, CR4.PAE and CR0.PG, and not without PAE", () => {
    const system = createSystem({ mode: "protected" });
    expect(call(system, "wrmsr", [0xc000_0080, 0x100n])).toBe("redirect");
    expectFault(call(system, "writeControl", [0, 0x8000_0031n]), Vector.GP, 0);
    call(system, "writeControl", [4, 0x20n]);
    system.state.rip = 0x800n;
    expect(call(system, "writeControl", [0, 0x8000_0031n], 3)).toBe("redirect");
    expect(system.state.efer).toBe(0x500n);
    // Compatibility mode until a far jump to 64-bit code.
    expect(system.state.u32("mode")).toBe(Mode.CODE32);
    expect(system.state.rip).toBe(0x803n);
    expect(call(system, "farJump", [0x08, 0x1000, 4])).toBe("redirect");
    expect(system.state.u32("mode")).toBe(Mode.CODE64);
    expectFault(call(system, "writeControl", [4, 0n]), Vector.GP, 0);
    expectFault(call(system, "wrmsr", [0xc000_0080, 0n]), Vector.GP, 0);
  });

  it("CR3 must fit the physical address width; bit 63 keeps the TLB with PCIDs", () => {
    const system = createSystem({ mode: "long" });
    expectFault(call(system, "writeControl", [3, 1n << 40n]), Vector.GP, 0);
    call(system, "writeControl", [4, 0x2_0620n]);
    call(system, "writeControl", [3, (1n << 63n) | 0x5001n]);
    expect(system.state.u64("cr3")).toBe(0x5001n);
    expect(system.calls).toContain("addressSpaceChanged true");
  });

  it("CR4 refuses what the model lacks and PCIDE where CR3 has a PCID", () => {
    const system = createSystem({ mode: "long" });
    expectFault(call(system, "writeControl", [4, 1n << 13n]), Vector.GP, 0);
    system.state.setU64("cr3", 1n);
    expectFault(call(system, "writeControl", [4, 0x2_0620n]), Vector.GP, 0);
  });

  it("numbers without a register are undefined; CR8 has four bits", () => {
    const system = createSystem({ mode: "long" });
    expectFault(call(system, "writeControl", [1, 0]), Vector.UD, undefined);
    expectFault(call(system, "writeControl", [8, 16]), Vector.GP, 0);
    expect(call(system, "writeControl", [8, 15])).toBe("redirect");
    expect(call(system, "readControl", [8])).toBe(15n);
  });

  it("LMSW sets PE but does not clear it; CLTS and LMSW keep the unit traps true", () => {
    const system = createSystem({ mode: "protected" });
    call(system, "lmsw", [0x8]);
    expect(system.state.cr0).toBe(0x39n);
    expect(system.state.u32("unitTraps") & 1).toBe(1);
    call(system, "clts");
    expect(system.state.cr0).toBe(0x31n);
    expect(system.state.u32("unitTraps") & 1).toBe(0);
  });

  it("XSETBV checks CR4.OSXSAVE, the level and the value in that order", () => {
    const user = createSystem({ mode: "long", cpl: 3 });
    expectFault(call(user, "xsetbv", [0, 3]), Vector.UD, undefined);
    user.state.setU64("cr4", 0x4_0620n);
    expectFault(call(user, "xsetbv", [0, 3]), Vector.GP, 0);
    const system = createSystem({ mode: "long" });
    system.state.setU64("cr4", 0x4_0620n);
    for (const value of [2, 7]) expectFault(call(system, "xsetbv", [0, value]), Vector.GP, 0);
    expect(call(system, "xsetbv", [0, 3])).toBeUndefined();
    expect(call(system, "xgetbv", [0])).toBe(3n);
  });

  it("INVPCID checks its type and descriptor", () => {
    const system = createSystem({ mode: "long" });
    expectFault(call(system, "invpcid", [4, 0, 0]), Vector.GP, 0);
    expectFault(call(system, "invpcid", [0, 0x1000, 0]), Vector.GP, 0);
    expectFault(call(system, "invpcid", [0, 1, 0]), Vector.GP, 0);
    expectFault(call(system, "invpcid", [0, 0, 1n << 50n]), Vector.GP, 0);
    expect(call(system, "invpcid", [2, 0, 0])).toBe("redirect");
    expect(system.calls).toContain("flushTlb all");
  });

  it("virtual interrupt flag: PVI lets level 3 use CLI and STI", () => {
    const system = createSystem({ mode: "protected", cpl: 3 });
    expectFault(call(system, "interruptFlagUnprivileged", [1]), Vector.GP, 0);
    system.state.setU64("cr4", 2n);
    expect(call(system, "interruptFlagUnprivileged", [1])).toBeUndefined();
    expect(system.state.rflags & Rflags.VIF).toBe(Rflags.VIF);
    system.state.systemFlags |= Rflags.VIP;
    expectFault(call(system, "interruptFlagUnprivileged", [1]), Vector.GP, 0);
  });
});

describe("model-specific registers (SDM Vol. 4)", () => {
  it("check canonical addresses and reserved bits", () => {
    const system = createSystem({ mode: "long" });
    for (const msr of [0xc000_0082, 0xc000_0101, 0x176])
      expectFault(call(system, "wrmsr", [msr, 1n << 50n]), Vector.GP, 0);
    expectFault(call(system, "wrmsr", [0xc000_0080, 2n]), Vector.GP, 0);
    expectFault(call(system, "wrmsr", [0x277, 0x02n]), Vector.GP, 0);
    expectFault(call(system, "wrmsr", [0x1234_5678, 0n]), Vector.GP, 0);
    expectFault(call(system, "rdmsr", [0x1234_5678]), Vector.GP, 0);
    expectFault(call(system, "wrmsr", [0x2ff, 0x02n]), Vector.GP, 0);
  });

  it("hold what is written", () => {
    const system = createSystem({ mode: "long" });
    call(system, "wrmsr", [0xc000_0082, 0xffff_ffff_8100_0000n]);
    expect(system.state.u64("lstar")).toBe(0xffff_ffff_8100_0000n);
    call(system, "wrmsr", [0xc000_0100, 0x1234n]);
    expect(system.state.u64("segmentBase", 4)).toBe(0x1234n);
    call(system, "wrmsr", [0x200, 0xc000_0006n]);
    expect(call(system, "rdmsr", [0x200])).toBe(0xc000_0006n);
    const saved = system.cpu.save();
    system.cpu.otherMsrs.clear();
    system.cpu.restore(saved);
    expect(call(system, "rdmsr", [0x200])).toBe(0xc000_0006n);
  });

  it("count time from where it was set", () => {
    let now = 1000;
    const system = createSystem({ mode: "long", hooks: { readTsc: () => now } });
    call(system, "wrmsr", [0x10, 50n]);
    now = 1200;
    expect(call(system, "readTsc")).toBe(250n);
    const user = createSystem({ mode: "long", cpl: 3 });
    user.state.setU64("cr4", 0x624n);
    expectFault(call(user, "readTsc"), Vector.GP, 0);
  });

  it("leave the APIC's registers to the extension", () => {
    const written: bigint[] = [];
    const msrs = {
      read: (msr: number) => (msr === 0x830 ? 7n : undefined),
      write: (msr: number, value: bigint) => (msr === 0x830 ? (written.push(value), "done" as const) : undefined),
    };
    const system = createSystem({ mode: "long", hooks: { msrs } });
    expect(call(system, "rdmsr", [0x830])).toBe(7n);
    expect(call(system, "wrmsr", [0x830, 9n])).toBe("redirect");
    expect(written).toEqual([9n]);
  });
});

describe("CPUID (SDM Vol. 2A)", () => {
  function query(leaf: number, subleaf = 0, model = {}): number[] {
    const system = createSystem({ mode: "long", model });
    call(system, "cpuid", [leaf, subleaf]);
    return [0, 3, 1, 2].map((register) => Number(system.state.u64("gpr", register)));
  }
  const text = (words: readonly number[]): string =>
    words.map((word) => String.fromCharCode(word & 255, (word >> 8) & 255, (word >> 16) & 255, word >>> 24)).join("");

  it("names the vendor and the brand", () => {
    const [maximum, ebx = 0, ecx = 0, edx = 0] = query(0);
    expect(maximum).toBe(0x16);
    expect(text([ebx, edx, ecx])).toBe("GenuineIntel");
    const brand = [0x8000_0002, 0x8000_0003, 0x8000_0004].map((leaf) => text(query(leaf))).join("");
    expect(brand.replaceAll("\0", "")).toBe("Umbra Virtual Processor");
  });

  it("announces x86-64-v2 and what the decoder accepts", () => {
    const [, , ecx = 0, edx = 0] = query(1);
    // SSE3 SSSE3 CX16 SSE4.1 SSE4.2 POPCNT; FPU CX8 CMOV MMX FXSR SSE SSE2
    const required = (1 << 0) | (1 << 9) | (1 << 13) | (1 << 19) | (1 << 20) | (1 << 23);
    expect(ecx & required).toBe(required);
    expect(edx & 0x0780_8101).toBe(0x0780_8101);
    expect(query(0x8000_0001)[2]! & 1).toBe(1);
    expect(ecx & ((1 << 12) | (1 << 28))).toBe(0);
    const without = new CpuModel({ features: ["fpu", "sse"] });
    expect([...without.decoderFeatures()]).toEqual(["sse"]);
    expect(query(7)[1]! & (1 << 29)).not.toBe(0);
    expect(query(7, 1)).toEqual([0, 0, 0, 0]);
  });

  it("shows OSXSAVE as CR4 has it", () => {
    const system = createSystem({ mode: "long" });
    const bit = (): number => (system.cpu.model.cpuid(system.cpu, 1, 0)[2] >>> 27) & 1;
    expect(bit()).toBe(0);
    system.state.setU64("cr4", 0x4_0620n);
    expect(bit()).toBe(1);
  });

  it("tells the TSC frequency, and reads the highest leaf beyond the last one", () => {
    const [denominator = 0, numerator = 0, crystal = 0] = query(0x15, 0, {
      tscHz: 2_500_000_000,
      crystalHz: 25_000_000,
    });
    expect((crystal * numerator) / denominator).toBe(2_500_000_000);
    expect(query(0x17)).toEqual(query(0x16));
    expect(query(0x8000_0008)[0]).toBe(0x3028);
  });

  it("offers KVM's clock and nothing else of KVM, where there is one", () => {
    const signature = ([, ...words]: readonly number[]): string => text(words).replaceAll("\0", "");
    expect([signature(query(0x4000_0000)), query(0x4000_0001)]).toEqual(["UmbraUmbra", [0, 0, 0, 0]]);
    expect(signature(query(0x4000_0000, 0, { kvmClock: true }))).toBe("KVMKVMKVM");
    expect(query(0x4000_0000, 0, { kvmClock: true })[0]).toBe(0x4000_0001);
    // no I/O delay, the clock by its new registers, and that it is stable
    expect(query(0x4000_0001, 0, { kvmClock: true })).toEqual([(1 << 24) | (1 << 3) | (1 << 1), 0, 0, 0]);
    const hidden = new CpuModel({ kvmClock: true, features: ["fpu"] });
    expect(hidden.kvmClock).toBe(false);
  });

  it("tells of writes to the TSC, and of those alone", () => {
    let moved = 0;
    const msrs = { read: () => undefined, write: () => undefined, tscMoved: () => moved++ };
    const system = createSystem({ mode: "long", hooks: { msrs, readTsc: () => 1000 } });
    call(system, "wrmsr", [0x10, 5000n]);
    expect([moved, call(system, "rdmsr", [0x3b]), call(system, "rdmsr", [0x10])]).toEqual([1, 4000n, 5000n]);
    call(system, "wrmsr", [0x3b, 0n]);
    call(system, "wrmsr", [0xc000_0103, 1n]);
    expect(moved).toBe(2);
  });
});

describe("ports (SDM Vol. 1, 19.5)", () => {
  it("are checked against IOPL and the bitmap of the TSS", () => {
    const seen: number[] = [];
    const ports = { read: (port: number) => (seen.push(port), 0x1_23), write: () => undefined };
    const system = createSystem({ mode: "protected", cpl: 3, hooks: { ports } });
    // The bitmap would begin behind the TSS: no port is allowed.
    system.memory.view.setUint16(Table.TSS + 0x66, 0x68, true);
    expectFault(call(system, "readPort", [0x60, 1]), Vector.GP, 0);
    // A TSS with room for it: port 60H allowed, 61H not.
    system.state.setU32("segmentLimit", 0x90, 7);
    system.memory.bytes[Table.TSS + 0x68 + 12] = 0x02;
    expect(call(system, "readPort", [0x60, 1])).toBe(0x123n);
    expectFault(call(system, "readPort", [0x60, 2]), Vector.GP, 0);
    system.state.rflags = Rflags.ONE | Rflags.IOPL;
    expect(call(system, "readPort", [0x60, 2])).toBe(0x123n);
    expect(seen).toEqual([0x60, 0x60]);
  });

  it("leave the machine when no device is there", () => {
    const system = createSystem({ mode: "real" });
    expect(call(system, "writePort", [0x3f8, 1, 0x41])).toEqual({ exit: Exit.PORT });
    expect([system.state.u32("exitVector"), system.state.u32("exitErrorCode"), system.state.u64("exitValue")]).toEqual([
      0x3f8,
      9,
      0x41n,
    ]);
  });
});

describe("debugging (SDM Vol. 3B, chapter 17)", () => {
  const asStep = (step: ReturnType<typeof beforeStep>): Step => {
    if ("vector" in step) throw new Error("a breakpoint was hit");
    return step;
  };

  it("traps after an instruction that began with TF", () => {
    const { cpu, state } = createSystem({ mode: "long" });
    state.rflags = Rflags.ONE | Rflags.TF;
    expect(needsStepping(cpu)).toBe(true);
    const step = asStep(beforeStep(cpu));
    // POPF cleared it: the trap comes all the same.
    state.rflags = Rflags.ONE;
    expect(afterStep(cpu, step)).toEqual({ vector: Vector.DB, kind: "trap", dr6: 1 << 14 });
  });

  it("does not trap after INT n, nor after SYSCALL that masks TF", () => {
    const system = createSystem({ mode: "long" });
    setGate(system, 0x80, 0x7000);
    system.state.rflags = Rflags.ONE | Rflags.TF;
    const step = asStep(beforeStep(system.cpu));
    call(system, "int", [0x80]);
    expect(afterStep(system.cpu, step)).toBeUndefined();
    system.state.rflags = Rflags.ONE | Rflags.TF;
    const second = asStep(beforeStep(system.cpu));
    system.state.rflags = Rflags.ONE;
    call(system, "resumeAt", [0x9000]);
    expect(afterStep(system.cpu, second)).toBeUndefined();
  });

  it("faults before an instruction with a breakpoint unless RF is set, and saves RF = 0", () => {
    const system = createSystem({ mode: "long" });
    const { cpu, state } = system;
    setGate(system, Vector.DB, 0x7000);
    call(system, "writeDebug", [0, 0x800n]);
    call(system, "writeDebug", [7, 0x1n]);
    state.rip = 0x800n;
    const event = beforeStep(cpu);
    expect(event).toEqual({ vector: Vector.DB, kind: "fault", dr6: 1 });
    if ("vector" in event) deliver(cpu, event);
    expect(stack64(system, 3)[2]).toBe(BigInt(Rflags.ONE));
    expect(state.u64("dr", 6)).toBe(0xffff_0ff1n);
    state.rip = 0x800n;
    state.systemFlags |= Rflags.RF;
    asStep(beforeStep(cpu));
    expect(state.rflags & Rflags.RF).toBe(0);
  });

  it("traps after an access to watched bytes", () => {
    const { cpu, state } = createSystem({ mode: "long" });
    state.setU64("dr", 0xffen, 1);
    // L1, write, 4 bytes: the address is aligned to 0xffc.
    state.setU64("dr", 0x404n | (1n << 20n) | (3n << 22n), 7);
    expect(dataPages(cpu)).toEqual([0n]);
    const step = asStep(beforeStep(cpu));
    noteDataAccess(cpu, 0xff8n, 4, true);
    noteDataAccess(cpu, 0xffcn, 4, false);
    expect(afterStep(cpu, step)).toBeUndefined();
    noteDataAccess(cpu, 0xff8n, 8, true);
    expect(afterStep(cpu, step)).toEqual({ vector: Vector.DB, kind: "trap", dr6: 2 });
  });

  it("DR4 and DR5 are aliases until CR4.DE; DR7.GD guards all", () => {
    const system = createSystem({ mode: "long" });
    expect(call(system, "readDebug", [4])).toBe(0xffff_0ff0n);
    expectFault(call(system, "writeDebug", [7, 1n << 32n]), Vector.GP, 0);
    call(system, "writeDebug", [5, 1n << 13n]);
    const fault = call(system, "readDebug", [0]);
    expectFault(fault, Vector.DB, undefined);
    expect(fault).toMatchObject({ dr6: 1 << 13 });
    system.state.setU64("dr", 0x400n, 7);
    system.state.setU64("cr4", 0x628n);
    expectFault(call(system, "readDebug", [4]), Vector.UD, undefined);
  });

  it("delivers #DB with DR6 and clears DR7.GD", () => {
    const system = createSystem({ mode: "long" });
    setGate(system, Vector.DB, 0x7000);
    system.state.setU64("dr", 0x2400n, 7);
    deliver(system.cpu, { vector: Vector.DB, kind: "trap", dr6: 1 << 14 });
    expect(system.state.u64("dr", 6)).toBe(0xffff_4ff0n);
    expect(system.state.u64("dr", 7)).toBe(0x400n);
  });
});
