import { Rflags } from "../../runtime/abi/guest-state.ts";
import { define } from "./define.ts";

/** CLC, STC, CMC: clear, set and complement the carry flag. */
export const clc = define({
  reference: "SDM 2A CLC",
  flags: { writes: "CF" },
  emit: (e) => e.flags.replace({ CF: e.constant(32, 0) }),
});
export const stc = define({
  reference: "SDM 2B STC",
  flags: { writes: "CF" },
  emit: (e) => e.flags.replace({ CF: e.constant(32, 1) }),
});
export const cmc = define({
  reference: "SDM 2A CMC",
  flags: { reads: "CF", writes: "CF" },
  emit: (e) => e.flags.replace({ CF: e.eqz(e.flags.carry()) }),
});

/** CLD, STD: strings go up, or down. */
export const cld = define({
  reference: "SDM 2A CLD",
  emit: (e) => e.set("rflags", e.and(e.get("rflags"), e.constant(32, ~Rflags.DF))),
});
export const std = define({
  reference: "SDM 2B STD",
  emit: (e) => e.set("rflags", e.or(e.get("rflags"), e.constant(32, Rflags.DF))),
});

/** The flags that LAHF and SAHF move. */
const LOW_FLAGS = Rflags.SF | Rflags.ZF | Rflags.AF | Rflags.PF | Rflags.CF;

/** LAHF: AH = the low byte of RFLAGS. */
export const lahf = define({
  reference: "SDM 2A LAHF",
  flags: { reads: "SF ZF AF PF CF" },
  emit(e) {
    const ax = e.gpr("rax", 16);
    const low = e.or(e.and(e.flags.word(), e.constant(32, LOW_FLAGS)), e.constant(32, Rflags.ONE));
    const high = e.shl(e.truncate(low, 16), e.constant(32, 8));
    ax.write(e.or(high, e.and(ax.read(), e.constant(16, 0xff))));
  },
});

/** SAHF: the low byte of RFLAGS = AH; OF stays. */
export const sahf = define({
  reference: "SDM 2B SAHF",
  flags: { writes: "SF ZF AF PF CF" },
  emit(e) {
    const ah = e.shrU(e.extend(e.gpr("rax", 16).read(), 32), e.constant(32, 8));
    const overflow = e.shl(e.flags.overflow(), e.constant(32, 11));
    e.flags.setWord(e.or(e.and(ah, e.constant(32, LOW_FLAGS)), overflow));
  },
});

/** SALC: AL = FFH if CF, else 0. Undocumented by Intel; not in 64-bit mode. */
export const salc = define({
  reference: "APM 3 SALC",
  flags: { reads: "CF" },
  emit: (e) => e.gpr("rax", 8).write(e.neg(e.truncate(e.flags.carry(), 8))),
});

export const flagControlDefinitions = { clc, stc, cmc, cld, std, lahf, sahf, salc };
