import { guestState, Segment, UnitTrap } from "../../runtime/abi/guest-state.ts";
import { invariant } from "../../runtime/abi/invariant.ts";
import { Tlb } from "../../runtime/abi/memory-map.ts";
import type { FloatType, Label, VectorShape } from "../emit/function.ts";
import type { Expression, Wasm } from "../emit/wasm.ts";
import type { StateField } from "../emit/state.ts";
import type { Value, Variable, Width } from "../emit/value.ts";
import { TLB_INDEX_MASK, TLB_INDEX_SHIFT } from "../helpers/tlb.ts";
import { HANDLER_PARAMS, HANDLER_RESULTS } from "../interpreter/emitter.ts";
import { RIP, type MemoryOperand, type Operand } from "../isa/instruction.ts";
import { type Access, type Definition, namedOperands } from "../semantics/define.ts";
import {
  type FaultName,
  GPR_NAMES,
  type GprName,
  type NumberFormat,
  type OperandHandle,
} from "../semantics/emitter.ts";
import { breakUnless } from "./fact-checks.ts";
import { TranslatorFlags, type FlagState } from "./flags.ts";
import { GeneralRegisters } from "./general-registers.ts";
import { type Bounded, breakUnlessModerate, Magnitudes } from "./magnitudes.ts";
import { GeneralRegister, Immediate, Memory, Relative, VectorRegister } from "./operands.ts";
import { PathEmitter } from "./paths.ts";
import { pageOf, type RegionInstruction, Untranslatable } from "./region.ts";
import { constantOf, Displaced, FloatBits, LaneBits, LoadedBits } from "./values.ts";
import { clearedRegister } from "./scalars.ts";
import { isTentative, Trial } from "./trial.ts";
import { type Fact, MASK, ORDERED, SPARSE, VectorFacts, widthOf } from "./vector-facts.ts";
import { VectorRegisters } from "./vector-registers.ts";
import { emitX87 } from "./x87-instructions.ts";
import { X87State } from "./x87-state.ts";

const PAGE = 4096;

/** RC, the masks and PE of MXCSR as the common case of floating point has them; a region with SSE arithmetic is entered with no other. */
export const COMMON_MXCSR = { MASK: 0x7fa0, VALUE: 0x1fa0 } as const;
/** Definitions that need MXCSR itself, not the common case. */
const USES_MXCSR = /^(ldmxcsr|stmxcsr|fxsave|fxrstor|xsave|xsaveopt|xsavec|xrstor)$/;

/** Where an operand in memory is: what it is addressed by has been checked for all rounds of the loop around it. */
export interface Site {
  readonly pointer: Variable;
  /** bytes, not negative */
  readonly displacement: number;
}

/** How an instruction says that control goes on. */
export type Ending =
  | { readonly kind: "jump" }
  | { readonly kind: "branch"; readonly condition: Value }
  | { readonly kind: "indirect"; readonly rip: Value };

/** Takes note of the places where the region is left; the region's builder implements it. */
export interface ExitSink {
  /** A jump that leaves the region before the current instruction, with the given flags. */
  leaveBefore(state: FlagState): Expression;
}

/**
 * The translator's binding: registers are locals, memory is reached through an inline probe of the TLB, and whatever is not the
 * common case leaves the region before the instruction, which the interpreter then runs.
 */
export class TranslatorEmitter extends PathEmitter {
  override readonly mode = "long";
  override readonly repeat = "none";
  override readonly flags: TranslatorFlags = new TranslatorFlags(this);
  readonly general: GeneralRegisters = new GeneralRegisters(this);
  readonly vectors: VectorRegisters;
  readonly facts: VectorFacts = new VectorFacts();
  readonly magnitudes: Magnitudes = new Magnitudes();
  readonly x87: X87State = new X87State(this);
  /** operands in memory whose places are known in the loop that is being emitted */
  sites: ReadonlyMap<MemoryOperand, Site> | undefined;
  /** pages, by their distance from the region's, that have been read on every way to here */
  readable = new Set<number>();
  /** general registers that the instruction being emitted has written: a bit for each */
  written = 0;
  /** bits of UnitTrap that must be clear, and whether MXCSR must be common, for the region to be entered */
  unitTraps = 0;
  needsCommonMxcsr = false;

