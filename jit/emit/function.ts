import { invariant } from "../../runtime/abi/invariant.ts";
import type { Expression, Wasm, WasmType } from "./wasm.ts";
import { Computed, ConstantValue, Named, Remade, type Value, type Variable, type Width } from "./value.ts";

export type VectorShape = "i8x16" | "i16x8" | "i32x4" | "i64x2" | "f32x4" | "f64x2" | "v128";
export type FloatType = "f32" | "f64";

/** Where a `break` leaves to, or a `continue` goes back to. */
export interface Label {
  readonly name: string;
}

const LANES: Readonly<Record<Exclude<VectorShape, "v128">, { lane: WasmType; width: Width }>> = {
  i8x16: { lane: "i32", width: 8 },
  i16x8: { lane: "i32", width: 16 },
  i32x4: { lane: "i32", width: 32 },
  i64x2: { lane: "i64", width: 64 },
  f32x4: { lane: "f32", width: 32 },
  f64x2: { lane: "f64", width: 64 },
};

type Operation = (...operands: Expression[]) => Expression;

/** Names of labels, most functions having no more: made once, so that looking them up costs little. */
const LABELS: readonly string[] = Array.from({ length: 1024 }, (_, index) => `l${index}`);

/**
 * Builds one WebAssembly function, statement by statement.
 *
 * Integer operations work at the width of their operands (which must agree). Values of 8 and 16 bits live zero-extended in an
 * i32, and every operation here keeps them so. Booleans are 32-bit values, 0 or 1 unless said otherwise.
 */
export class FunctionBuilder {
  readonly wasm: Wasm;
  readonly name: string;
  readonly #params: readonly WasmType[];
  readonly #results: readonly WasmType[];
  readonly #locals: WasmType[] = [];
  #statements: Expression[] = [];
  #labels = 0;

  constructor(wasm: Wasm, name: string, params: readonly WasmType[], results: readonly WasmType[]) {
    this.wasm = wasm;
    this.name = name;
    this.#params = params;
    this.#results = results;
  }

  /** Adds the finished function to the module. */
  finish(): void {
    this.wasm.addFunction(this.name, this.#params, this.#results, this.#locals, this.#statements);
  }

  // ---- names ----

  /** The function's parameter number `index`. */
  parameter(index: number, width?: Width): Value {
    const type = this.#params[index];
    if (!(type !== undefined)) invariant(false, `${this.name} has no parameter ${index}`);
    return this.#local(index, type, width ?? widthOf(type));
  }

  /** Computes `value` here and now, and gives it a name. */
  let(value: Value): Value {
    if (value.reusable) return value;
    const index = this.#newLocal(value.type);
    this.statement(this.wasm.local.set(index, value.take()));
    return this.#local(index, value.type, value.width);
  }

  /** A mutable local, set to `initial`. */
  variable(initial: Value): Variable {
    const variable = this.declare(initial.type, initial.width);
    variable.set(initial);
    return variable;
  }

  /** A mutable local, zero until set. */
  declare(type: WasmType, width: Width): Variable {
    return new LocalVariable(this, type, width, this.#newLocal(type));
  }
  /** An assignment to a variable and a jump behind it, not yet part of the function. */
  assignAndBreak(variable: Variable, value: Value, label: Label): Expression {
    const { wasm } = this;
    return wasm.block(null, [variable.assignment(value), wasm.br(label.name)]);
  }
  /** Several statements as one that is not yet part of the function. */
  sequence(statements: readonly Expression[]): Expression {
    return this.wasm.block(null, [...statements]);
  }
  /** Appends what was made outside: an assignment, or code that was collected. */
  append(statement: Expression): void {
    this.statement(statement);
  }

  #newLocal(type: WasmType): number {
    return this.#params.length + this.#locals.push(type) - 1;
  }

  #local(index: number, type: WasmType, width: Width): Value {
    return new Named(this.wasm, type, width, index);
  }

