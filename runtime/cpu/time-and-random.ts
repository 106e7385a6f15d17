import type { CallOutTable } from "./call-out.ts";
import { Cr4 } from "./control-bits.ts";
import { generalProtection } from "./fault.ts";
import { guestTsc } from "./msrs.ts";

/**
 * readTsc(): the time-stamp counter, unless CR4.TSD forbids it. random(): 64 random bits.
 * rdpmc(): #GP always, as there are no counters.
 */
export const timeAndRandomCallOuts: CallOutTable = {
  readTsc(cpu) {
    if (cpu.state.cr4 & Cr4.TSD && cpu.state.cpl !== 0 && cpu.protectedMode) return generalProtection();
    return guestTsc(cpu);
  },
  random: (cpu) => BigInt.asUintN(64, cpu.hooks.random64()),
  rdpmc: () => generalProtection(),
};
