import type { Value } from "../emit/value.ts";
import { define } from "./define.ts";
import type { Emitter } from "./emitter.ts";
import { widthOf } from "./integer.ts";

/** XCHG: exchanges two operands. */
export const xchg = define({
  reference: "SDM 2B XCHG",
  operands: { dst: "rw", src: "rw" },
  emit(e, { dst, src }) {
    const left = dst.read();
    const right = src.read();
    // Only dst can be memory, whose store may fault.
    dst.write(right);
    src.write(left);
  },
});

/** XADD: exchanges and adds. When both operands are one register, the sum stays. */
export const xadd = define({
  reference: "SDM 2B XADD",
  operands: { dst: "rw", src: "rw" },
  flags: { writes: "OF SF ZF AF PF CF" },
  emit(e, { dst, src }) {
    const left = dst.read();
    const right = src.read();
    const result = e.let(e.add(left, right));
    if (dst.kind === "memory") {
      dst.write(result);
      src.write(left);
    } else {
      src.write(left);
      dst.write(result);
    }
    e.flags.add({ left, right, result });
  },
});

/** CMPXCHG: if the accumulator equals dst, dst = src, else the accumulator = dst. dst is written in either case. */
export const cmpxchg = define({
  reference: "SDM 2A CMPXCHG",
  operands: { dst: "rw", src: "r" },
  flags: { writes: "OF SF ZF AF PF CF" },
  emit(e, { dst, src }) {
    const accumulator = e.gpr("rax", widthOf(dst));
    const left = accumulator.read();
    const right = dst.read();
    const isEqual = e.let(e.eq(left, right));
    if (dst.kind === "memory") {
      dst.write(e.select(isEqual, src.read(), right));
      e.if(e.eqz(isEqual), () => accumulator.write(right));
    } else {
      const replacement = src.read();
      e.if(
        isEqual,
        () => dst.write(replacement),
        () => accumulator.write(right),
      );
    }
    e.flags.sub({ left, right, result: e.sub(left, right) });
  },
});

/** CMPXCHG8B: the same of 64 bits, with EDX:EAX and ECX:EBX; of the flags only ZF. */
export const cmpxchg8b = define({
  reference: "SDM 2A CMPXCHG8B/CMPXCHG16B",
  operands: { dst: "rw" },
  flags: { writes: "ZF" },
  emit(e, { dst }) {
    const pair = (high: "rdx" | "rcx", low: "rax" | "rbx"): Value =>
      e.or(e.shl(e.extend(e.gpr(high, 32).read(), 64), e.constant(64, 32)), e.extend(e.gpr(low, 32).read(), 64));
    const old = dst.read();
    const expected = pair("rdx", "rax");
    const isEqual = e.let(e.eq(old, expected));
    dst.write(e.select(isEqual, pair("rcx", "rbx"), old));
    e.if(e.eqz(isEqual), () => {
      e.gpr("rax", 32).write(e.truncate(old, 32));
      e.gpr("rdx", 32).write(e.truncate(e.shrU(old, e.constant(64, 32)), 32));
    });
    e.flags.replace({ ZF: isEqual });
  },
});

/** CMPXCHG16B: the same of 128 bits, with RDX:RAX and RCX:RBX. The operand must be aligned. */
export const cmpxchg16b = define({
  reference: "SDM 2A CMPXCHG8B/CMPXCHG16B",
  operands: { dst: "rw" },
  flags: { writes: "ZF" },
  emit(e, { dst }) {
    const old = dst.read();
    const low = e.let(e.extractLane("i64x2", old, 0));
    const high = e.let(e.extractLane("i64x2", old, 1));
    const isEqual = e.let(e.and(e.eq(low, read(e, "rax")), e.eq(high, read(e, "rdx"))));
    const replacement = e.replaceLane("i64x2", e.splat("i64x2", read(e, "rbx")), 1, read(e, "rcx"));
    dst.write(e.select(isEqual, replacement, old));
    e.if(e.eqz(isEqual), () => {
      e.gpr("rax", 64).write(low);
      e.gpr("rdx", 64).write(high);
    });
    e.flags.replace({ ZF: isEqual });
  },
});

function read(e: Emitter, register: "rax" | "rbx" | "rcx" | "rdx"): Value {
  return e.gpr(register, 64).read();
}

export const exchangeDefinitions = { xchg, xadd, cmpxchg, cmpxchg8b, cmpxchg16b };
