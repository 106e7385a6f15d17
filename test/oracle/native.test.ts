import { describe, expect, it } from "vitest";
import { emptyState } from "./format.ts";
import type { CpuState, OracleCase, OracleResult, Span } from "./format.ts";
import { CODE, DATA, NON_CANONICAL, READ_ONLY, Selector, STACK, UNMAPPED } from "./layout.ts";
import { openNativeOracle } from "./native.ts";

const oracle = openNativeOracle();
if ("reason" in oracle) console.warn(`native oracle tests skipped: ${oracle.reason}`);
else if (!oracle.runner.hasLdt)
  console.warn("native oracle test of 16-bit code skipped: this kernel has no modify_ldt");

const [RAX, RCX, RSP, RDI] = [0, 1, 4, 7];

interface Setup {
  readonly code: readonly number[];
  readonly codeGva?: number;
  readonly gpr?: Readonly<Record<number, bigint>>;
  readonly rflags?: bigint;
  readonly selectors?: readonly number[];
  readonly rip?: bigint;
  readonly fx?: (view: DataView) => void;
  readonly patches?: readonly Span[];
}

const LONG = [0, Selector.CODE64, Selector.DATA, 0, 0, 0];
const COMPATIBILITY = [Selector.DATA, Selector.CODE32, Selector.DATA, Selector.DATA, 0, 0];
// prettier-ignore
const SIXTEEN = [Selector.LDT_DATA16, Selector.LDT_CODE16, Selector.LDT_STACK16, Selector.LDT_DATA16, 0, 0];

function makeCase(setup: Setup): OracleCase {
  const codeGva = setup.codeGva ?? CODE.gva + 0x800;
  const state: CpuState = emptyState();
  state.rip = setup.rip ?? BigInt(codeGva);
  state.rflags = setup.rflags ?? 0x202n;
  state.selectors.set(setup.selectors ?? LONG);
  state.gpr[RSP] = BigInt(STACK.gva + 0x800);
  for (const [register, value] of Object.entries(setup.gpr ?? {})) state.gpr[Number(register)] = value;
  const fx = new DataView(state.fx.buffer);
  fx.setUint16(0, 0x37f, true);
  fx.setUint32(24, 0x1f80, true);
  setup.fx?.(fx);
  const code = Uint8Array.from(setup.code);
  return { encoding: "test", mnemonic: "test", code, codeGva, operandGva: 0, state, patches: setup.patches ?? [] };
}

function run(...setups: Setup[]): OracleResult[] {
  if ("reason" in oracle) throw new Error(oracle.reason);
  return oracle.runner.run(setups.map(makeCase));
}

function runOne(setup: Setup): OracleResult {
  const [result] = run(setup);
  if (!result) throw new Error("no result");
  return result;
}