  readonly budget: Variable;
  /** RIP of the page; where the region is left, of what the exit counts from */
  readonly ripPage: Variable;
  readonly #tlb: Variable;
  readonly #flagResult: Variable;
  readonly #flagBits: Variable;
  usesTlb = false;
  usesFlags = false;
  /** some exit has flags of its own */
  #setsFlags = false;

  readonly #exits: ExitSink;
  #current: RegionInstruction | undefined;
  #flagsAreDead = false;
  #ending: Ending | undefined;
  #before: FlagState = TranslatorFlags.initial;

  /** @param formats of XMM registers that are mostly scalars */
  constructor(wasm: Wasm, name: string, formats: readonly (FloatType | undefined)[], exits: ExitSink) {
    super(wasm, name, HANDLER_PARAMS, HANDLER_RESULTS);
    this.#exits = exits;
    this.vectors = new VectorRegisters(this, formats);
    this.budget = this.declare("i32", 32);
    this.ripPage = this.declare("i64", 64);
    this.#tlb = this.declare("i32", 32);
    this.#flagResult = this.declare("i64", 64);
    this.#flagBits = this.declare("i32", 32);
  }

  // ---- one instruction ----

  override get operandWidth(): 16 | 32 | 64 {
    return this.#instruction.instruction.operandSize;
  }
  override get addressWidth(): 16 | 32 | 64 {
    return this.#instruction.instruction.addressSize;
  }
  override get flagsAreDead(): boolean {
    return this.#flagsAreDead && !this.flags.capturing;
  }
  /** Whether ADC or SBB is being emitted: their sum has three parts. */
  get usesCarry(): boolean {
    const { mnemonic } = this.#instruction.instruction;
    return mnemonic === "adc" || mnemonic === "sbb";
  }
  /** Whether what is emitted now always runs before the rest of the block. */
  get isUnconditional(): boolean {
    return this.depth <= 1;
  }

  get #instruction(): RegionInstruction {
    invariant(this.#current !== undefined, "no instruction is being emitted");
    return this.#current;
  }

