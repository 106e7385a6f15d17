import { Rflags } from "../../runtime/abi/guest-state.ts";
import type { Value } from "../emit/value.ts";
import type { Emitter } from "./emitter.ts";

// Pieces that several system definitions share.

const CR4_UMIP = 1 << 11;

/** Low 32 bits of CR4. */
export function cr4(e: Emitter): Value {
  return e.truncate(e.get("cr4"), 32);
}

/** #GP(0) where user-mode instruction prevention forbids to look at a system register. SDM Vol. 3A, 2.5. */
export function requireUserVisible(e: Emitter): void {
  const prevented = e.and(
    e.ne(e.get("cpl"), e.constant(32, 0)),
    e.ne(e.and(cr4(e), e.constant(32, CR4_UMIP)), e.constant(32, 0)),
  );
  e.if(prevented, () => e.fault("GP", 0));
}

/** #UD unless CPL is 0: CLAC, STAC, MONITOR, MWAIT. */
export function requireLevel0OrUndefined(e: Emitter): void {
  e.if(e.get("cpl"), () => e.fault("UD"));
}

/** Whether CPL is above IOPL: 32-bit 0 or 1. In virtual-8086 mode CPL is 3, so that this says IOPL < 3. */
export function aboveIopl(e: Emitter): Value {
  const iopl = e.and(e.shrU(e.get("rflags"), e.constant(32, 12)), e.constant(32, 3));
  return e.gtU(e.get("cpl"), iopl);
}

/** #GP(0) unless a 64-bit address is canonical. */
export function requireCanonical(e: Emitter, address: Value): void {
  const folded = e.shrS(e.shl(address, e.constant(64, 16)), e.constant(64, 16));
  e.if(e.ne(folded, address), () => e.fault("GP", 0));
}

/** EDX:EAX as 64 bits. */
export function edxEax(e: Emitter): Value {
  const high = e.shl(e.extend(e.gpr("rdx", 32).read(), 64), e.constant(64, 32));
  return e.let(e.or(high, e.extend(e.gpr("rax", 32).read(), 64)));
}

/** Splits 64 bits into EDX:EAX; both upper halves become 0. */
export function writeEdxEax(e: Emitter, value: Value): void {
  const pair = e.let(value);
  e.gpr("rax", 32).write(e.truncate(pair, 32));
  e.gpr("rdx", 32).write(e.truncate(e.shrU(pair, e.constant(64, 32)), 32));
}

/** All of RFLAGS as a 32-bit value. */
export function wholeFlags(e: Emitter): Value {
  return e.let(e.or(e.get("rflags"), e.flags.word()));
}

/** Replaces all of RFLAGS. The caller has removed what must not be set, and chooses the TLB bank again if AC or VM may change. */
export function setWholeFlags(e: Emitter, flags: Value): void {
  const word = e.let(flags);
  e.flags.setWord(word);
  e.set("rflags", e.or(e.and(word, e.constant(32, ~Rflags.ARITHMETIC)), e.constant(32, Rflags.ONE)));
}
