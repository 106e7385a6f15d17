import { invariant } from "../../runtime/abi/invariant.ts";
import type { Value, Width } from "../emit/value.ts";
import type { OperandHandle } from "./emitter.ts";

/** A definition used an operand as something that it is not. */
export function misuse(what: string): never {
  invariant(false, `this operand has no ${what}`);
}

/** What all operands lack until they say otherwise. */
export abstract class OperandBase implements OperandHandle {
  abstract readonly kind: OperandHandle["kind"];
  readonly byNumber: boolean = false;
  readonly width: number;

  constructor(width: number) {
    this.width = width;
  }
  read(): Value {
    return misuse("value");
  }
  write(_value: Value): void {
    misuse("place to write to");
  }
  writeZeroExtended(_value: Value): void {
    misuse("place to write to");
  }
  readRegister128(): Value {
    return misuse("128-bit register");
  }
  writeRegister128(_value: Value): void {
    misuse("128-bit register");
  }
  address(): Value {
    return misuse("address");
  }
  part(_byteOffset: number | Value, _width: Width, _access: "r" | "w" | "rw"): OperandHandle {
    return misuse("address");
  }
  probe(_byteLength: number, _access: "r" | "w"): void {
    misuse("address");
  }
  checkPlace(_byteLength: number, _access: "r" | "w"): void {
    misuse("address");
  }
  requireAligned(_alignment: number): void {
    misuse("address");
  }
  number(): Value {
    return misuse("register number");
  }
  target(): Value {
    return misuse("branch target");
  }
  selector(): Value {
    return misuse("selector");
  }
}

/** Widths that a register or memory can be read and written at. */
export function accessWidth(width: number): Width {
  invariant(width === 8 || width === 16 || width === 32 || width === 64 || width === 128, `no access of ${width} bits`);
  return width;
}
