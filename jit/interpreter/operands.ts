import { invariant } from "../../runtime/abi/invariant.ts";
import { guestState } from "../../runtime/abi/guest-state.ts";
import type { Value, Width } from "../emit/value.ts";
import type { Access } from "../semantics/define.ts";
import type { OperandHandle } from "../semantics/emitter.ts";
import { accessWidth, misuse, OperandBase } from "../semantics/operand-base.ts";
import type { InterpreterEmitter } from "./emitter.ts";

/** A register whose place in the vCPU state is a run-time offset; `number` operands are bare numbers. */
export class Register extends OperandBase {
  override readonly kind = "register";
  readonly #e: InterpreterEmitter;
  override readonly byNumber: boolean;
  readonly #class: "gpr" | "xmm" | "mmx" | "number";
  readonly #slot: () => Value;

  constructor(e: InterpreterEmitter, kind: "gpr" | "xmm" | "mmx" | "number", width: number, slot: () => Value) {
    super(width);
    this.byNumber = kind === "number";
    this.#e = e;
    this.#class = kind;
    this.#slot = slot;
  }

  #pointer(): Value {
    return this.#e.add(this.#e.cpu, this.#slot());
  }

  override read(): Value {
    invariant(this.#class !== "number", "this register is known by its number only");
    return this.#e.let(this.#e.loadOffset(accessWidth(this.width), this.#pointer()));
  }

  override write(value: Value): void {
    const e = this.#e;
    const what = e.let(value);
    if (this.#class === "gpr" && what.width === 32) e.storeOffset(this.#pointer(), e.extend(what, 64));
    else e.storeOffset(this.#pointer(), what);
    // A write to MMi sets the sign and exponent of the x87 register to ones. SDM Vol. 1, 9.2.2.
    if (this.#class === "mmx") e.storeOffset(this.#pointer(), e.constant(16, 0xffff), 8);
  }

  override writeZeroExtended(value: Value): void {
    const e = this.#e;
    const what = e.let(value);
    if (this.#class !== "xmm") {
      this.write(this.#class === "mmx" ? e.extend(what, 64) : what);
      return;
    }
    if (what.width === 128) {
      e.storeOffset(this.#pointer(), what);
      return;
    }
    const pointer = e.let(this.#pointer());
    e.storeOffset(
      pointer,
      e.extend(
        what.type === "f32" || what.type === "f64" ? e.reinterpret(what, what.type === "f32" ? "i32" : "i64") : what,
        64,
      ),
    );
    e.storeOffset(pointer, e.constant(64, 0n), 8);
  }

  override readRegister128(): Value {
    return this.#e.let(this.#e.loadOffset(128, this.#pointer()));
  }

  override writeRegister128(value: Value): void {
    this.#e.storeOffset(this.#pointer(), value);
  }

  override number(): Value {
    const e = this.#e;
    if (this.#class === "number") return this.#slot();
    const { offset, size } =
      this.#class === "gpr" ? guestState.gpr : this.#class === "xmm" ? guestState.xmm : guestState.fpr;
    return e.let(e.divU(e.sub(this.#slot(), e.constant(32, offset)), e.constant(32, size)));
  }
}

interface AddressOf {
  readonly effective: () => Value;
  /** truncates an effective address to the address size; absent where that is 64 bits */
  readonly truncate?: (effective: Value) => Value;
  /** linear address without any check of limits */
  readonly unchecked: (effective: Value) => Value;
  readonly linear: (effective: Value, byteLength: Value, write: boolean) => Value;
  readonly aligned: boolean;
}

/** Memory. The address is computed once; a read-modify-write is probed for writing when it is read. */
export class Memory extends OperandBase {
  override readonly kind = "memory";
  readonly #e: InterpreterEmitter;
  readonly #access: Access;
  readonly #of: AddressOf;
  #effective: Value | undefined;
  #modified: Value | undefined;

  constructor(e: InterpreterEmitter, width: number, access: Access, of: AddressOf) {
    super(width);
    this.#e = e;
    this.#access = access;
    this.#of = of;
  }

  override address(): Value {
    this.#effective ??= this.#of.effective();
    return this.#effective;
  }

  #linear(byteLength: number, write: boolean): Value {
    const e = this.#e;
    // Alignment comes before the segment limit on the processors that we compared with.
    if (this.#of.aligned) this.requireAligned(16);
    return this.#of.linear(this.address(), e.constant(32, byteLength), write);
  }

  override read(): Value {
    const e = this.#e;
    const width = accessWidth(this.width);
    if (this.#access !== "rw")
      return e.let(e.loadOffset(width, e.readAccess(this.#linear(width / 8, false), width / 8)));
    this.#modified ??= e.modifyAccess(this.#linear(width / 8, true), width / 8);
    return e.let(e.loadOffset(width, this.#modified));
  }

  override write(value: Value): void {
    const e = this.#e;
    const what = e.let(value);
    if (this.#modified) {
      e.storeOffset(this.#modified, what);
      e.commitModify(this.#modified);
    } else {
      e.writeAccess(this.#linear(what.width / 8, true), what);
    }
  }

  override writeZeroExtended(value: Value): void {
    this.write(value);
  }

  override part(byteOffset: number | Value, width: Width, access: "r" | "w" | "rw"): OperandHandle {
    const e = this.#e;
    const start = this.address();
    const distance = typeof byteOffset === "number" ? e.constant(64, byteOffset) : byteOffset;
    const wide = distance.width === 64 ? distance : e.extend(distance, 64);
    const sum = (): Value => e.add(start, wide);
    const truncate = typeof byteOffset === "number" ? undefined : this.#of.truncate;
    const effective = byteOffset === 0 ? start : e.let(truncate ? truncate(sum()) : sum());
    return new Memory(e, width, access, { ...this.#of, effective: () => effective, aligned: false });
  }

  override requireAligned(alignment: number): void {
    this.#e.requireAligned(this.#of.unchecked(this.address()), alignment);
  }

  override checkPlace(byteLength: number, access: "r" | "w"): void {
    const gva = this.#of.linear(this.address(), this.#e.constant(32, byteLength), access === "w");
    this.#e.checkPlace(gva, byteLength);
  }

  override probe(byteLength: number, access: "r" | "w"): void {
    const e = this.#e;
    const gva = this.#of.linear(this.address(), e.constant(32, byteLength), access === "w");
    e.probeAccess(gva, byteLength, access);
  }
}

/** A constant of the instruction, held by the record in its final extension. */
export class Immediate extends OperandBase {
  override readonly kind = "immediate";
  readonly #e: InterpreterEmitter;
  readonly #at: number;

  constructor(e: InterpreterEmitter, width: number, at: number) {
    super(width);
    this.#e = e;
    this.#at = at;
  }

  override read(): Value {
    return this.#e.let(this.#e.loadOffset(accessWidth(this.width), this.#e.record, this.#at));
  }
}

/** Branch targets and far pointers. */
export class NoOperand extends OperandBase {
  override readonly kind: "relative" | "far";
  readonly #target: (() => Value) | undefined;
  readonly #far: { readonly read: () => Value; readonly selector: () => Value } | undefined;

  constructor(
    kind: "relative" | "far",
    width: number,
    target?: () => Value,
    far?: { readonly read: () => Value; readonly selector: () => Value },
  ) {
    super(width);
    this.kind = kind;
    this.#target = target;
    this.#far = far;
  }
  override target(): Value {
    return this.#target?.() ?? misuse("branch target");
  }
  override read(): Value {
    return this.#far?.read() ?? misuse("value");
  }
  override selector(): Value {
    return this.#far?.selector() ?? misuse("selector");
  }
}
