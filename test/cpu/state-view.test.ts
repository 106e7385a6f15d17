import { expect, it } from "vitest";
import { guestState, Rflags } from "../../runtime/abi/guest-state.ts";
import { StateView } from "../../runtime/cpu/state-view.ts";

const state = new StateView(new ArrayBuffer(guestState.byteLength), 0);

it("RFLAGS survive being taken apart, whatever their combination", () => {
  for (let bits = 0; bits < 64; bits++) {
    const flags = [Rflags.CF, Rflags.PF, Rflags.AF, Rflags.ZF, Rflags.SF, Rflags.OF].reduce(
      (all, flag, index) => all | ((bits >> index) & 1 ? flag : 0),
      0,
    );
    state.rflags = flags | Rflags.ONE | Rflags.IF;
    expect(state.rflags).toBe(flags | Rflags.ONE | Rflags.IF);
  }
});

it("reads lazy flags as generated code leaves them", () => {
  // 8-bit 0x7f + 1 = 0x80: SF, OF, AF; the result is kept sign-extended, the carries in bits 31, 30 and 3.
  state.setU64("flagResult", 0xffff_ffff_ffff_ff80n);
  state.setU32("flagBits", 0x4000_0008);
  state.systemFlags = Rflags.ONE;
  expect(state.rflags).toBe(Rflags.ONE | Rflags.SF | Rflags.OF | Rflags.AF);
  // 0xff + 1 = 0: ZF, PF, AF, CF.
  state.setU64("flagResult", 0n);
  state.setU32("flagBits", 0xc000_0008);
  expect(state.rflags).toBe(Rflags.ONE | Rflags.ZF | Rflags.PF | Rflags.AF | Rflags.CF);
});

it("refuses a field of another size", () => {
  expect(() => state.u64("cpl")).toThrow("guestState.cpl");
  expect(() => state.u32("dr")).toThrow("guestState.dr");
});