  /** Emits an instruction. Gives how it ends its block, if it does; "left" if it always leaves the region. */
  emitInstruction(current: RegionInstruction, flagsAreDead: boolean): Ending | "left" | undefined {
    const { definition } = current;
    if (!isTentative(current)) this.settle();
    this.#current = current;
    this.#start = this.position;
    this.#flagsAreDead = flagsAreDead;
    this.#ending = undefined;
    this.written = 0;
    this.#before = this.flags.state;
    if (definition.unit === "sse") this.unitTraps |= UnitTrap.SSE;
    this.instructionPaths(() => {
      const cleared = clearedRegister(current);
      if (cleared !== undefined) this.#clearVector(cleared);
      else if (definition.unit === "x87" || definition.unit === "x87-nowait") this.#emitX87(current);
      else definition.emit(this, this.#handles(current));
    });
    this.#current = undefined;
    if (!this.isReachable) {
      this.#endTrial(() => undefined);
      return "left";
    }
    if (this.#trial?.isFull) this.settle();
    return this.#ending;
  }

  /** Emits a definition on operands of one's own, inside `aside`. `current` is the instruction that it is there for. */
  emitDefinition(current: RegionInstruction, definition: Definition, operands: Record<string, OperandHandle>): void {
    this.#current = current;
    this.#start = this.position;
    this.instructionPaths(() => definition.emit(this, operands));
    this.#current = undefined;
    if (this.#trial?.isFull) this.settle();
  }

  /** Emits something that is not to leave the region: what is not the common case goes to `otherwise`. */
  aside(otherwise: Label, body: () => void): void {
    this.#otherwise = otherwise;
    body();
    this.#otherwise = undefined;
  }
  #otherwise: Label | undefined;

  #leaveBefore(): Expression {
    return this.#otherwise ? this.wasm.br(this.#otherwise.name) : this.#exits.leaveBefore(this.#before);
  }

  // ---- instructions on trial ----

  #trial: Trial | undefined;
  /** where the statements of the current instruction begin */
  #start = 0;

  override get isLive(): boolean {
    return this.isReachable;
  }

  override deferCheck(format: NumberFormat, values: readonly Value[], exactly: (reject: Label) => void): boolean {
    if (!this.isReachable) return false;
    this.#trial ??= new Trial(this.#start, this.#leaveBefore(), this.newLabel());
    this.#trial.add(format, values, exactly);
    return true;
  }

  override deferMarks(marks: Value): boolean {
    if (!this.isReachable) return false;
    this.#trial ??= new Trial(this.#start, this.#leaveBefore(), this.newLabel());
    this.#trial.addMarks(marks);
    return true;
  }

  /** Puts off the check that a number, or all of a vector, is moderate or zero, if that is not known. It is named. */
  requireModerate(format: NumberFormat, value: Value): void {
    if (this.magnitudes.isModerate(value, format)) return;
    this.magnitudes.noteModerate(value, format);
    this.noteResult(value, format);
    this.#trial ??= new Trial(this.position, this.#leaveBefore(), this.newLabel());
    this.#trial.add(format, [value], (reject) => breakUnlessModerate(this, reject, format, value), "moderate");
  }

  override isBounded(operation: Bounded, format: NumberFormat, left: Value, right: Value, result: Value): boolean {
    if (!this.magnitudes.deduce(operation, format, left, right, result)) return false;
    this.noteResult(result, format);
    return true;
  }

  /** Emits the checks that have been put off; from here on nothing is taken back. */
  settle(): void {
    this.#endTrial((trial) => this.instructionPaths(() => trial.emitChecks(this)));
  }

  /** Emits a look at what is to be known of registers: where any of it does not hold, `otherwise`, which leaves. */
  requireFacts(facts: readonly (readonly [register: number, fact: Fact])[], otherwise: () => void): void {
    if (facts.length === 0) return;
    const [doubt, success] = [this.newLabel(), this.newLabel()];
    const start = this.position;
    // Names may be those of another way.
    this.forgetNames();
    this.instructionPaths(() => {
      for (const [register, fact] of facts) {
        const value = this.readVectorPart(register, widthOf(fact));
        breakUnless(this, fact, value, doubt);
      }
    });
    this.plainBreak(success);
    this.wrapSince(start, doubt.name);
    otherwise();
    this.wrapSince(start, success.name);
  }

  #endTrial(emitChecks: (trial: Trial) => void): void {
    const trial = this.#trial;
    if (!trial) return;
    emitChecks(trial);
    this.#trial = undefined;
    const success = this.newLabel();
    this.plainBreak(success);
    this.wrapSince(trial.start, trial.rollback.name);
    const saved: Expression[] = [];
    for (const variable of trial.written) {
      const old = this.declare(variable.type, variable.width);
      saved.push(old.assignment(variable.get()));
      variable.set(old.get());
    }
    this.append(trial.exit);
    this.wrapSince(trial.start, success.name);
    if (saved.length > 0) this.insertAt(trial.start, this.sequence(saved));
  }

  /** The local of a register is about to be written. */
  willWrite(variable: Variable): Variable {
    this.#trial?.written.add(variable);
    return variable;
  }

  #handles({ definition, instruction: { operands } }: RegionInstruction): Record<string, OperandHandle> {
    const handles: Record<string, OperandHandle> = {};
    const named = namedOperands(definition);
    for (let index = 0; index < named.length; index++) {
      const operand = operands[index];
      const one = named[index];
      if (operand && one) handles[one.name] = this.#operand(operand, one.access);
    }
    return handles;
  }