  /** Wraps a raw expression; used once. */
  protected value(type: WasmType, width: Width, expression: Expression): Value {
    return new Computed(type, width, expression);
  }

  /** Appends a raw statement. */
  protected statement(expression: Expression): void {
    this.#statements.push(expression);
  }

  /** Everything emitted by `body`, as one block that is not yet part of the function. */
  protected collect(body: () => void, label: string | null = null): Expression {
    const outer = this.#statements;
    this.#statements = [];
    body();
    const inner = this.#statements;
    this.#statements = outer;
    const only = inner[0];
    if (label === null && inner.length === 1 && only !== undefined) return only;
    return this.wasm.block(label, inner);
  }

  /** How many statements stand in the list that is being written. */
  protected get position(): number {
    return this.#statements.length;
  }
  /** Puts the statements since `position` in a block that `label` leaves. */
  protected wrapSince(position: number, label: string): void {
    const inner = this.#statements.splice(position);
    this.statement(this.wasm.block(label, inner));
  }

  /** Puts a statement in front of the one that stands at `position`. */
  protected insertAt(position: number, statement: Expression): void {
    this.#statements.splice(position, 0, statement);
  }

  protected freshLabel(): string {
    const index = this.#labels++;
    return LABELS[index] ?? `l${index}`;
  }

  // ---- constants ----

  /** An integer constant of 8..64 bits, taken modulo 2^width. */
  constant(width: Width, value: bigint | number): Value {
    if (width === 128) invariant(false, "use vectorConstant for 128 bits");
    return new ConstantValue(this.wasm, width, value);
  }
  /** The same of two words, of which narrow constants need the first only. */
  constantWords(width: 8 | 16 | 32 | 64, low: number, high: number): ConstantValue {
    return new ConstantValue(this.wasm, width, low, high);
  }

  /** 16 bytes, lowest first. */
  vectorConstant(bytes: readonly number[]): Value {
    invariant(bytes.length === 16, "a vector has 16 bytes");
    return new Remade("v128", 128, () => this.wasm.v128.const([...bytes]));
  }

  floatConstant(type: FloatType, value: number): Value {
    return new Remade(type, widthOf(type), () => this.wasm[type].const(value));
  }

  // ---- integers ----

