import type { CallOutTable } from "./call-out.ts";
import { Cr4 } from "./control-bits.ts";
import { generalProtection } from "./fault.ts";
import { guestState } from "../abi/guest-state.ts";
import { guestTsc } from "./msrs.ts";

const TSD = Number(Cr4.TSD);
const TWO_32 = 0x1_0000_0000;

/**
 * The call-out readTsc where CR4.TSD does not forbid it: guests that make their stacks random read the counter with every system call,
 * and big integers would take most of the time.
 *
 * @param view linear memory
 * @param base offset of the vCPU's state
 * @returns false if the call-out itself must decide; nothing has been read then
 */
export function readTscInPlace(view: DataView, base: number, readTsc: () => number): boolean {
  if (view.getUint32(base + guestState.cr4.offset, true) & TSD) return false;
  const ticks = readTsc();
  const offset = base + guestState.tscOffset.offset;
  const low = (ticks % TWO_32) + view.getUint32(offset, true);
  const high = Math.floor(ticks / TWO_32) + view.getUint32(offset + 4, true) + (low >= TWO_32 ? 1 : 0);
  view.setUint32(base + guestState.scratch.offset, low, true);
  view.setUint32(base + guestState.scratch.offset + 4, high, true);
  return true;
}

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
