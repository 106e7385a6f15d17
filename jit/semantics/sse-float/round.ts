import type { Label } from "../../emit/function.ts";
import type { Value } from "../../emit/value.ts";
import { define, type Definition } from "../define.ts";
import type { Emitter } from "../emitter.ts";
import {
  anyLane,
  denormalLanes,
  eitherLane,
  exactScalar,
  exactVector,
  F32,
  F64,
  type Format,
  guarded,
  nanLanes,
  rejectDenormal,
  rejectNan,
} from "./guard.ts";

/** Bits of the immediate of ROUNDPS; SDM Vol. 2B, "ROUNDPD". */
const USE_MXCSR = 4;
const NO_PRECISION = 8;
const ROUNDING_SHIFT = 13;
/** PM and PE of MXCSR */
const SILENT = 0x1020;

/** Rejects unless an inexact result goes unnoticed: by the immediate, or because PE is masked and sticky. */
function requireSilence(e: Emitter, reject: Label, control: Value): void {
  const loud = e.ne(e.and(e.get("mxcsr"), e.constant(32, SILENT)), e.constant(32, SILENT));
  e.break(reject, e.and(loud, e.eqz(e.and(control, e.constant(32, NO_PRECISION)))));
}

/** Rounds by the mode that the immediate or MXCSR gives: 0 nearest even, 1 down, 2 up, 3 to zero. */
function byMode(e: Emitter, control: Value, round: (how: "nearest" | "floor" | "ceil" | "trunc") => Value): Value {
  const current = e.shrU(e.get("mxcsr"), e.constant(32, ROUNDING_SHIFT));
  const chosen = e.select(e.and(control, e.constant(32, USE_MXCSR)), current, control);
  const mode = e.let(e.and(chosen, e.constant(32, 3)));
  const odd = (): Value => e.and(mode, e.constant(32, 1));
  return e.choose(
    e.and(mode, e.constant(32, 2)),
    () =>
      e.choose(
        odd(),
        () => round("trunc"),
        () => round("ceil"),
      ),
    () =>
      e.choose(
        odd(),
        () => round("floor"),
        () => round("nearest"),
      ),
  );
}

/** ROUNDSS, ROUNDSD. */
function scalar(reference: string, format: Format): Definition {
  return define({
    reference,
    operands: { dst: "w", src: "r", control: "r" },
    unit: "sse",
    emit(e, operands) {
      const { dst, src } = operands;
      const source = src.read();
      const control = e.let(e.extend(operands.control.read(), 32));
      const value = e.let(e.reinterpret(source, format.type));
      guarded(
        e,
        (reject) => {
          requireSilence(e, reject, control);
          rejectDenormal(e, reject, format, source);
          rejectNan(e, reject, format, value);
          const rounded = byMode(e, control, (how) => e.float(format.type, how, value));
          dst.write(e.reinterpret(rounded, format.integer));
        },
        () => dst.write(exactScalar(e, `${format.type}_round`, [source, control], format.width)),
      );
    },
  });
}

/** ROUNDPS, ROUNDPD. */
function packed(reference: string, format: Format): Definition {
  return define({
    reference,
    operands: { dst: "w", src: "r", control: "r" },
    unit: "sse",
    emit(e, operands) {
      const { dst, src } = operands;
      const source = src.read();
      const control = e.let(e.extend(operands.control.read(), 32));
      guarded(
        e,
        (reject) => {
          requireSilence(e, reject, control);
          const marks = eitherLane(e, denormalLanes(e, format, source), nanLanes(e, format, source));
          e.break(reject, anyLane(e, format, marks));
          dst.write(byMode(e, control, (how) => e.vector(format.vector, how, source)));
        },
        () => dst.write(exactVector(e, `${format.vector}_round`, source, control)),
      );
    },
  });
}

/** SDM Vol. 1, 12.8.5. */
export const sseRoundDefinitions = {
  roundss: scalar("SDM 2B ROUNDSS", F32),
  roundsd: scalar("SDM 2B ROUNDSD", F64),
  roundps: packed("SDM 2B ROUNDPS", F32),
  roundpd: packed("SDM 2B ROUNDPD", F64),
};