  add(left: Value, right: Value): Value {
    this.#agree(left, right);
    const { i32, i64 } = this.wasm;
    const first = left.take();
    const expression = left.type === "i64" ? i64.add(first, right.take()) : i32.add(first, right.take());
    return this.#wrap(left, expression);
  }
  sub(left: Value, right: Value): Value {
    this.#agree(left, right);
    const { i32, i64 } = this.wasm;
    const first = left.take();
    const expression = left.type === "i64" ? i64.sub(first, right.take()) : i32.sub(first, right.take());
    return this.#wrap(left, expression);
  }
  /** Low half of the product. */
  mul(left: Value, right: Value): Value {
    this.#agree(left, right);
    const { i32, i64 } = this.wasm;
    const first = left.take();
    const expression = left.type === "i64" ? i64.mul(first, right.take()) : i32.mul(first, right.take());
    return this.#wrap(left, expression);
  }
  and(left: Value, right: Value): Value {
    this.#agree(left, right);
    const { i32, i64 } = this.wasm;
    const first = left.take();
    const expression = left.type === "i64" ? i64.and(first, right.take()) : i32.and(first, right.take());
    return this.#same(left, expression);
  }
  or(left: Value, right: Value): Value {
    this.#agree(left, right);
    const { i32, i64 } = this.wasm;
    const first = left.take();
    const expression = left.type === "i64" ? i64.or(first, right.take()) : i32.or(first, right.take());
    return this.#same(left, expression);
  }
  xor(left: Value, right: Value): Value {
    this.#agree(left, right);
    const { i32, i64 } = this.wasm;
    const first = left.take();
    const expression = left.type === "i64" ? i64.xor(first, right.take()) : i32.xor(first, right.take());
    return this.#same(left, expression);
  }
  not(value: Value): Value {
    return this.xor(value, this.constant(value.width, -1));
  }
  neg(value: Value): Value {
    return this.sub(this.constant(value.width, 0), value);
  }
  /** Shifts take a count of the same type (i32 for 8..32 bits); for i32 and i64 the engine takes it modulo the width. */
  shl(value: Value, count: Value): Value {
    this.#agree(value, count);
    const { i32, i64 } = this.wasm;
    const first = value.take();
    const expression = value.type === "i64" ? i64.shl(first, count.take()) : i32.shl(first, count.take());
    return this.#wrap(value, expression);
  }
  shrU(value: Value, count: Value): Value {
    this.#agree(value, count);
    const { i32, i64 } = this.wasm;
    const first = value.take();
    const expression = value.type === "i64" ? i64.shr_u(first, count.take()) : i32.shr_u(first, count.take());
    return this.#same(value, expression);
  }
  shrS(value: Value, count: Value): Value {
    const { width } = value;
    if (width >= 32) return this.#same(value, this.#binary(value, count, "shr_s"));
    return this.#wrap(value, this.wasm.i32.shr_s(this.signExtend(value, 32).take(), count.take()));
  }
  /** 32- and 64-bit rotations. */
  rotl(value: Value, count: Value): Value {
    invariant(value.width >= 32, "rotations of 8 and 16 bits are built from shifts");
    return this.#same(value, this.#binary(value, count, "rotl"));
  }
  rotr(value: Value, count: Value): Value {
    invariant(value.width >= 32, "rotations of 8 and 16 bits are built from shifts");
    return this.#same(value, this.#binary(value, count, "rotr"));
  }
  /** Division traps on zero and overflow: test first. */
  divU(left: Value, right: Value): Value {
    return this.#same(left, this.#binary(left, right, "div_u"));
  }
  divS(left: Value, right: Value): Value {
    invariant(left.width >= 32, "extend before a signed division");
    return this.#same(left, this.#binary(left, right, "div_s"));
  }
  remU(left: Value, right: Value): Value {
    return this.#same(left, this.#binary(left, right, "rem_u"));
  }
  remS(left: Value, right: Value): Value {
    invariant(left.width >= 32, "extend before a signed division");
    return this.#same(left, this.#binary(left, right, "rem_s"));
  }
  popcnt(value: Value): Value {
    return this.#same(value, this.#operation(value.type, "popcnt")(value.take()));
  }
  /** Leading zeros counted in the value's own width. */
  clz(value: Value): Value {
    const count = this.#same(value, this.#operation(value.type, "clz")(value.take()));
    return value.width >= 32 ? count : this.sub(count, this.constant(value.width, 32 - value.width));
  }
  /** Trailing zeros; 8- and 16-bit zeros give 32. */
  ctz(value: Value): Value {
    return this.#same(value, this.#operation(value.type, "ctz")(value.take()));
  }

  // ---- comparisons: 32-bit 0 or 1 ----

