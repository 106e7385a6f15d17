import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";
import type { WasmType } from "../../emit/wasm.ts";
import type { Helper } from "../helper.ts";

/** A vector format: lanes of one scalar format. */
interface Packed {
  readonly name: "f32x4" | "f64x2";
  readonly scalar: "f32" | "f64";
  /** the same lanes as integers */
  readonly bits: "i32x4" | "i64x2";
  readonly type: "i32" | "i64";
  readonly lanes: 2 | 4;
}

const F32X4: Packed = { name: "f32x4", scalar: "f32", bits: "i32x4", type: "i32", lanes: 4 };
const F64X2: Packed = { name: "f64x2", scalar: "f64", bits: "i64x2", type: "i64", lanes: 2 };

const zero = (f: StateBuilder): Value => f.vectorConstant(Array.from({ length: 16 }, () => 0));

/** A vector whose lane i is `lane(i)`. */
function build(f: StateBuilder, shape: "i32x4" | "i64x2", count: number, lane: (index: number) => Value): Value {
  let vector = zero(f);
  for (let i = 0; i < count; i++) vector = f.replaceLane(shape, vector, i, f.let(lane(i)));
  return vector;
}

/** A helper on vectors; it clears fpRaised first, so that its exceptions are all there are. */
function vectorHelper(
  name: string,
  params: readonly WasmType[],
  emit: (f: StateBuilder, operands: readonly Value[]) => Value,
): Helper {
  return {
    name,
    params,
    result: "v128",
    emit(f, operands) {
      f.set("fpRaised", f.constant(32, 0));
      f.return(emit(f, operands));
    },
  };
}

const lane = (f: StateBuilder, { bits }: Packed, vector: Value, index: number): Value =>
  f.extractLane(bits, vector, index);

/** (left, right) -> vector, by a scalar operation for each lane. */
function lanewise(packed: Packed, operation: string): Helper {
  return vectorHelper(`${packed.name}_${operation}`, ["v128", "v128"], (f, [left, right]) =>
    build(f, packed.bits, packed.lanes, (i) =>
      left && right
        ? scalar(f, packed, operation, lane(f, packed, left, i), lane(f, packed, right, i))
        : f.constant(32, 0),
    ),
  );
}

function scalar(f: StateBuilder, { scalar: name, type }: Packed, operation: string, ...operands: Value[]): Value {
  return f.call(`${name}_${operation}`, [f.cpu, ...operands], type);
}

/** ADDSUBPx: even lanes are subtracted, odd ones added. */
function alternating(packed: Packed): Helper {
  return vectorHelper(`${packed.name}_addsub`, ["v128", "v128"], (f, [left, right]) =>
    build(f, packed.bits, packed.lanes, (i) =>
      left && right
        ? scalar(f, packed, i % 2 === 0 ? "sub" : "add", lane(f, packed, left, i), lane(f, packed, right, i))
        : f.constant(32, 0),
    ),
  );
}

/** (source) -> vector. */
function squareRoot(packed: Packed): Helper {
  return vectorHelper(`${packed.name}_sqrt`, ["v128"], (f, [source]) =>
    build(f, packed.bits, packed.lanes, (i) =>
      source ? scalar(f, packed, "sqrt", lane(f, packed, source, i)) : f.constant(32, 0),
    ),
  );
}

/** (left, right, predicate) -> lanes of ones and zeros. */
function predicate(packed: Packed): Helper {
  return vectorHelper(`${packed.name}_predicate`, ["v128", "v128", "i32"], (f, [left, right, which]) =>
    build(f, packed.bits, packed.lanes, (i) => {
      if (!left || !right || !which) return f.constant(32, 0);
      const operands = [f.cpu, lane(f, packed, left, i), lane(f, packed, right, i), which];
      const holds = f.call(`${packed.scalar}_predicate`, operands, "i32");
      return f.neg(packed.type === "i64" ? f.extend(holds, 64) : holds);
    }),
  );
}

/** (source, control) -> vector. */
function round(packed: Packed): Helper {
  return vectorHelper(`${packed.name}_round`, ["v128", "i32"], (f, [source, control]) =>
    build(f, packed.bits, packed.lanes, (i) =>
      source && control ? scalar(f, packed, "round", lane(f, packed, source, i), control) : f.constant(32, 0),
    ),
  );
}

