import type { Value, Width } from "../../emit/value.ts";
import { define, type Definition } from "../define.ts";
import type { Emitter } from "../emitter.ts";
import { asVector, fromVector, packed, packedWidth, readVector, shuffleLanes } from "./packed.ts";

// Data movement and bitwise logic: SDM Vol. 1, 9.4.1, 10.4.1, 10.4.2, 11.4.1, 11.4.2.

/** DEST = SRC, all of it. */
function move(reference: string, options: { unaligned?: boolean; hot?: boolean } = {}): Definition {
  return define({
    reference,
    unit: "sse",
    ...options,
    operands: { dst: "w", src: "r" },
    emit(_, { dst, src }) {
      dst.write(src.read());
    },
  });
}
const movdqa: Definition = move("SDM 2B MOVDQA", { hot: true });
const movdqu: Definition = move("SDM 2B MOVDQU", { hot: true, unaligned: true });
const movaps: Definition = move("SDM 2B MOVAPS", { hot: true });
const movups: Definition = move("SDM 2B MOVUPS", { hot: true, unaligned: true });
const movapd: Definition = move("SDM 2B MOVAPD", { hot: true });
const movupd: Definition = move("SDM 2B MOVUPD", { hot: true, unaligned: true });
const lddqu: Definition = move("SDM 2A LDDQU", { unaligned: true });
// There is no cache to bypass: the non-temporal moves are plain ones.
const movntps: Definition = move("SDM 2B MOVNTPS");
const movntpd: Definition = move("SDM 2B MOVNTPD");
const movntdq: Definition = move("SDM 2B MOVNTDQ");
const movntdqa: Definition = move("SDM 2B MOVNTDQA");
const movntq: Definition = move("SDM 2B MOVNTQ");

/** MOVNTI: a store of a general register; it uses no SSE state, and so asks for none. */
const movnti: Definition = define({
  reference: "SDM 2B MOVNTI",
  operands: { dst: "w", src: "r" },
  emit(_, { dst, src }) {
    dst.write(src.read());
  },
});

/** MOVD, MOVQ: 32 or 64 bits between any two of general register, MMX register, XMM register and memory; zeros above. */
function moveInteger(reference: string): Definition {
  return define({
    reference,
    unit: "sse",
    hot: true,
    operands: { dst: "w", src: "r" },
    emit(e, { dst, src }) {
      const value = src.read();
      const width = Math.min(dst.width, 64) as Width;
      const low = value.type === "v128" ? fromVector(e, value, width) : e.resize(value, width);
      dst.writeZeroExtended(low);
    },
  });
}
const movd: Definition = moveInteger("SDM 2B MOVD/MOVQ");
const movq: Definition = moveInteger("SDM 2B MOVQ");
const movq2dq: Definition = moveInteger("SDM 2B MOVQ2DQ");
const movdq2q: Definition = moveInteger("SDM 2B MOVDQ2Q");

/** MOVSS, MOVSD: a load clears what is above, a move between registers keeps it. */
function moveScalar(reference: string): Definition {
  return define({
    reference,
    unit: "sse",
    hot: true,
    operands: { dst: "w", src: "r" },
    emit(_, { dst, src }) {
      if (src.kind === "memory") dst.writeZeroExtended(src.read());
      else dst.write(src.read());
    },
  });
}
const movss: Definition = moveScalar("SDM 2B MOVSS");
const movsd: Definition = moveScalar("SDM 2B MOVSD");

/** MOVLPS, MOVHPS and the like: 64 bits between memory and one half of a register. */
function moveHalf(reference: string, half: 0 | 1): Definition {
  return define({
    reference,
    unit: "sse",
    operands: { dst: "w", src: "r" },
    emit(e, { dst, src }) {
      if (dst.kind === "memory") {
        dst.write(e.extractLane("i64x2", src.readRegister128(), half));
        return;
      }
      const loaded = src.read();
      dst.writeRegister128(e.replaceLane("i64x2", dst.readRegister128(), half, loaded));
    },
  });
}
const movlps: Definition = moveHalf("SDM 2B MOVLPS", 0);
const movlpd: Definition = moveHalf("SDM 2B MOVLPD", 0);
const movhps: Definition = moveHalf("SDM 2B MOVHPS", 1);
const movhpd: Definition = moveHalf("SDM 2B MOVHPD", 1);

/** One half of SRC into the other half of DEST. */
function moveAcross(reference: string, indexes: readonly [number, number]): Definition {
  return define({
    reference,
    unit: "sse",
    operands: { dst: "w", src: "r" },
    emit(e, { dst, src }) {
      dst.writeRegister128(shuffleLanes(e, 64, dst.readRegister128(), src.readRegister128(), indexes));
    },
  });
}
const movhlps: Definition = moveAcross("SDM 2B MOVHLPS", [3, 1]);
const movlhps: Definition = moveAcross("SDM 2B MOVLHPS", [0, 2]);

// ---- masks ----

/** The top bits of all lanes, as an integer. */
function moveMask(reference: string, shape: "i8x16" | "i32x4" | "i64x2", hot = false): Definition {
  return define({
    reference,
    unit: "sse",
    hot,
    operands: { dst: "w", src: "r" },
    emit(e, { dst, src }) {
      const bits = e.bitmask(shape, readVector(e, src));
      const used = packedWidth(src) === 128 ? bits : e.and(bits, e.constant(32, 0xff));
      dst.write(e.resize(used, dst.width as Width));
    },
  });
}
const pmovmskb: Definition = moveMask("SDM 2B PMOVMSKB", "i8x16", true);
const movmskps: Definition = moveMask("SDM 2B MOVMSKPS", "i32x4");
const movmskpd: Definition = moveMask("SDM 2B MOVMSKPD", "i64x2");

