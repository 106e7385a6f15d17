import { type GprName, Vector } from "../../runtime/abi/guest-state.ts";
import type { Label } from "../emit/function.ts";
import { StateBuilder } from "../emit/state.ts";
import type { Value, Width } from "../emit/value.ts";
import { Flags } from "./flags.ts";

export { GPR_NAMES, type GprName } from "../../runtime/abi/guest-state.ts";

/** Of a scalar, or of all lanes of a vector. */
export type NumberFormat = "f32" | "f64" | "f32x4" | "f64x2";

export type FaultName =
  "DE" | "DB" | "BP" | "OF" | "BR" | "UD" | "NM" | "SS" | "GP" | "PF" | "MF" | "AC" | "XM" | "NP" | "TS";

/**
 * An operand as a definition sees it: its form and its width are known, its value is not.
 *
 * `read` computes and names its result at once. A read of memory may fault, and so may a write; nothing that the guest can see
 * may have changed before.
 */
export interface OperandHandle {
  readonly kind: "register" | "memory" | "immediate" | "relative" | "far";
  /** Registers: true of segment, control, debug and x87 registers, which are known by `number` alone. */
  readonly byNumber: boolean;
  /** bits that read gives and write takes: 8..64 as integers, 128 as a vector; 80 and other sizes only through `part` */
  readonly width: number;
  /** The value; of an XMM register its low `width` bits, of a 128-bit operand a vector. */
  read(): Value;
  /** Replaces the operand. 32 bits clear the upper half of a general register; a narrow write to XMM keeps its upper bits. */
  write(value: Value): void;
  /** Replaces a whole XMM register by `value` with zeros above. Memory is simply written. */
  writeZeroExtended(value: Value): void;
  /** Register forms of XMM operands: all 128 bits, whatever the operand's width. */
  readRegister128(): Value;
  writeRegister128(value: Value): void;
  /** Memory: the effective address (64 bits, truncated to the address size), without the segment base. */
  address(): Value;
  /** Memory: another access at the same address plus `byteOffset` (may be a run-time value). */
  part(byteOffset: number | Value, width: Width, access: "r" | "w" | "rw"): OperandHandle;
  /** Memory: faults now if any of `byteLength` bytes could not be written (or read) later. */
  probe(byteLength: number, access: "r" | "w"): void;
  /** Memory: the faults of an access that come before its translation: segment, canonical address, #AC. Only in the interpreter. */
  checkPlace(byteLength: number, access: "r" | "w"): void;
  /** Memory: #GP(0) unless the linear address is a multiple of `alignment`, a power of two. */
  requireAligned(alignment: number): void;
  /** Register number (32 bits): segment, control, debug and ST(i) operands. */
  number(): Value;
  /** Relative operands: where the branch goes, as a 64-bit RIP. */
  target(): Value;
  /** Far pointers: the selector (16 bits); `read` gives the offset. */
  selector(): Value;
}

/** A way of branching, known as data to both back ends. */
export type ConditionCode =
  "o" | "no" | "b" | "ae" | "e" | "ne" | "be" | "a" | "s" | "ns" | "p" | "np" | "l" | "ge" | "le" | "g";

/**
 * What a definition writes against. The interpreter and the translator each implement it; a definition cannot tell which one it
 * runs under.
 */
export abstract class Emitter extends StateBuilder {
  /** Code size class: 64-bit mode, or one of the modes with segmentation. Address, stack and branch behaviour follow from it. */
  abstract readonly mode: "long" | "legacy";
  /** operand size of the instruction in bits */
  abstract readonly operandWidth: 16 | 32 | 64;
  /** address size of the instruction in bits; known in both back ends for string and stack instructions */
  abstract readonly addressWidth: 16 | 32 | 64;
  /** repeat prefix; known in both back ends */
  abstract readonly repeat: "none" | "rep" | "repne";
  readonly flags: Flags = new Flags(this);

  // ---- registers ----

  /** A general register by name or number, at a width; 8 bits are the low byte. */
  abstract gpr(register: GprName | number, width: Width): OperandHandle;
  /** An XMM register by number. */
  abstract xmm(register: number, width: Width): OperandHandle;

  /** Raw lazy flags; only `Flags` uses these. */
  abstract readFlagResult(): Value;
  abstract readFlagBits(): Value;
  abstract writeFlags(result: Value, bits: Value): void;
  /** True while the flags that the current instruction writes are never read: setters may do nothing. */
  abstract readonly flagsAreDead: boolean;

  // ---- memory ----

  /**
   * Memory at an effective address that the instruction implies.
   *
   * @param segment segment register number, or a run-time number, or "default" for the instruction's own segment (DS or override)
   * @param address effective address, 64 bits, already truncated to the address size
   */
  abstract memory(segment: number | "default", address: Value, width: Width, access: "r" | "w" | "rw"): OperandHandle;
  /**
   * Linear address of an effective address in a segment (see `memory`), checked for an access of `byteLength` bytes: for helpers
   * that make accesses by themselves.
   */
  abstract segmentLinear(segment: number | "default", effective: Value, byteLength: Value, write: boolean): Value;
  /** Pushes a value of 16, 32 or 64 bits. May fault; RSP changes only afterwards. */
  abstract push(value: Value): void;
  /** Reads the top of the stack without moving RSP. `release` moves it. */
  abstract stackTop(width: Width): Value;
  /** Adds to the stack pointer, at the width of the stack. */
  abstract release(byteLength: number | Value): void;

