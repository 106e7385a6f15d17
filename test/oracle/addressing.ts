import { Segment } from "../../runtime/abi/guest-state.ts";
import type { Draft } from "./draft.ts";
import { CODE, DATA, NON_CANONICAL, READ_ONLY, STACK, UNMAPPED } from "./layout.ts";

/** How a memory operand is encoded. */
export interface Addressing {
  readonly mod: number;
  readonly rm: number;
  readonly sib?: number;
  readonly displacementBytes: 0 | 1 | 2 | 4;
  /** RIP-relative: the target, from which the end of the instruction is still to be subtracted */
  readonly displacement: bigint;
  readonly ripRelative: boolean;
  /** linear address that comes out, which is not the one that was asked for where the address size cannot reach it */
  readonly gva: bigint;
  readonly rexX: boolean;
  readonly rexB: boolean;
}

/** Prefixes that have a say in where an operand is. */
export interface AddressPrefixes {
  readonly addressSize: 16 | 32 | 64;
  /** segment override, or -1 */
  readonly segment: number;
}

/**
 * Where a memory operand of some bytes shall lie: mostly in DATA, sometimes across a page boundary, read-only, not mapped.
 * `align` bytes of alignment are kept in most of the cases.
 */
export function chooseTarget(draft: Draft, lengthBytes: number, align: number): bigint {
  const { prng } = draft;
  const length = Math.max(lengthBytes, 1);
  const crossing = (boundary: number): number => boundary - (length > 1 ? prng.between(1, length - 1) : prng.below(2));
  const kind = prng.below(100);
  let gva: number;
  if (kind < 4) gva = crossing(DATA.gva + 0x1000);
  else if (kind < 7) gva = crossing(READ_ONLY.gva);
  else if (kind < 9) gva = crossing(READ_ONLY.gva + READ_ONLY.lengthBytes);
  else if (kind < 10) gva = crossing(DATA.gva);
  else if (kind < 12) gva = READ_ONLY.gva + prng.below(READ_ONLY.lengthBytes - length);
  else if (kind < 14) gva = UNMAPPED + prng.below(0x2000);
  else if (kind < 15) gva = crossing(STACK.gva + STACK.lengthBytes);
  else if (kind < 16) gva = CODE.gva + prng.below(CODE.lengthBytes - length);
  else if (kind < 17 && draft.codeSize === 64) return NON_CANONICAL + BigInt(prng.below(0x1000));
  else gva = DATA.gva + prng.below(DATA.lengthBytes - length);
  // Faults of alignment matter too, but a misaligned operand hides everything behind one.
  if (align > 1 && prng.chance(kind < 17 ? 40 : 92)) gva -= gva % align;
  else if (align <= 1 && prng.chance(40)) gva -= gva % 8;
  return BigInt(gva);
}

const asInt32 = (value: bigint): bigint => BigInt.asIntN(32, value);

/**
 * Encodes an operand at a linear address, with random registers, and gives those registers the values that lead there.
 * Undefined when the registers that are already decided stand in the way.
 */
export function encodeAddress(draft: Draft, gva: bigint, prefixes: AddressPrefixes): Addressing | undefined {
  return prefixes.addressSize === 16 ? encode16(draft, gva, prefixes) : encode32(draft, gva, prefixes);
}