/** All x87 registers valid and TOP 0: what every MMX instruction leaves. SDM Vol. 1, 9.6.2. */
function enterMmx(e: Emitter): void {
  e.set("ftop", e.constant(32, 0));
  e.set("ftag", e.constant(32, 0xff));
}

/** MASKMOVQ, MASKMOVDQU: stores the bytes of a register whose mask byte has its top bit set, at DS:rDI, which needs no alignment. */
function maskedStore(reference: string): Definition {
  return define({
    reference,
    unit: "sse",
    unaligned: true,
    operands: { dst: "a", src: "r", mask: "r" },
    emit(e, { dst, src, mask }) {
      const width = packedWidth(src);
      const data = readVector(e, src);
      const bits = e.bitmask("i8x16", readVector(e, mask));
      const rest = e.variable(width === 128 ? bits : e.and(bits, e.constant(32, 0xff)));
      // AMD processors turn to MMX state before they look at the memory, and check all of it, selected or not, eight bytes at a time.
      if (width === 64) enterMmx(e);
      for (let first = 0; first < width / 8; first += 8) dst.part(first, 64, "w").probe(8, "w");
      e.loop((again) => {
        e.unless0(rest.get(), () => {
          const index = e.let(e.ctz(rest.get()));
          const byte = e.extractLane("i8x16", e.vector("i8x16", "swizzle", data, e.splat("i8x16", index)), 0);
          dst.part(e.extend(index, 64), 8, "w").write(byte);
          rest.set(e.and(rest.get(), e.sub(rest.get(), e.constant(32, 1))));
          e.continue(again);
        });
      });
    },
  });
}
const maskmovq: Definition = maskedStore("SDM 2B MASKMOVQ");
const maskmovdqu: Definition = maskedStore("SDM 2B MASKMOVDQU");

// ---- bitwise logic ----

/** A bitwise operation; MMX operands stay integers. */
function bitwise(
  reference: string,
  operation: (e: Emitter, left: Value, right: Value) => Value,
  onVectors: (e: Emitter, left: Value, right: Value) => Value,
  hot = false,
): Definition {
  return define({
    reference,
    unit: "sse",
    hot,
    operands: { dst: "rw", src: "r" },
    emit(e, { dst, src }) {
      const right = src.read();
      const left = dst.read();
      dst.write(dst.width === 128 ? onVectors(e, left, right) : operation(e, left, right));
    },
  });
}
const and = (e: Emitter, left: Value, right: Value): Value => e.vector("v128", "and", left, right);
const or = (e: Emitter, left: Value, right: Value): Value => e.vector("v128", "or", left, right);
const xor = (e: Emitter, left: Value, right: Value): Value => e.vector("v128", "xor", left, right);
/** ~left & right: the operands are the other way round than WebAssembly's. */
const andNot = (e: Emitter, left: Value, right: Value): Value => e.vector("v128", "andnot", right, left);

const pand: Definition = bitwise("SDM 2B PAND", (e, left, right) => e.and(left, right), and, true);
const por: Definition = bitwise("SDM 2B POR", (e, left, right) => e.or(left, right), or, true);
const pxor: Definition = bitwise("SDM 2B PXOR", (e, left, right) => e.xor(left, right), xor, true);
const pandn: Definition = bitwise("SDM 2B PANDN", (e, left, right) => e.and(e.not(left), right), andNot);
const andps: Definition = packed("SDM 2A ANDPS", and);
const andpd: Definition = packed("SDM 2A ANDPD", and);
const andnps: Definition = packed("SDM 2A ANDNPS", andNot);
const andnpd: Definition = packed("SDM 2A ANDNPD", andNot);
const orps: Definition = packed("SDM 2B ORPS", or);
const orpd: Definition = packed("SDM 2B ORPD", or);
const xorps: Definition = packed("SDM 2C XORPS", xor, { hot: true });
const xorpd: Definition = packed("SDM 2C XORPD", xor, { hot: true });

/** PTEST: ZF = no common bits, CF = no bits of SRC outside DEST. */
const ptest: Definition = define({
  reference: "SDM 2B PTEST",
  unit: "sse",
  operands: { dst: "r", src: "r" },
  flags: { writes: "OF SF ZF AF PF CF" },
  emit(e, { dst, src }) {
    const right = asVector(e, src.read());
    const left = dst.read();
    const zero = e.eqz(e.anyTrue(and(e, left, right)));
    const carry = e.eqz(e.anyTrue(andNot(e, left, right)));
    e.flags.setWord(e.or(e.shl(zero, e.constant(32, 6)), carry));
  },
});

// prettier-ignore
export const packedMoveDefinitions = {
  movdqa, movdqu, movaps, movups, movapd, movupd, lddqu, movntps, movntpd, movntdq, movntdqa, movntq, movnti,
  movd, movq, movq2dq, movdq2q, movss, movsd, movlps, movlpd, movhps, movhpd, movhlps, movlhps,
  pmovmskb, movmskps, movmskpd, maskmovq, maskmovdqu,
  pand, por, pxor, pandn, andps, andpd, andnps, andnpd, orps, orpd, xorps, xorpd, ptest,
};