  // ---- control ----

  /** RIP of this instruction, of the next one: 64 bits. */
  abstract currentRip(): Value;
  abstract nextRip(): Value;
  /** Ends the instruction with a direct branch. */
  abstract jump(target: OperandHandle): void;
  /** Ends the instruction: branch if `condition`, else go on. */
  abstract branch(condition: Value, target: OperandHandle): void;
  /**
   * #GP(0) if RIP may not become `rip`: not canonical, or beyond the limit of CS. An indirect branch calls it before it changes
   * anything; `rip` is 64 bits, already truncated to the operand size.
   */
  abstract checkTarget(rip: Value): void;
  /** Ends the instruction with RIP = `rip`, which has been checked. */
  abstract goto(rip: Value): void;
  /** Ends the instruction early: the next one follows (inside an `if`, for instance). */
  abstract next(): void;
  /** Runs this instruction again (REP), after looking whether the budget is spent. */
  abstract again(): void;
  /** Ends the instruction and the block: something that decoded code depends on has changed. */
  abstract endBlock(): void;
  /** Halts: leaves generated code with Exit.HALT and RIP past the instruction. */
  abstract halt(): void;
  /** Leaves with a fault of this instruction. The guest state must be as it was before the instruction. */
  abstract fault(name: FaultName, errorCode?: number | Value): void;
  /**
   * Calls TypeScript with up to four 64-bit arguments; gives the 64-bit result. RIP in the state is this instruction's during the
   * call. If the call-out faults, or changes RIP or the mode, the instruction ends there and nothing after the call runs.
   */
  abstract callOut(name: string, ...operands: Value[]): Value;

  /** Calls a helper that lives in core.wasm; see jit/helpers. The vCPU base is passed first. */
  helper(name: string, operands: readonly Value[], width: Width): Value {
    return this.call(name, [this.cpu, ...operands], width === 128 ? "v128" : width === 64 ? "i64" : "i32", width);
  }
  helperVoid(name: string, operands: readonly Value[]): void {
    this.callVoid(name, [this.cpu, ...operands]);
  }

  // ---- what is known of floating-point values ----

  /**
   * Whether `value`, the bits of a number or a vector of numbers, is known to hold no denormal.
   */
  knowsNormal(_value: Value, _format: NumberFormat): boolean {
    return false;
  }
  /** Whether it is known to hold no NaN. */
  knowsOrdered(_value: Value, _format: NumberFormat): boolean {
    return false;
  }
  /** Notes that `value` holds no denormal wherever control goes on behind this instruction. */
  noteNormal(_value: Value, _format: NumberFormat): void {}
  /** Notes that it holds no NaN. */
  noteOrdered(_value: Value, _format: NumberFormat): void {}
  /** Notes that it is as operations on ordinary numbers make it: neither denormal nor NaN. */
  noteResult(value: Value, format: NumberFormat): void {
    this.noteNormal(value, format);
    this.noteOrdered(value, format);
  }
  /**
   * Whether the result of an operation needs no look, because of what is known of how large its operands are: it is ordinary, or a zero
   * that is exact. If so, that is noted.
   */
  isBounded(
    _operation: "add" | "sub" | "mul",
    _format: NumberFormat,
    _left: Value,
    _right: Value,
    _result: Value,
  ): boolean {
    return false;
  }
  /** Notes that each lane of a vector is all ones or all zeros. */
  noteMask(_value: Value, _format: "f32x4" | "f64x2"): void {}
  /** Whether lanes of a vector are likely to be zeros: a mask has been applied to numbers. */
  isSparse(_value: Value): boolean {
    return false;
  }
  noteSparse(_value: Value): void {}
  /**
   * Takes over a check, to make it together with others before anything changes but registers: whether `values` are ordinary numbers,
   * which are neither zero, infinite nor NaN, and larger than the smallest exponent allows. False if it is to be made at once.
   *
   * @param exactly rejects the numbers unless they may pass all the same; called later
   */
  deferCheck(_format: NumberFormat, _values: readonly Value[], _exactly: (reject: Label) => void): boolean {
    return false;
  }
  /**
   * The same for numbers that may be looked at in any way: whether the sign bit is set in none of the four 32-bit lanes of `marks`, which
   * is named. There is nothing more to be looked at when one is.
   */
  deferMarks(_marks: Value): boolean {
    return false;
  }
  /** Whether what is emitted now can be reached at all. */
  get isLive(): boolean {
    return true;
  }
  /** The upper half of 64 bits. */
  highWord(value: Value): Value {
    return this.truncate(this.shrU(value, this.constant(64, 32)), 32);
  }

  // ---- common checks ----

  /** #GP(0) unless CPL is 0. */
  requirePrivilege(): void {
    this.if(this.get("cpl"), () => this.fault("GP", 0));
  }
}

/** The vector of a fault, and whether it pushes an error code. */
export function faultVector(name: FaultName): number {
  return Vector[name];
}
