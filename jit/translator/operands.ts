import { invariant } from "../../runtime/abi/invariant.ts";
import type { Value, Width } from "../emit/value.ts";
import type { Access } from "../semantics/define.ts";
import { accessWidth, OperandBase } from "../semantics/operand-base.ts";
import type { OperandHandle } from "../semantics/emitter.ts";
import type { Site, TranslatorEmitter } from "./emitter.ts";

const PAGE = 4096;

/** A general register, or AH, CH, DH, BH. */
export class GeneralRegister extends OperandBase {
  override readonly kind = "register";
  readonly #e: TranslatorEmitter;
  readonly #number: number;
  readonly #high: boolean;

  constructor(e: TranslatorEmitter, number: number, width: number, high: boolean) {
    super(width);
    this.#e = e;
    this.#number = number;
    this.#high = high;
  }
  override read(): Value {
    return this.#e.readGeneral(this.#number, accessWidth(this.width), this.#high);
  }
  override write(value: Value): void {
    this.#e.writeGeneral(this.#number, value, this.#high);
  }
  override writeZeroExtended(value: Value): void {
    this.write(value);
  }
  override number(): Value {
    return this.#e.constant(32, this.#number);
  }
}

export class VectorRegister extends OperandBase {
  override readonly kind = "register";
  readonly #e: TranslatorEmitter;
  readonly #number: number;

  constructor(e: TranslatorEmitter, number: number, width: number) {
    super(width);
    this.#e = e;
    this.#number = number;
  }
  override read(): Value {
    return this.#e.readVectorPart(this.#number, accessWidth(this.width));
  }
  override write(value: Value): void {
    this.#e.writeVectorPart(this.#number, value);
  }
  override writeZeroExtended(value: Value): void {
    this.#e.writeVectorZeroExtended(this.#number, value);
  }
  override readRegister128(): Value {
    return this.#e.readVectorPart(this.#number, 128);
  }
  override writeRegister128(value: Value): void {
    this.#e.writeVectorPart(this.#number, value);
  }
  override number(): Value {
    return this.#e.constant(32, this.#number);
  }
}

/** Memory at a linear address in a flat segment, or relative to the base of FS or GS. */
export class Memory extends OperandBase {
  override readonly kind = "memory";
  readonly #e: TranslatorEmitter;
  readonly #access: Access;
  readonly #effective: Value | undefined;
  readonly #segment: number;
  readonly #aligned: boolean;
  readonly #site: Site | undefined;
  readonly #place: number | undefined;
  #modified: Value | undefined;

  /**
   * @param effective named or constant
   * @param site where the operand is, if that has been checked already; then there is no address
   * @param place relative to the region's page, if that is known: of operands relative to RIP
   */
  constructor(
    e: TranslatorEmitter,
    width: number,
    access: Access,
    effective: Value | undefined,
    segment: number,
    aligned: boolean,
    site?: Site,
    place?: number,
  ) {
    super(width);
    this.#site = site;
    this.#place = place;
    this.#e = e;
    this.#access = access;
    this.#effective = effective;
    this.#segment = segment;
    this.#aligned = aligned;
  }

  override address(): Value {
    invariant(this.#effective !== undefined, "an operand at a known place has no address");
    return this.#effective;
  }

  #linear(): Value {
    const gva = this.#e.linear(this.#segment, this.address());
    if (this.#aligned) this.#e.requireAligned(gva, 16);
    return gva;
  }

  /** Offset at which `byteLength` bytes from the operand on can be accessed. */
  place(byteLength: number, access: "r" | "w"): Value {
    const site = this.#site;
    return site ? this.#e.placeOf(site) : this.#e.access(this.#linear(), byteLength, access);
  }

  override read(): Value {
    const width = accessWidth(this.width);
    const isModified = this.#access === "rw";
    if (isModified && this.#modified) return this.#e.loadNow(width, this.#modified);
    const offset = isModified ? this.place(width / 8, "w") : this.#readable(width / 8);
    if (!isModified) return this.#e.loadOperand(width, offset);
    this.#modified = this.#e.let(offset);
    return this.#e.loadNow(width, this.#modified);
  }

  #readable(byteLength: number): Value {
    const place = this.#place;
    if (place === undefined || this.#site) return this.place(byteLength, "r");
    const inPage = place & (PAGE - 1);
    const isPlain = inPage + byteLength <= PAGE && !(this.#aligned && (inPage & 15) !== 0);
    return isPlain ? this.#e.readablePlace(place, byteLength) : this.place(byteLength, "r");
  }

  override write(value: Value): void {
    const e = this.#e;
    const what = e.let(value);
    e.storeOperand(this.#modified ?? this.place(what.width / 8, "w"), what);
  }
  override writeZeroExtended(value: Value): void {
    this.write(value);
  }

  override part(byteOffset: number | Value, width: Width, access: "r" | "w" | "rw"): OperandHandle {
    const e = this.#e;
    const distance = typeof byteOffset === "number" ? e.constant(64, byteOffset) : e.extend(byteOffset, 64);
    return new Memory(e, width, access, e.let(e.add(this.address(), distance)), this.#segment, false);
  }

  /** A place that the TLB knows is canonical; with any other the interpreter decides. */
  override checkPlace(byteLength: number, access: "r" | "w"): void {
    this.#e.let(this.place(byteLength, access));
  }

  override requireAligned(alignment: number): void {
    this.#e.requireAligned(this.#linear(), alignment);
  }

  override probe(byteLength: number, access: "r" | "w"): void {
    this.#e.let(this.place(byteLength, access));
  }
}

export class Immediate extends OperandBase {
  override readonly kind = "immediate";
  readonly #value: Value;

  constructor(value: Value) {
    super(value.width);
    this.#value = value;
  }
  override read(): Value {
    return this.#value;
  }
}

/** The target of a direct branch, which the region's graph knows. */
export class Relative extends OperandBase {
  override readonly kind = "relative";
  readonly #target: () => Value;

  constructor(target: () => Value) {
    super(64);
    this.#target = target;
  }
  override target(): Value {
    return this.#target();
  }
}
