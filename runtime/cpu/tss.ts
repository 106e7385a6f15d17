import { Segment, Vector } from "../abi/guest-state.ts";
import { SystemType } from "./control-bits.ts";
import type { Cpu } from "./cpu.ts";
import { linearOf } from "./descriptor.ts";
import { Fault, generalProtection, selectorError } from "./fault.ts";
import { isCanonical, SYSTEM } from "./memory-access.ts";

/** Offsets in the 32-bit TSS; SDM Vol. 3A, figure 8-2. The 64-bit one shares IO_MAP; figure 8-11. */
export const TSS_IO_MAP = 0x66;

function isTss16(cpu: Cpu): boolean {
  return (cpu.state.u32("segmentAttributes", Segment.TR) & 15) === SystemType.TSS16_BUSY;
}

/** SS:ESP for a privilege level, from a 16- or 32-bit TSS. SDM Vol. 3A, 5.8.5. */
export function privilegeStack(
  cpu: Cpu,
  level: number,
  external: 0 | 1,
): { selector: number; pointer: bigint } | Fault {
  const { selector, base, limit } = cpu.state.segment(Segment.TR);
  const small = isTss16(cpu);
  const size = small ? 2 : 4;
  const at = small ? 2 + level * 4 : 4 + level * 8;
  if (at + (small ? 3 : 5) > limit) return new Fault(Vector.TS, selectorError(selector, external));
  const pointer = cpu.memory.read(linearOf(cpu, base, at), size, SYSTEM);
  if (pointer instanceof Fault) return pointer;
  const stackSelector = cpu.memory.read(linearOf(cpu, base, at + size), 2, SYSTEM);
  if (stackSelector instanceof Fault) return stackSelector;
  return { selector: Number(stackSelector), pointer };
}

/**
 * A stack pointer of the 64-bit TSS. SDM Vol. 3A, 6.14.2 to 6.14.5.
 *
 * @param slot 0..2 = RSP0..RSP2; 3 + n = ISTn, n = 1..7
 */
export function longStack(cpu: Cpu, slot: number, external: 0 | 1): bigint | Fault {
  const { selector, base, limit } = cpu.state.segment(Segment.TR);
  const at = slot < 3 ? 4 + slot * 8 : 0x24 + (slot - 4) * 8;
  if (at + 7 > limit) return new Fault(Vector.TS, selectorError(selector, external));
  const pointer = cpu.memory.read(linearOf(cpu, base, at), 8, SYSTEM);
  if (pointer instanceof Fault) return pointer;
  return isCanonical(pointer) ? pointer : new Fault(Vector.SS, external);
}

/** #GP(0) unless the I/O permission bitmap of the TSS allows all `size` ports. SDM Vol. 1, 19.5.2. */
export function checkPortBitmap(cpu: Cpu, port: number, size: number): Fault | undefined {
  const { base, limit } = cpu.state.segment(Segment.TR);
  if (isTss16(cpu) || limit < TSS_IO_MAP + 1) return generalProtection();
  const map = cpu.memory.read(linearOf(cpu, base, TSS_IO_MAP), 2, SYSTEM);
  if (map instanceof Fault) return map;
  // Two bytes are read always, so the byte after the last one must lie inside the TSS as well.
  const at = Number(map) + (port >> 3);
  if (at + 1 > limit) return generalProtection();
  const bits = cpu.memory.read(linearOf(cpu, base, at), 2, SYSTEM);
  if (bits instanceof Fault) return bits;
  const mask = ((1 << size) - 1) << (port & 7);
  return Number(bits) & mask ? generalProtection() : undefined;
}