function encode32(draft: Draft, gva: bigint, { addressSize, segment }: AddressPrefixes): Addressing | undefined {
  const { prng } = draft;
  const wide = draft.codeSize === 64;
  const bits = addressSize;
  const registers = wide ? 16 : 8;
  const offsetIn = (segmentNumber: number): bigint => BigInt.asUintN(bits, gva - draft.segmentBase(segmentNumber));
  const shape = prng.below(100);
  const common = { ripRelative: false, rexX: false, rexB: false, gva };

  if (shape < 8 && wide) {
    const target = gva - draft.segmentBase(segment < 0 ? Segment.DS : segment);
    return { ...common, mod: 0, rm: 5, displacementBytes: 4, displacement: target, ripRelative: true };
  }
  const absolute = shape < 14;
  const withIndex = !absolute && shape < 60;
  const withBase = !absolute && (!withIndex || prng.chance(80));
  const base = withBase ? prng.below(registers) : -1;
  // Index 4 means none.
  let index = withIndex ? prng.below(registers) : 4;
  if (index === 4 && !withBase) index = 4;
  const hasIndex = index !== 4;
  const scale = prng.below(4);
  const usesStack = base === 4 || base === 5;
  const chosenSegment = segment >= 0 ? segment : usesStack && !wide ? Segment.SS : Segment.DS;
  const target = offsetIn(chosenSegment);
  const reached = { ...common, gva: draft.segmentBase(chosenSegment) + target };

  const factor = BigInt(1 << scale);
  if (hasIndex && !draft.locked.has(index) && prng.chance(60)) draft.setRegister(index, BigInt(prng.between(-40, 40)));
  let mod = withBase ? prng.below(3) : 0;
  if (withBase && mod === 0 && (base & 7) === 5) mod = 1;
  let displacement = withBase
    ? mod === 0
      ? 0n
      : mod === 1
        ? BigInt(prng.between(-128, 127))
        : prng.chance(50)
          ? BigInt(prng.between(-1000, 1000))
          : asInt32(prng.u64())
    : asInt32(prng.u64() >> 32n);

  // A linear equation: solve it for the base, or for the index, or for the displacement.
  const sum = (): bigint =>
    (withBase ? draft.register(base) : 0n) + (hasIndex ? draft.register(index) * factor : 0n) + displacement;
  const missing = BigInt.asIntN(bits, target - sum());
  const garbage = bits === 32 && wide ? prng.u64() & ~0xffff_ffffn : 0n;
  if (withBase && base !== index && !draft.locked.has(base)) {
    draft.setRegister(base, BigInt.asUintN(bits, draft.register(base) + missing) | garbage);
  } else {
    const solved = BigInt.asIntN(bits, displacement + missing);
    const fits = asInt32(solved) === solved;
    if (fits) {
      displacement = solved;
      if (withBase) mod = 2;
    } else if (hasIndex && !withBase && !draft.locked.has(index)) {
      displacement += missing % factor;
      draft.setRegister(index, BigInt.asUintN(bits, draft.register(index) + missing / factor) | garbage);
      if (asInt32(displacement) !== displacement) return undefined;
    } else return undefined;
  }

  const displacementBytes = mod === 1 ? 1 : mod === 2 || !withBase ? 4 : 0;
  const rexX = index > 7;
  // Without a base, REX.B is free.
  const rexB = withBase ? base > 7 : wide && prng.chance(10);
  const needsSib = hasIndex || (withBase && (base & 7) === 4) || (!withBase && wide) || prng.chance(5);
  if (!needsSib) {
    return { ...reached, mod, rm: withBase ? base & 7 : 5, displacementBytes, displacement, rexB };
  }
  const sib = (scale << 6) | ((index & 7) << 3) | (withBase ? base & 7 : 5);
  return { ...reached, mod, rm: 4, sib, displacementBytes, displacement, rexX, rexB };
}

const { RBX, RBP, RSI, RDI } = { RBX: 3, RBP: 5, RSI: 6, RDI: 7 };
/** Registers of the eight 16-bit forms; SDM Vol. 2A, table 2-1. */
const FORMS16: readonly (readonly number[])[] = [
  [RBX, RSI],
  [RBX, RDI],
  [RBP, RSI],
  [RBP, RDI],
  [RSI],
  [RDI],
  [RBP],
  [RBX],
];

function encode16(draft: Draft, gva: bigint, { segment }: AddressPrefixes): Addressing | undefined {
  const { prng } = draft;
  const rm = prng.below(8);
  let mod = prng.below(3);
  const registers = mod === 0 && rm === 6 ? [] : (FORMS16[rm] ?? []);
  const [solveFor] = registers;
  const usesStack = registers.includes(RBP);
  const segmentBase = draft.segmentBase(segment >= 0 ? segment : usesStack ? Segment.SS : Segment.DS);
  const target = gva - segmentBase;
  const reached = segmentBase + BigInt.asUintN(16, target);
  let displacement = mod === 1 ? BigInt(prng.between(-128, 127)) : mod === 2 ? BigInt.asIntN(16, prng.u64()) : 0n;
  const sum = registers.reduce((total, register) => total + draft.register(register), displacement);
  const missing = target - sum;
  if (solveFor === undefined || draft.locked.has(solveFor)) {
    displacement = BigInt.asIntN(16, displacement + missing);
    if (solveFor !== undefined) mod = 2;
  } else {
    const value = draft.register(solveFor);
    draft.setRegister(solveFor, (value & ~0xffffn) | BigInt.asUintN(16, value + missing));
  }
  const displacementBytes = mod === 1 ? 1 : mod === 2 || registers.length === 0 ? 2 : 0;
  return { mod, rm, displacementBytes, displacement, gva: reached, ripRelative: false, rexX: false, rexB: false };
}