describe.skipIf("reason" in oracle)("the native oracle", () => {
  it("runs add rax, rcx and stops at the int3 behind it", () => {
    const result = runOne({ code: [0x48, 0x01, 0xc8], gpr: { [RAX]: 0xffff_ffff_ffff_ffffn, [RCX]: 1n } });
    expect(result.outcome).toBe("trap");
    expect(result.vector).toBe(3);
    expect(result.state.rip).toBe(BigInt(CODE.gva + 0x800 + 4));
    expect(result.state.gpr[RAX]).toBe(0n);
    expect(result.state.gpr[RCX]).toBe(1n);
    expect(result.state.rflags & 0x8d5n).toBe(0x55n); // ZF PF AF CF
    expect(result.changes).toEqual([]);
  });

  it("carries no state from one case to the next", () => {
    const store = { code: [0x48, 0x89, 0x07], gpr: { [RAX]: 0x1122n, [RDI]: BigInt(DATA.gva + 8) } };
    const load = { code: [0x48, 0x8b, 0x07], gpr: { [RDI]: BigInt(DATA.gva + 8) } };
    const [before, stored, after] = run(load, store, load);
    expect(stored?.changes).toHaveLength(1);
    expect(stored?.changes[0]?.gva).toBe(DATA.gva + 8);
    expect(after?.state.gpr[RAX]).toBe(before?.state.gpr[RAX]);
    expect(after?.state.gpr[RAX]).not.toBe(0x1122n);
  });

  it("carries no flags from one case to the next", () => {
    // push imm32; popf: every flag that user code can set
    const set = { code: [0x68, 0xd5, 0x4c, 0x24, 0x00, 0x9d] };
    const [clean, dirty, after] = run({ code: [0x90] }, set, { code: [0x90] });
    expect((dirty?.state.rflags ?? 0n) & 0x24_4cd5n).toBe(0x24_4cd5n);
    expect(after?.state.rflags).toBe(clean?.state.rflags);
  });

  it("reads patched memory across a page boundary", () => {
    const result = runOne({
      code: [0x48, 0x8b, 0x07],
      gpr: { [RDI]: BigInt(DATA.gva + 0xffc) },
      patches: [{ gva: DATA.gva + 0xffc, bytes: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8) }],
    });
    expect(result.state.gpr[RAX]).toBe(0x0807_0605_0403_0201n);
  });

  it("reports page faults with error code and CR2", () => {
    const [read, write, protect, crossing, fetch] = run(
      { code: [0x8b, 0x07], gpr: { [RDI]: BigInt(UNMAPPED) } },
      { code: [0x89, 0x07], gpr: { [RDI]: BigInt(UNMAPPED) } },
      { code: [0x89, 0x07], gpr: { [RDI]: BigInt(READ_ONLY.gva) } },
      { code: [0x89, 0x07], gpr: { [RDI]: BigInt(READ_ONLY.gva - 2) } },
      { code: [0x48], codeGva: CODE.gva + 0x1fff },
    );
    expect([read?.vector, read?.errorCode, read?.cr2]).toEqual([14, 4, BigInt(UNMAPPED)]);
    expect([write?.vector, write?.errorCode, write?.cr2]).toEqual([14, 6, BigInt(UNMAPPED)]);
    expect([protect?.vector, protect?.errorCode, protect?.cr2]).toEqual([14, 7, BigInt(READ_ONLY.gva)]);
    expect([crossing?.vector, crossing?.errorCode, crossing?.cr2]).toEqual([14, 7, BigInt(READ_ONLY.gva)]);
    expect(crossing?.changes).toEqual([]);
    expect([fetch?.vector, fetch?.errorCode, fetch?.cr2]).toEqual([14, 0x14, BigInt(CODE.gva + 0x2000)]);
  });

  it("reports the other faults", () => {
    const [divide, undefinedOpcode, nonCanonical, interrupt, privileged] = run(
      { code: [0xf7, 0xf1] },
      { code: [0x0f, 0x0b] },
      { code: [0x8b, 0x07], gpr: { [RDI]: NON_CANONICAL } },
      { code: [0xcd, 0x21] },
      { code: [0xf4] },
    );
    expect(divide?.vector).toBe(0);
    expect(undefinedOpcode?.vector).toBe(6);
    expect([nonCanonical?.vector, nonCanonical?.errorCode]).toEqual([13, 0]);
    expect([interrupt?.vector, interrupt?.errorCode]).toEqual([13, 0x21 * 8 + 2]);
    expect([privileged?.vector, privileged?.errorCode]).toEqual([13, 0]);
    expect(privileged?.state.rip).toBe(BigInt(CODE.gva + 0x800));
  });

  it("enters and leaves x87, MXCSR and XMM state", () => {
    const [x87, sse, denied] = run(
      // fadd st0, st1
      {
        code: [0xd8, 0xc1],
        fx: (view) => {
          view.setUint8(4, 0xc0); // R6 and R7 hold values
          view.setUint16(2, 6 << 11, true);
          view.setBigUint64(32, 0x8000_0000_0000_0000n, true);
          view.setUint16(40, 0x3fff, true);
          view.setBigUint64(48, 0xc000_0000_0000_0000n, true);
          view.setUint16(56, 0x4000, true);
        },
      },
      // addsd xmm0, xmm1: 1 + 2^-60 is inexact
      {
        code: [0xf2, 0x0f, 0x58, 0xc1],
        fx: (view) => {
          view.setFloat64(160, 1, true);
          view.setFloat64(176, 2 ** -60, true);
          view.setUint32(24, 0x5f80, true); // round up
        },
      },
      // the same with the precision exception unmasked
      {
        code: [0xf2, 0x0f, 0x58, 0xc1],
        fx: (view) => {
          view.setFloat64(160, 1, true);
          view.setFloat64(176, 2 ** -60, true);
          view.setUint32(24, 0x0f80, true);
        },
      },
    );
    const fx = (result?: OracleResult): DataView => new DataView(result?.state.fx.buffer ?? new ArrayBuffer(FX));
    expect(fx(x87).getBigUint64(32, true)).toBe(0x8000_0000_0000_0000n); // 1 + 3 = 4
    expect(fx(x87).getUint16(40, true)).toBe(0x4001);
    expect(fx(sse).getFloat64(160, true)).toBe(1 + 2 ** -52);
    expect(fx(sse).getUint32(24, true)).toBe(0x5fa0);
    expect(denied?.vector).toBe(19);
  });

  it("runs 32-bit code", () => {
    const result = runOne({ code: [0x27], gpr: { [RAX]: 0x1bn }, selectors: COMPATIBILITY }); // daa
    expect(result.vector).toBe(3);
    expect(result.state.gpr[RAX]).toBe(0x21n);
    expect(result.state.selectors[1]).toBe(Selector.CODE32);
  });

  it.skipIf("reason" in oracle || !oracle.runner.hasLdt)("runs 16-bit code in segments with bases and limits", () => {
    const gpr = { [RSP]: 0x800n, [RDI]: 0x10n, [RAX]: 0x1234n };
    const [store, limit] = run(
      { code: [0x89, 0x05], selectors: SIXTEEN, rip: 0x800n, gpr }, // mov [di], ax
      { code: [0x89, 0x05], selectors: SIXTEEN, rip: 0x800n, gpr: { ...gpr, [RDI]: 0x2fffn } },
    );
    expect(store?.vector).toBe(3);
    expect(store?.state.rip).toBe(0x803n);
    expect(store?.changes[0]?.gva).toBe(DATA.gva + 0x10);
    expect([limit?.vector, limit?.errorCode]).toEqual([13, 0]);
  });

  it("gives up on an endless loop, and goes on", () => {
    const [loop, next] = run({ code: [0xeb, 0xfe] }, { code: [0x90] });
    expect(loop?.outcome).toBe("timeout");
    expect(next?.vector).toBe(3);
  });

  it("survives code that loses its stack and its segment bases", () => {
    const [first, second] = run(
      { code: [0x31, 0xe4, 0xf3, 0x48, 0x0f, 0xae, 0xd0], gpr: { [RAX]: 5n } }, // xor esp, esp; wrfsbase rax
      { code: [0x64, 0x48, 0x8b, 0x04, 0x25, 0, 0, 0, 0] }, // mov rax, fs:[0]
    );
    expect(first?.state.gpr[RSP]).toBe(0n);
    expect(first?.state.fsBase).toBe(5n);
    expect([second?.vector, second?.cr2]).toEqual([14, 0n]);
  });

  it("keeps up", () => {
    const setups: Setup[] = Array.from({ length: 8192 }, () => ({ code: [0x48, 0x01, 0xc8] }));
    const cases = setups.map(makeCase);
    if ("reason" in oracle) return;
    const start = performance.now();
    expect(oracle.runner.run(cases)).toHaveLength(8192);
    // A hundred times slower than what was measured: this only notices a runner that waits for its watchdog.
    expect(performance.now() - start).toBeLessThan(8000);
  });
});

const FX = 416;