  eqz(value: Value): Value {
    const { i32, i64 } = this.wasm;
    return this.value("i32", 32, value.type === "i64" ? i64.eqz(value.take()) : i32.eqz(value.take()));
  }
  eq(left: Value, right: Value): Value {
    this.#agree(left, right);
    const { i32, i64 } = this.wasm;
    const first = left.take();
    const test = left.type === "i64" ? i64.eq(first, right.take()) : i32.eq(first, right.take());
    return this.value("i32", 32, test);
  }
  ne(left: Value, right: Value): Value {
    this.#agree(left, right);
    const { i32, i64 } = this.wasm;
    const first = left.take();
    const test = left.type === "i64" ? i64.ne(first, right.take()) : i32.ne(first, right.take());
    return this.value("i32", 32, test);
  }
  ltU(left: Value, right: Value): Value {
    this.#agree(left, right);
    const { i32, i64 } = this.wasm;
    const first = left.take();
    const test = left.type === "i64" ? i64.lt_u(first, right.take()) : i32.lt_u(first, right.take());
    return this.value("i32", 32, test);
  }
  leU(left: Value, right: Value): Value {
    this.#agree(left, right);
    const { i32, i64 } = this.wasm;
    const first = left.take();
    const test = left.type === "i64" ? i64.le_u(first, right.take()) : i32.le_u(first, right.take());
    return this.value("i32", 32, test);
  }
  gtU(left: Value, right: Value): Value {
    this.#agree(left, right);
    const { i32, i64 } = this.wasm;
    const first = left.take();
    const test = left.type === "i64" ? i64.gt_u(first, right.take()) : i32.gt_u(first, right.take());
    return this.value("i32", 32, test);
  }
  geU(left: Value, right: Value): Value {
    this.#agree(left, right);
    const { i32, i64 } = this.wasm;
    const first = left.take();
    const test = left.type === "i64" ? i64.ge_u(first, right.take()) : i32.ge_u(first, right.take());
    return this.value("i32", 32, test);
  }
  ltS(left: Value, right: Value): Value {
    return this.value("i32", 32, this.#binary(this.#signed(left), this.#signed(right), "lt_s"));
  }
  leS(left: Value, right: Value): Value {
    return this.value("i32", 32, this.#binary(this.#signed(left), this.#signed(right), "le_s"));
  }
  gtS(left: Value, right: Value): Value {
    return this.value("i32", 32, this.#binary(this.#signed(left), this.#signed(right), "gt_s"));
  }
  geS(left: Value, right: Value): Value {
    return this.value("i32", 32, this.#binary(this.#signed(left), this.#signed(right), "ge_s"));
  }
  /** `condition` ? `yes` : `no`; both sides are computed. */
  select(condition: Value, yes: Value, no: Value): Value {
    if (!(yes.type === no.type)) invariant(false, `select between ${yes.type} and ${no.type}`);
    return this.value(yes.type, yes.width, this.wasm.select(condition.take(), yes.take(), no.take()));
  }

  /** The same condition, marked as one that hardly ever holds: for the code of the `if` or `break` that it is given to. */
  unlikely(condition: Value): Value {
    if (condition.reusable) return condition;
    return this.value(condition.type, condition.width, this.wasm.unlikely(condition.take()));
  }

  #signed(value: Value): Value {
    return value.width < 32 ? this.signExtend(value, 32) : value;
  }

  // ---- widths ----

  /** Zero-extends to a width that is not smaller. */
  extend(value: Value, width: Width): Value {
    if (!(width >= value.width && width <= 64)) invariant(false, `zero-extension of ${value.width} bits to ${width}`);
    if (width === 64 && value.width !== 64) return this.value("i64", 64, this.wasm.i64.extend_u(value.take()));
    return width === value.width ? value : this.value("i32", width, value.take());
  }
  /** Sign-extends to a width that is not smaller. */
  signExtend(value: Value, width: Width): Value {
    const from = value.width;
    if (!(width >= from && width <= 64)) invariant(false, `sign-extension of ${from} bits to ${width}`);
    if (width === from) return value;
    const { i32, i64 } = this.wasm;
    const wide = from === 8 ? i32.extend8_s(value.take()) : from === 16 ? i32.extend16_s(value.take()) : value.take();
    if (width === 64) return this.value("i64", 64, i64.extend_s(wide));
    return width === 32 ? this.value("i32", 32, wide) : this.value("i32", width, i32.and(wide, i32.const(0xffff)));
  }
  /** The low bits. */
  truncate(value: Value, width: Width): Value {
    if (!(width <= value.width)) invariant(false, `truncation of ${value.width} bits to ${width}`);
    if (width === value.width) return value;
    const { i32 } = this.wasm;
    const narrow = value.type === "i64" ? i32.wrap(value.take()) : value.take();
    return this.value("i32", width, width === 32 ? narrow : i32.and(narrow, i32.const(width === 8 ? 0xff : 0xffff)));
  }
  /** Zero-extends or truncates. */
  resize(value: Value, width: Width): Value {
    return width >= value.width ? this.extend(value, width) : this.truncate(value, width);
  }

  // ---- floating point and vectors ----

  /** The same bits as a float or as an integer. */
  reinterpret(value: Value, type: "i32" | "i64" | FloatType): Value {
    if (value.type === type) return value;
    const { wasm } = this;
    const bits = value.take();
    switch (type) {
      case "i32":
        return this.value("i32", 32, wasm.i32.reinterpret(bits));
      case "i64":
        return this.value("i64", 64, wasm.i64.reinterpret(bits));
      case "f32":
        return this.value("f32", 32, wasm.f32.reinterpret(bits));
      case "f64":
        return this.value("f64", 64, wasm.f64.reinterpret(bits));
    }
  }
  /** An operation of the wasm type `type` that yields the same type: e.float("f64", "sqrt", x). */
  float(
    type: FloatType,
    operation:
      "add" | "sub" | "mul" | "div" | "sqrt" | "abs" | "neg" | "floor" | "ceil" | "trunc" | "nearest" | "copysign",
    ...operands: Value[]
  ): Value {
    return this.value(
      type,
      widthOf(type),
      this.#operation(type, operation)(...operands.map((operand) => operand.take())),
    );
  }
  /** A comparison of floats: 32-bit 0 or 1. */
  compareFloat(type: FloatType, operation: "eq" | "ne" | "lt" | "le" | "gt" | "ge", left: Value, right: Value): Value {
    return this.value("i32", 32, this.#operation(type, operation)(left.take(), right.take()));
  }
  /** Any other conversion by its wasm name: convert("f64", "convert_s.i32", x), convert("f32", "demote", x). */
  convert(type: WasmType, operation: string, operand: Value): Value {
    return this.value(type, widthOf(type), this.#operation(type, operation)(operand.take()));
  }

  /** An operation on vectors that yields a vector: vector("i8x16", "add_sat_s", a, b). Shift counts are i32 values. */
  vector<S extends VectorShape>(shape: S, operation: Extract<keyof Wasm[S], string>, ...operands: Value[]): Value {
    return this.value("v128", 128, this.#operation(shape, operation)(...operands.map((operand) => operand.take())));
  }
  splat(shape: Exclude<VectorShape, "v128">, lane: Value): Value {
    return this.value("v128", 128, this.#operation(shape, "splat")(lane.take()));
  }
  /** Lane `index`; narrow integer lanes come zero-extended. */
  extractLane(shape: Exclude<VectorShape, "v128">, vector: Value, index: number): Value {
    const { lane, width } = LANES[shape];
    const name = width < 32 ? "extract_lane_u" : "extract_lane";
    const extract = this.#member(shape, name) as (vector: Expression, index: number) => Expression;
    return this.value(lane, width, extract(vector.take(), index));
  }
  replaceLane(shape: Exclude<VectorShape, "v128">, vector: Value, index: number, lane: Value): Value {
    const replace = this.#member(shape, "replace_lane") as (
      vector: Expression,
      index: number,
      lane: Expression,
    ) => Expression;
    return this.value("v128", 128, replace(vector.take(), index, lane.take()));
  }
  /** Bytes `mask[i]` of the 32 bytes of low then high. */
  shuffle(low: Value, high: Value, mask: readonly number[]): Value {
    return this.value("v128", 128, this.wasm.i8x16.shuffle(low.take(), high.take(), [...mask]));
  }
  bitmask(shape: "i8x16" | "i16x8" | "i32x4" | "i64x2", vector: Value): Value {
    return this.value("i32", 32, this.#operation(shape, "bitmask")(vector.take()));
  }
  /** 1 if any bit is set. */
  anyTrue(vector: Value): Value {
    return this.value("i32", 32, this.wasm.v128.any_true(vector.take()));
  }
  allTrue(shape: "i8x16" | "i16x8" | "i32x4" | "i64x2", vector: Value): Value {
    return this.value("i32", 32, this.#operation(shape, "all_true")(vector.take()));
  }

  // ---- linear memory, by offset ----

  /** Reads `width` bits at offset + displacement; no alignment needed. */
  loadOffset(width: Width, offset: Value, displacement = 0): Value {
    const { i32, i64, v128 } = this.wasm;
    const at = offset.take();
    switch (width) {
      case 8:
        return this.value("i32", 8, i32.load8_u(displacement, 1, at));
      case 16:
        return this.value("i32", 16, i32.load16_u(displacement, 1, at));
      case 32:
        return this.value("i32", 32, this.wasm.load32Unsigned(displacement, 1, at));
      case 64:
        return this.value("i64", 64, i64.load(displacement, 1, at));
      case 128:
        return this.value("v128", 128, v128.load(displacement, 1, at));
    }
  }
  storeOffset(offset: Value, value: Value, displacement = 0): void {
    const { i32, i64, v128, f32, f64 } = this.wasm;
    const at = offset.take();
    const what = value.take();
    if (value.type === "f32") this.statement(f32.store(displacement, 1, at, what));
    else if (value.type === "f64") this.statement(f64.store(displacement, 1, at, what));
    else if (value.width === 8) this.statement(i32.store8(displacement, 1, at, what));
    else if (value.width === 16) this.statement(i32.store16(displacement, 1, at, what));
    else if (value.width === 32) this.statement(i32.store(displacement, 1, at, what));
    else if (value.width === 64) this.statement(i64.store(displacement, 1, at, what));
    else this.statement(v128.store(displacement, 1, at, what));
  }
  memoryCopy(destination: Value, source: Value, byteLength: Value): void {
    this.statement(this.wasm.memory.copy(destination.take(), source.take(), byteLength.take()));
  }
  memoryFill(destination: Value, byte: Value, byteLength: Value): void {
    this.statement(this.wasm.memory.fill(destination.take(), byte.take(), byteLength.take()));
  }

  // ---- control ----

  if(condition: Value, then: () => void, otherwise?: () => void): void {
    const test = condition.take();
    const yes = this.collect(then);
    this.statement(otherwise ? this.wasm.if(test, yes, this.collect(otherwise)) : this.wasm.if(test, yes));
  }
  /** Runs `body` unless `value` is zero. */
  unless0(value: Value, body: () => void): void {
    this.if(value.type === "i64" ? this.ne(value, this.constant(64, 0)) : value, body);
  }
  /** A value that one of two branches computes; the other branch is not run. */
  choose(condition: Value, yes: () => Value, no: () => Value): Value {
    let result: Variable | undefined;
    const assign = (side: () => Value) => () => {
      const value = side();
      result ??= this.declare(value.type, value.width);
      result.set(value);
    };
    this.if(condition, assign(yes), assign(no));
    invariant(result !== undefined, "choose has no result");
    return this.let(result.get());
  }
  /** A block that `break` leaves at its end. */
  block(body: (end: Label) => void): void {
    const name = this.freshLabel();
    this.statement(this.collect(() => body({ name }), name));
  }
  /** A loop that goes round only by `continue`. */
  loop(body: (again: Label) => void): void {
    const name = this.freshLabel();
    this.statement(
      this.wasm.loop(
        name,
        this.collect(() => body({ name })),
      ),
    );
  }
  break(label: Label, condition?: Value): void {
    this.statement(condition ? this.wasm.br(label.name, condition.take()) : this.wasm.br(label.name));
  }
  continue(label: Label, condition?: Value): void {
    this.break(label, condition);
  }
  /** Branches to labels[index], or to the last one when it is out of range. */
  switch(index: Value, labels: readonly Label[]): void {
    const names = labels.map((label) => label.name);
    const last = names.pop();
    invariant(last !== undefined, "a switch needs a label");
    this.statement(this.wasm.switch(names, last, index.take()));
  }
  return(value?: Value): void {
    this.statement(this.wasm.return(value?.take()));
  }
  unreachable(): void {
    this.statement(this.wasm.unreachable());
  }
  /** Evaluates for its effect. */
  drop(value: Value): void {
    this.statement(this.wasm.drop(value.take()));
  }

  // ---- calls ----

  call(name: string, operands: readonly Value[], result: WasmType, width?: Width): Value {
    const call = this.wasm.call(
      name,
      operands.map((operand) => operand.take()),
      result,
    );
    // Evaluated here, so that effects stay in the order in which they were written.
    return this.let(this.value(result, width ?? widthOf(result), call));
  }
  callVoid(name: string, operands: readonly Value[]): void {
    this.statement(
      this.wasm.call(
        name,
        operands.map((operand) => operand.take()),
        "none",
      ),
    );
  }
  tailCall(name: string, operands: readonly Value[]): void {
    this.statement(
      this.wasm.returnCall(
        name,
        operands.map((operand) => operand.take()),
        this.#results,
      ),
    );
  }
  callIndirect(
    table: string,
    index: Value,
    operands: readonly Value[],
    params: readonly WasmType[],
    result: WasmType,
  ): Value {
    const taken = operands.map((operand) => operand.take());
    const call = this.wasm.callIndirect(table, index.take(), taken, params, result);
    return this.let(this.value(result, widthOf(result), call));
  }
  tailCallIndirect(
    table: string,
    index: Value,
    operands: readonly Value[],
    params: readonly WasmType[],
    results: readonly WasmType[],
  ): void {
    const taken = operands.map((operand) => operand.take());
    this.statement(this.wasm.returnCallIndirect(table, index.take(), taken, params, results));
  }

  // ---- plumbing ----

  #member(group: string, name: string): unknown {
    let member: unknown = (this.wasm as unknown as Record<string, unknown>)[group];
    const direct = (member as Record<string, unknown>)[name];
    if (typeof direct === "function") return direct;
    for (const part of name.split(".")) member = (member as Record<string, unknown> | undefined)?.[part];
    invariant(typeof member === "function", `no WebAssembly operation ${group}.${name}`);
    return member;
  }
  #operation(group: string, name: string): Operation {
    return this.#member(group, name) as Operation;
  }
  /** Both operands of an integer operation are of one type. */
  #agree(left: Value, right: Value): void {
    if (left.type === right.type && (left.type === "i32" || left.type === "i64")) return;
    invariant(false, `${this.name}: an integer operation on ${left.type} and ${right.type}`);
  }
  #binary(left: Value, right: Value, name: string): Expression {
    this.#agree(left, right);
    const operation = this.#operation(left.type, name);
    const first = left.take();
    return operation(first, right.take());
  }
  #same(like: Value, expression: Expression): Value {
    return this.value(like.type, like.width, expression);
  }
  /** Restores the zero-extension of 8- and 16-bit results. */
  #wrap(like: Value, expression: Expression): Value {
    if (like.width >= 32) return this.#same(like, expression);
    return this.#same(like, this.wasm.i32.and(expression, this.wasm.i32.const(like.width === 8 ? 0xff : 0xffff)));
  }
}

function widthOf(type: WasmType): Width {
  return type === "v128" ? 128 : type === "i32" || type === "f32" ? 32 : 64;
}

class LocalVariable implements Variable {
  readonly type: WasmType;
  readonly width: Width;
  readonly #builder: FunctionBuilder;
  readonly #index: number;

  constructor(builder: FunctionBuilder, type: WasmType, width: Width, index: number) {
    this.#builder = builder;
    this.type = type;
    this.width = width;
    this.#index = index;
  }

  get(): Value {
    return new Computed(this.type, this.width, this.#builder.wasm.local.get(this.#index, this.type));
  }
  set(value: Value): void {
    this.#builder.append(this.assignment(value));
  }
  assignment(value: Value): Expression {
    invariant(value.type === this.type, "assigned to a variable of another type");
    return this.#builder.wasm.local.set(this.#index, value.take());
  }
}