/** (source, truncate) -> 32-bit integers, in the low lanes. */
function toIntegers(packed: Packed): Helper {
  return vectorHelper(`${packed.name}_to_i32x4`, ["v128", "i32"], (f, [source, truncate]) =>
    build(f, "i32x4", packed.lanes, (i) =>
      source && truncate
        ? f.call(`${packed.scalar}_to_i32`, [f.cpu, lane(f, packed, source, i), truncate], "i32")
        : f.constant(32, 0),
    ),
  );
}

const fromIntegers: Helper = vectorHelper("i32x4_to_f32x4", ["v128"], (f, [source]) =>
  build(f, "i32x4", 4, (i) =>
    source ? f.call("f32_from_i32", [f.cpu, f.extractLane("i32x4", source, i)], "i32") : f.constant(32, 0),
  ),
);

const widen: Helper = vectorHelper("f32x4_to_f64x2", ["v128"], (f, [source]) =>
  build(f, "i64x2", 2, (i) =>
    source ? f.call("f32_to_f64", [f.cpu, lane(f, F32X4, source, i)], "i64") : f.constant(64, 0),
  ),
);

const narrow: Helper = vectorHelper("f64x2_to_f32x4", ["v128"], (f, [source]) =>
  build(f, "i32x4", 2, (i) =>
    source ? f.call("f64_to_f32", [f.cpu, lane(f, F64X2, source, i)], "i32") : f.constant(32, 0),
  ),
);

/**
 * DPPS, DPPD: (left, right, immediate) -> vector. Bits 4.. of the immediate select the products, bits 0.. the lanes of the result. The
 * products are rounded, then added in pairs; an unmasked exception ends it after the step that found it. SDM Vol. 2A, "DPPS".
 */
function dotProduct(packed: Packed): Helper {
  return vectorHelper(`${packed.name}_dot`, ["v128", "v128", "i32"], (f, [left, right, immediate]) => {
    if (!left || !right || !immediate) return zero(f);
    const none = f.constant(packed.type === "i32" ? 32 : 64, 0);
    const bit = (index: number): Value => f.and(immediate, f.constant(32, 1 << index));
    // Each step reports for itself, so that one step's overflow is not forgotten over the next one's invalid operation.
    const endStep = (): void => {
      f.if(f.call("sse_raise", [f.cpu], "i32"), () => f.return(zero(f)));
      f.set("fpRaised", f.constant(32, 0));
    };
    let terms = Array.from({ length: packed.lanes }, (_, i) =>
      f.choose(
        bit(4 + i),
        () => scalar(f, packed, "mul", lane(f, packed, left, i), lane(f, packed, right, i)),
        () => none,
      ),
    );
    endStep();
    while (terms.length > 1) {
      const sums: Value[] = [];
      for (let i = 0; i + 1 < terms.length; i += 2) {
        sums.push(scalar(f, packed, "add", terms[i] ?? none, terms[i + 1] ?? none));
      }
      terms = sums;
      if (terms.length > 1) endStep();
    }
    const sum = terms[0] ?? none;
    return build(f, packed.bits, packed.lanes, (i) => f.select(bit(i), sum, none));
  });
}

/**
 * The scalar operations on whole vectors, for the packed instructions. Unlike the scalar ones these clear guestState.fpRaised first.
 *
 *   f32x4_ and f64x2_: add sub mul div min max addsub (left, right), sqrt (source), predicate (left, right, predicate),
 *   round (source, control), dot (left, right, immediate), to_i32x4 (source, truncate)
 *   i32x4_to_f32x4, f32x4_to_f64x2 (low lanes), f64x2_to_f32x4 (zeros above)
 */
export const packedHelpers: readonly Helper[] = [
  ...[F32X4, F64X2].flatMap((packed) => [
    ...["add", "sub", "mul", "div", "min", "max"].map((operation) => lanewise(packed, operation)),
    alternating(packed),
    squareRoot(packed),
    predicate(packed),
    round(packed),
    toIntegers(packed),
    dotProduct(packed),
  ]),
  fromIntegers,
  widen,
  narrow,
];