  #emitX87({ instruction, definition, offset }: RegionInstruction): void {
    this.unitTraps |= UnitTrap.X87;
    const accesses = Object.values(definition.operands ?? {});
    const operands = instruction.operands.map((operand, index) =>
      operand.kind === "register" && operand.class === "x87"
        ? undefined
        : this.#operand(operand, accesses[index] ?? "r"),
    );
    emitX87(this, instruction, offset, {
      memory: operands.find((operand) => operand instanceof Memory),
      general: operands.find((operand) => operand instanceof GeneralRegister),
    });
  }

  #operand(operand: Operand, access: Access): OperandHandle {
    switch (operand.kind) {
      case "register":
        if (operand.class === "gpr")
          return new GeneralRegister(this, operand.number, operand.width, operand.high === true);
        if (operand.class === "xmm") return new VectorRegister(this, operand.number, operand.width);
        throw new Untranslatable(`a register of class ${operand.class}`);
      case "memory": {
        const aligned = operand.width === 128 && this.#instruction.definition.unaligned !== true;
        const site = this.sites?.get(operand);
        const effective = site ? undefined : this.#effective(operand);
        const place = this.#placeRelativeToPage(operand);
        return new Memory(this, operand.width, access, effective, operand.segment, aligned && !site, site, place);
      }
      case "immediate": {
        return new Immediate(this.constantWords(operand.width as 8 | 16 | 32 | 64, operand.low, operand.high));
      }
      case "relative":
        return new Relative(() => this.#pageRelative(this.#instruction.end + operand.displacement));
      case "far":
        throw new Untranslatable("a far pointer");
    }
  }

  /** Where an operand relative to RIP is, relative to the region's page. */
  #placeRelativeToPage({ base, segment, displacement }: MemoryOperand): number | undefined {
    const { instruction, end } = this.#instruction;
    const isFlat = segment !== Segment.FS && segment !== Segment.GS && instruction.addressSize === 64;
    return base === RIP && isFlat ? end + displacement : undefined;
  }

  #effective(operand: MemoryOperand): Value {
    const { base, index, scale, displacement, displacementHigh } = operand;
    const { instruction, end } = this.#instruction;
    const absolute = instruction.encoding.operands.some((code) => code === "Ob" || code === "Ov");
    let address: Value;
    if (base === RIP) {
      address = this.#pageRelative(end + displacement);
    } else {
      // POP into memory based on rSP computes its address after rSP has moved. SDM Vol. 2B, "POP".
      const moved = instruction.mnemonic === "pop" && base === 4 ? instruction.operandSize / 8 : 0;
      address = absolute
        ? this.constantWords(64, displacement, displacementHigh)
        : this.constant(64, displacement + moved);
      if (index >= 0) {
        const scaled = this.shl(this.general.whole(index), this.constant(64, Math.log2(scale)));
        address = base >= 0 ? this.add(this.add(this.general.whole(base), scaled), address) : this.add(scaled, address);
      } else if (base >= 0) {
        // By itself it is what `readGeneral` names.
        address =
          constantOf(address) === 0n ? this.readGeneral(base, 64, false) : this.add(this.general.whole(base), address);
      }
    }
    if (instruction.addressSize === 32) address = this.and(address, this.constant(64, 0xffff_ffffn));
    return this.let(address);
  }

  #pageRelative(offset: number): Value {
    return this.let(this.add(this.ripPage.get(), this.constant(64, offset)));
  }

  // ---- registers ----

  readGeneral(number: number, width: Width, high: boolean): Value {
    return this.general.read(number, width, high);
  }
  writeGeneral(number: number, value: Value, high: boolean): void {
    this.changes();
    this.written |= 1 << number;
    this.general.write(number, value, high);
  }

  /** Nothing is known of what registers hold: control comes from several places. */
  forgetNames(): void {
    this.general.forgetNames();
    this.vectors.forgetNames();
  }

  readVectorPart(number: number, width: Width): Value {
    return this.vectors.read(number, width);
  }
  writeVectorPart(number: number, value: Value): void {
    this.changes();
    this.vectors.write(number, value);
  }
  writeVectorZeroExtended(number: number, value: Value): void {
    this.changes();
    this.vectors.writeZeroExtended(number, value);
  }

  #clearVector(number: number): void {
    this.changes();
    this.vectors.clear(number);
  }

  override knowsNormal(value: Value, format: NumberFormat): boolean {
    return this.facts.knows(value, format);
  }
  override noteNormal(value: Value, format: NumberFormat): void {
    this.facts.note(value, format);
  }
  override knowsOrdered(value: Value, format: NumberFormat): boolean {
    return this.facts.knows(value, ORDERED[format]);
  }
  override noteOrdered(value: Value, format: NumberFormat): void {
    this.facts.note(value, ORDERED[format]);
  }
  override noteMask(value: Value, format: "f32x4" | "f64x2"): void {
    this.facts.note(value, MASK[format]);
  }
  override isSparse(value: Value): boolean {
    return this.facts.knows(value, SPARSE);
  }
  override noteSparse(value: Value): void {
    this.facts.note(value, SPARSE);
  }

  override vector<S extends VectorShape>(
    shape: S,
    operation: Extract<keyof Wasm[S], string>,
    ...operands: Value[]
  ): Value {
    const result = super.vector(shape, operation, ...operands);
    const [left, right] = operands;
    const isMasking = shape === "v128" && (operation === "and" || operation === "andnot");
    if (isMasking && left && right) this.facts.noteMasked(result, left, right, operation === "and");
    return result;
  }

  /** The upper half of a number in memory is loaded by itself. */
  override highWord(value: Value): Value {
    if (value instanceof LoadedBits) return this.loadOffset(32, value.offset, 4);
    return super.highWord(value);
  }

  override gpr(register: GprName | number, width: Width): OperandHandle {
    const number = typeof register === "number" ? register : GPR_NAMES.indexOf(register);
    return new GeneralRegister(this, number, width, false);
  }
  override xmm(register: number, width: Width): OperandHandle {
    return new VectorRegister(this, register, width);
  }

  /**
   * A vector constant is made once, at the entry: the engine would build it from two integers wherever it is used, in every round
   * of a loop. All zeros and all ones cost it a single instruction.
   */
  protected override placeConstant(bytes: readonly number[]): Expression {
    const [first] = bytes;
    if ((first === 0 || first === 0xff) && bytes.every((byte) => byte === first)) return super.placeConstant(bytes);
    const key = bytes.join();
    let variable = this.#vectorConstants.get(key)?.variable;
    if (!variable) {
      variable = this.declare("v128", 128);
      this.#vectorConstants.set(key, { variable, bytes });
    }
    return variable.get().take();
  }
  readonly #vectorConstants = new Map<string, { readonly variable: Variable; readonly bytes: readonly number[] }>();

  // ---- state that does not live in locals, and what is known of it ----

  override get(field: StateField, index: number | Value = 0): Value {
    if (field === "tlb") {
      this.usesTlb = true;
      return this.let(this.#tlb.get());
    }
    if (field === "mxcsr" && !USES_MXCSR.test(this.#instruction.instruction.mnemonic)) {
      this.needsCommonMxcsr = true;
      return this.constant(32, COMMON_MXCSR.VALUE);
    }
    return super.get(field, index);
  }

  override set(field: StateField, value: Value, index: number | Value = 0): void {
    let stored = value;
    if (field === "mxcsr" && this.#instruction.instruction.mnemonic === "ldmxcsr") {
      // What comes behind was translated for the common case.
      stored = this.let(value);
      const control = this.and(stored, this.constant(32, COMMON_MXCSR.MASK));
      this.if(this.unlikely(this.ne(control, this.constant(32, COMMON_MXCSR.VALUE))), () => this.#leave());
    } else if (field === "mxcsr" || field === "rip" || field === "mode" || field === "cpl")
      throw new Untranslatable(`writes ${field}`);
    // What helpers get their operands in is nothing that the guest could see.
    if (field !== "fpRaised" && field !== "scratch") {
      invariant(!this.#trial, "state changes while instructions run on trial");
      this.changes();
    }
    super.set(field, stored, index);
  }

  // ---- memory ----

  linear(segment: number, effective: Value): Value {
    if (segment !== Segment.FS && segment !== Segment.GS) return effective;
    return this.let(this.add(effective, super.get("segmentBase", segment)));
  }

  override segmentLinear(segment: number | "default", effective: Value, _byteLength: Value, _write: boolean): Value {
    return this.linear(segment === "default" ? this.#defaultSegment() : segment, effective);
  }

  /**
   * Offset at which `byteLength` bytes can be accessed, to be used once and at once; leaves the region when the TLB does not know.
   *
   * @param gva named
   */
  access(gva: Value, byteLength: number, access: "r" | "w"): Value {
    // As the helpers write it (`helpers/tlb.ts`), without a value for each step: half of all instructions come by here.
    const { wasm } = this;
    const { i32, i64 } = wasm;
    const table = access === "w" ? Tlb.WRITE : Tlb.READ;
    this.usesTlb = true;
    const bank = this.#tlb.get().take();
    const index = i32.and(i32.shr_u(i32.wrap(gva.take()), i32.const(TLB_INDEX_SHIFT)), i32.const(TLB_INDEX_MASK));
    const entry = this.let(this.value("i32", 32, i32.add(bank, index)));
    const tag = i64.load(table + Tlb.TAG, 1, entry.take());
    const last = byteLength === 1 ? gva.take() : i64.add(gva.take(), wasm.wideConstant(byteLength - 1, 0));
    const isMiss = i64.ne(tag, i64.and(last, wasm.wideConstant(-PAGE, -1)));
    if (this.sites) this.leaveIf(isMiss, this.#jump);
    else
      this.leaveUnless(
        isMiss,
        access === "w" ? "enter_write" : "enter_read",
        [this.cpu, gva, this.constant(32, byteLength)],
        this.#jump,
      );
    const addend = wasm.load32Unsigned(table + Tlb.ADDEND, 1, entry.take());
    return this.value("i32", 32, i32.add(i32.wrap(gva.take()), addend));
  }

  /**
   * The offset of bytes to be read within a page whose distance from the region's is known. As no mapping changes while a region runs,
   * the first look at the TLB serves all reads from the page.
   *
   * @param place relative to the region's page
   */
  readablePlace(place: number, byteLength: number): Value {
    const distance = pageOf(place);
    const inPage = place - distance * PAGE;
    let pointer = this.#readablePages.get(distance);
    if (!pointer) {
      pointer = this.declare("i32", 32);
      this.#readablePages.set(distance, pointer);
    }
    const variable = pointer;
    if (!this.readable.has(distance)) {
      // Locals are zero at the entry, and no page is at offset 0.
      this.if(this.unlikely(this.eqz(variable.get())), () => {
        const offset = this.access(this.#pageRelative(place), byteLength, "r");
        variable.set(this.sub(offset, this.constant(32, inPage)));
      });
      if (this.isOnEveryPath) this.readable.add(distance);
    }
    return new Displaced(this.let(variable.get()), inPage);
  }
  /** by distance: offsets of pages that are read */
  readonly #readablePages = new Map<number, Variable>();

  /** The offset of an operand at a known place. */
  placeOf({ pointer, displacement }: Site): Value {
    return new Displaced(this.let(pointer.get()), displacement);
  }

  loadNow(width: Width, offset: Value): Value {
    return this.let(this.loadOffset(width, offset));
  }
  /** Loads an operand; SSE instructions that read memory do not write it, so they may load it again as another type. */
  loadOperand(width: Width, offset: Value): Value {
    const again = this.#instruction.definition.unit === "sse" && (width === 32 || width === 64);
    return again ? this.loadedBits(width, this.let(offset)) : this.loadNow(width, offset);
  }
  storeOperand(offset: Value, value: Value): void {
    invariant(!this.#trial, "memory changes while instructions run on trial");
    this.changes();
    if (value instanceof FloatBits) this.storeOffset(offset, value.float);
    else if (value instanceof LaneBits) this.#storeLane(offset, value);
    else this.storeOffset(offset, value);
  }
  #storeLane(offset: Value, { width, vector }: LaneBits): void {
    const displacement = offset instanceof Displaced ? offset.displacement : 0;
    const base = offset instanceof Displaced ? offset.base : offset;
    this.storeLane(width === 32 ? 4 : 8, base, displacement, 0, vector);
  }

  /** A vector with one lane, of 4 or 8 bytes, from memory. */
  loadLane(bytes: 4 | 8, base: Value, displacement: number, lane: number, vector: Value): Value {
    const { v128 } = this.wasm;
    const at = base.take();
    const loaded =
      bytes === 4
        ? v128.load32_lane(displacement, 1, lane, at, vector.take())
        : v128.load64_lane(displacement, 1, lane, at, vector.take());
    return this.value("v128", 128, loaded);
  }
  storeLane(bytes: 4 | 8, base: Value, displacement: number, lane: number, vector: Value): void {
    const { v128 } = this.wasm;
    const at = base.take();
    const what = vector.take();
    this.statement(
      bytes === 4
        ? v128.store32_lane(displacement, 1, lane, at, what)
        : v128.store64_lane(displacement, 1, lane, at, what),
    );
  }

  requireAligned(gva: Value, alignment: number): void {
    this.leaveIf(this.and(this.truncate(gva, 32), this.constant(32, alignment - 1)).take(), this.#jump);
  }

  override memory(segment: number | "default", address: Value, width: Width, access: "r" | "w" | "rw"): OperandHandle {
    const aligned = width === 128 && this.#instruction.definition.unaligned !== true;
    const number = segment === "default" ? this.#defaultSegment() : segment;
    return new Memory(this, width, access, this.let(address), number, aligned);
  }

  #defaultSegment(): number {
    const memory = this.#instruction.instruction.operands.find((operand) => operand.kind === "memory");
    return memory?.kind === "memory" ? memory.segment : Segment.DS;
  }

  // ---- stack ----

  override push(value: Value): void {
    const what = this.let(value);
    const pointer = this.let(this.sub(this.general.whole(4), this.constant(64, what.width / 8)));
    this.storeOperand(this.access(pointer, what.width / 8, "w"), what);
    this.writeGeneral(4, pointer, false);
  }
  override stackTop(width: Width): Value {
    return this.loadNow(width, this.access(this.readGeneral(4, 64, false), width / 8, "r"));
  }
  override release(byteLength: number | Value): void {
    const amount = typeof byteLength === "number" ? this.constant(64, byteLength) : byteLength;
    this.writeGeneral(4, this.add(this.general.whole(4), amount), false);
  }

  // ---- flags ----

  override readFlagResult(): Value {
    return this.flags.readStored().result;
  }
  override readFlagBits(): Value {
    return this.flags.readStored().bits;
  }
  override writeFlags(result: Value, bits: Value): void {
    this.flags.writeStored(result, bits);
  }
  /** The flags at the entry of the region; behind its exits, those that have been set for it. */
  initialFlags(): { readonly result: Value; readonly bits: Value } {
    this.usesFlags = true;
    return { result: this.let(this.#flagResult.get()), bits: this.let(this.#flagBits.get()) };
  }
  setExitFlags(result: Value, bits: Value): void {
    this.usesFlags = true;
    this.#setsFlags = true;
    this.#flagResult.set(result);
    this.#flagBits.set(bits);
  }

  // ---- control ----

  /** What a round finds in registers, one before it may have written. */
  override loop(body: (again: Label) => void): void {
    this.forgetNames();
    super.loop(body);
    this.forgetNames();
  }

  override currentRip(): Value {
    return this.#pageRelative(this.#instruction.offset);
  }
  override nextRip(): Value {
    return this.#pageRelative(this.#instruction.end);
  }
  override jump(_target: OperandHandle): void {
    this.#endWith({ kind: "jump" });
  }
  override branch(condition: Value, _target: OperandHandle): void {
    this.#endWith({ kind: "branch", condition });
  }
  override goto(rip: Value): void {
    this.#endWith({ kind: "indirect", rip: this.let(rip) });
  }
  #endWith(ending: Ending): void {
    // Inside its own block and no other.
    if (this.depth !== 1) throw new Untranslatable("ends conditionally");
    this.#ending = ending;
  }
  override checkTarget(rip: Value): void {
    if (constantOf(rip) !== undefined) return;
    const folded = this.shrS(this.shl(rip, this.constant(64, 16)), this.constant(64, 16));
    this.leaveIf(this.ne(folded, rip).take(), this.#jump);
  }
  override next(): void {
    this.leaveInstruction();
  }
  override again(): void {
    throw new Untranslatable("repeats itself");
  }
  override endBlock(): void {
    throw new Untranslatable("changes what decoded code depends on");
  }
  override halt(): void {
    throw new Untranslatable("halts");
  }
  override fault(_name: FaultName, _errorCode?: number | Value): void {
    this.#leave();
  }
  override callOut(_name: string, ..._operands: Value[]): Value {
    this.#leave();
    return this.constant(64, 0n);
  }
  override helper(_name: string, _operands: readonly Value[], width: Width): Value {
    this.#leave();
    return width === 128 ? this.zeroVector() : this.let(this.#unknown(width));
  }
  override helperVoid(_name: string, _operands: readonly Value[]): void {
    this.#leave();
  }

  /** A value that is never used, but that nothing may be concluded from. */
  #unknown(width: Width): Value {
    return this.declare(width === 64 ? "i64" : "i32", width).get();
  }

  /** The interpreter runs this instruction instead. Nothing may have changed. */
  giveUp(): void {
    this.#leave();
  }
  /** Something changes that the guest can see, and that the emitter does not know of. */
  changed(): void {
    invariant(!this.#trial, "state changes while instructions run on trial");
    this.changes();
  }

  #leave(): void {
    this.leave(this.#jump);
  }
  readonly #jump = (): Expression => (this.#trial ? this.wasm.br(this.#trial.rollback.name) : this.#leaveBefore());

  // ---- for the region's builder ----

  collected(body: () => void): Expression {
    return this.collect(body);
  }
  /** Emits what was collected, as a block that `label` leaves. */
  wrapped(label: Label, inner: Expression): void {
    this.statement(this.wasm.block(label.name, [inner]));
  }
  newLabel(): Label {
    return { name: this.freshLabel() };
  }

  /** Emits, at the very beginning: what the region keeps in locals is loaded; what it was translated for is checked. */
  emitPrologue(): void {
    const load = (variable: Variable, offset: number): void =>
      variable.set(this.loadOffset(variable.width, this.cpu, offset));
    load(this.budget, guestState.budget.offset);
    load(this.ripPage, guestState.ripPage.offset);
    if (this.usesTlb) load(this.#tlb, guestState.tlb.offset);
    if (this.usesFlags) {
      load(this.#flagResult, guestState.flagResult.offset);
      load(this.#flagBits, guestState.flagBits.offset);
    }
    this.general.emitLoads();
    this.vectors.emitLoads();
    for (const { variable, bytes } of this.#vectorConstants.values())
      variable.set(this.value("v128", 128, super.placeConstant(bytes)));
    this.x87.emitPrologue();
  }

  /** Emits, at the one exit: what the region may have changed is stored. */
  emitEpilogue(): void {
    const store = (variable: Variable, offset: number): void => this.storeOffset(this.cpu, variable.get(), offset);
    store(this.budget, guestState.budget.offset);
    if (this.#setsFlags) {
      store(this.#flagResult, guestState.flagResult.offset);
      store(this.#flagBits, guestState.flagBits.offset);
    }
    this.general.emitStores();
    this.vectors.emitStores();
    this.x87.emitEpilogue();
  }
}
