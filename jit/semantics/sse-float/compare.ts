import type { Value } from "../../emit/value.ts";
import { define, type Definition } from "../define.ts";
import type { Emitter } from "../emitter.ts";
import {
  exactScalar,
  exactVector,
  F32,
  F64,
  type Format,
  guarded,
  rejectUnordered,
  rejectUnorderedLanes,
} from "./guard.ts";

/** (U)COMISx: ZF PF CF tell greater, less, equal or unordered; OF SF AF are cleared. */
function ordered(reference: string, signalling: boolean, format: Format): Definition {
  return define({
    reference,
    operands: { left: "r", right: "r" },
    flags: { writes: "OF SF ZF AF PF CF" },
    unit: "sse",
    hot: true,
    emit(e, operands) {
      const right = operands.right.read();
      const left = operands.left.read();
      const a = e.let(e.reinterpret(left, format.type));
      const b = e.let(e.reinterpret(right, format.type));
      guarded(
        e,
        (reject) => {
          rejectUnordered(e, reject, format, left);
          rejectUnordered(e, reject, format, right);
          e.flags.orderNumbers({ type: format.type, left: a, right: b });
        },
        () => {
          const how = e.constant(32, signalling ? 1 : 0);
          e.flags.setWord(exactScalar(e, `${format.type}_compare`, [left, right, how], 32));
        },
      );
    },
  });
}

/**
 * For each predicate of CMPPx (bits 0..2 of the immediate), four bits that say whether it holds for greater (bit 0), less (bit 1) and
 * equal (bit 2): EQ LT LE UNORD NEQ NLT NLE ORD. SDM Vol. 2A, "CMPPD".
 */
const TRUTH = 0x7153_0624;

/** CMPSS, CMPSD: all ones or all zeros. */
function scalar(reference: string, format: Format): Definition {
  return define({
    reference,
    operands: { dst: "rw", src: "r", predicate: "r" },
    unit: "sse",
    emit(e, operands) {
      const { dst, src } = operands;
      const right = src.read();
      const left = dst.read();
      const predicate = predicateOf(e, operands.predicate.read());
      const a = e.let(e.reinterpret(left, format.type));
      const b = e.let(e.reinterpret(right, format.type));
      const mask = (holds: Value): Value => e.neg(e.extend(holds, format.width));
      guarded(
        e,
        (reject) => {
          rejectUnordered(e, reject, format, left);
          rejectUnordered(e, reject, format, right);
          const equal = e.shl(e.compareFloat(format.type, "eq", a, b), e.constant(32, 1));
          const relation = e.or(e.compareFloat(format.type, "lt", a, b), equal);
          const at = e.add(e.shl(predicate, e.constant(32, 2)), relation);
          dst.write(mask(e.and(e.shrU(e.constant(32, TRUTH), at), e.constant(32, 1))));
        },
        () => dst.write(mask(exactScalar(e, `${format.type}_predicate`, [left, right, predicate], 32))),
      );
    },
  });
}

/** CMPPS, CMPPD. */
function packed(reference: string, format: Format): Definition {
  return define({
    reference,
    operands: { dst: "rw", src: "r", predicate: "r" },
    unit: "sse",
    emit(e, operands) {
      const { dst, src } = operands;
      const right = src.read();
      const left = dst.read();
      const predicate = predicateOf(e, operands.predicate.read());
      guarded(
        e,
        (reject) => {
          rejectUnorderedLanes(e, reject, format, left, right);
          // A lane where the predicate wants a relation keeps the mask of it; bit 2 inverts them all.
          const truth = (relation: number): Value => {
            const at = e.add(e.shl(e.and(predicate, e.constant(32, 3)), e.constant(32, 2)), e.constant(32, relation));
            return e.splat("i32x4", e.neg(e.and(e.shrU(e.constant(32, TRUTH), at), e.constant(32, 1))));
          };
          const less = e.vector("v128", "and", e.vector(format.vector, "lt", left, right), truth(1));
          const equal = e.vector("v128", "and", e.vector(format.vector, "eq", left, right), truth(2));
          const inverted = e.splat("i32x4", e.neg(e.shrU(predicate, e.constant(32, 2))));
          const result = e.let(e.vector("v128", "xor", e.vector("v128", "or", less, equal), inverted));
          e.noteMask(result, format.vector);
          dst.write(result);
        },
        () => dst.write(exactVector(e, `${format.vector}_predicate`, left, right, predicate)),
      );
    },
  });
}

function predicateOf(e: Emitter, immediate: Value): Value {
  return e.let(e.and(e.extend(immediate, 32), e.constant(32, 7)));
}

/** SDM Vol. 1, 10.4.1.2, 11.4.1.2. */
export const sseCompareDefinitions = {
  comiss: ordered("SDM 2A COMISS", true, F32),
  comisd: ordered("SDM 2A COMISD", true, F64),
  ucomiss: ordered("SDM 2B UCOMISS", false, F32),
  ucomisd: ordered("SDM 2B UCOMISD", false, F64),
  cmpss: scalar("SDM 2A CMPSS", F32),
  cmpsd: scalar("SDM 2A CMPSD", F64),
  cmpps: packed("SDM 2A CMPPS", F32),
  cmppd: packed("SDM 2A CMPPD", F64),
};
