import { guestState, Rflags } from "../../../runtime/abi/guest-state.ts";
import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";

/** RFLAGS, all of it, from the state; see guestState.flagResult for what the lazy fields mean. */
export function readFlags(f: StateBuilder): Value {
  const bits = f.let(f.loadOffset(32, f.cpu, guestState.flagBits.offset));
  const result = f.let(f.loadOffset(64, f.cpu, guestState.flagResult.offset));
  const one = (value: Value): Value => f.and(value, f.constant(32, 1));
  const down = (value: Value, count: number): Value => f.shrU(value, f.constant(32, count));
  const sign = one(f.xor(f.truncate(f.shrU(result, f.constant(64, 63)), 32), bits));
  const parityByte = f.and(f.xor(f.truncate(result, 32), down(bits, 8)), f.constant(32, 0xff));
  const flags: readonly (readonly [Value, number])[] = [
    [down(bits, 31), 0],
    [f.eqz(one(f.popcnt(parityByte))), 2],
    [one(down(bits, 3)), 4],
    [f.eqz(result), 6],
    [sign, 7],
    [down(f.xor(bits, f.shl(bits, f.constant(32, 1))), 31), 11],
  ];
  let word = f.and(f.get("rflags"), f.constant(32, ~Rflags.ARITHMETIC));
  for (const [flag, bit] of flags) word = f.or(word, f.shl(flag, f.constant(32, bit)));
  return f.let(word);
}

/** Sets RFLAGS, all of it. */
export function writeFlags(f: StateBuilder, flags: Value): void {
  const bit = (position: number): Value => f.and(f.shrU(flags, f.constant(32, position)), f.constant(32, 1));
  const up = (value: Value, count: number): Value => f.shl(value, f.constant(32, count));
  // A result of 0 or 1 tells ZF, is positive, and has a known parity: 0 is even, 1 is odd. The bits say the rest.
  const odd = f.let(f.eqz(bit(6)));
  const carry = f.let(bit(0));
  const parityDelta = f.xor(f.xor(bit(2), f.constant(32, 1)), odd);
  let bits = f.or(bit(7), up(parityDelta, 8));
  bits = f.or(bits, up(bit(4), 3));
  bits = f.or(bits, up(carry, 31));
  bits = f.or(bits, up(f.xor(carry, bit(11)), 30));
  f.storeOffset(f.cpu, f.extend(odd, 64), guestState.flagResult.offset);
  f.storeOffset(f.cpu, bits, guestState.flagBits.offset);
  f.set("rflags", f.or(f.and(flags, f.constant(32, ~Rflags.ARITHMETIC)), f.constant(32, Rflags.ONE)));
}
