import { invariant } from "../../runtime/abi/invariant.ts";
import { Exit, guestState, NO_ERROR_CODE, Segment, UnitTrap } from "../../runtime/abi/guest-state.ts";
import { Rec, Tlb } from "../../runtime/abi/memory-map.ts";
import type { Wasm } from "../emit/wasm.ts";
import type { Value, Width } from "../emit/value.ts";
import { Access } from "../helpers/page-walk.ts";
import { tlbEntry, tlbHit, tlbOffset } from "../helpers/tlb.ts";
import type { Access as OperandAccess, Definition } from "../semantics/define.ts";
import {
  Emitter,
  faultVector,
  GPR_NAMES,
  type FaultName,
  type GprName,
  type OperandHandle,
} from "../semantics/emitter.ts";
import { type CallOutNumbers, CallOutStatus } from "./call-out-numbers.ts";
import { commonCase } from "./common-case.ts";
import { Immediate, Memory, NoOperand, Register } from "./operands.ts";
import { lastTargetOf, type OperandForm, type Variant } from "./variant.ts";

export const HANDLER_PARAMS = ["i32", "i32"] as const;
export const HANDLER_RESULTS = ["i32"] as const;
export const HANDLER_TABLE = "handlers";

/**
 * The interpreter's binding: emits one handler, a function (vCPU base, record) that ends in a tail call of the next record's
 * handler. Register numbers, immediates and displacements are loads from the record.
 */
export class InterpreterEmitter extends Emitter {
  override readonly mode: "long" | "legacy";
  override readonly operandWidth: 16 | 32 | 64;
  override readonly addressWidth: 16 | 32 | 64;
  override readonly repeat: "none" | "rep" | "repne";
  override readonly flagsAreDead: boolean;
  readonly #definition: Definition;
  readonly #variant: Variant;
  readonly #callOuts: CallOutNumbers;
  #ended = false;

  constructor(wasm: Wasm, name: string, variant: Variant, definition: Definition, callOuts: CallOutNumbers) {
    super(wasm, name, HANDLER_PARAMS, HANDLER_RESULTS);
    this.mode = variant.mode;
    this.operandWidth = variant.operandWidth;
    this.addressWidth = variant.addressWidth;
    this.repeat = variant.repeat;
    this.flagsAreDead = variant.flagsDead;
    this.#variant = variant;
    this.#definition = definition;
    this.#callOuts = callOuts;
  }

  /** The units that the instruction needs. One definition serves MMX and XMM registers; the operands tell them apart. */
  get #units(): NonNullable<Definition["unit"]>[] {
    const { unit } = this.#definition;
    const registers = this.#variant.operands.filter((form) => form.kind === "register");
    if (!registers.some((form) => form.class === "mmx")) return unit ? [unit] : [];
    return unit === "sse" && registers.some((form) => form.class === "xmm") ? ["sse", "mmx"] : ["mmx"];
  }

  /** the record that this handler runs */
  get record(): Value {
    return this.parameter(1);
  }

  /** Emits the whole handler. */
  build(): void {
    const { operands = {} } = this.#definition;
    for (const unit of this.#units) this.#checkUnit(unit);
    const handles: Record<string, OperandHandle> = {};
    const names = Object.entries(operands);
    names.forEach(([name, access], index) => {
      const form = this.#variant.operands[index];
      if (!form) return;
      const handle = this.#operand(form, index, access);
      // Computed here, where every branch of the definition sees it.
      if (handle.kind === "memory") handle.address();
      handles[name] = handle;
    });
    this.#definition.emit(this, handles);
    if (!this.#ended) this.#finishInstruction();
    this.finish();
  }

  // ---- operands ----

  #operand(form: OperandForm, index: number, access: OperandAccess): OperandHandle {
    switch (form.kind) {
      case "register": {
        const slot = (): Value => this.let(this.extend(this.loadOffset(16, this.record, Rec.REG0 + 2 * index), 32));
        return new Register(this, form.class, form.width, slot);
      }
      case "memory":
        return new Memory(this, form.width, access, {
          effective: () => this.#effectiveAddress(form.shape === "flat"),
          ...(form.shape === "flat" ? {} : { truncate: (effective: Value) => this.and(effective, this.#mask()) }),
          unchecked: (effective) => (form.shape === "flat" ? effective : this.#segmentBased("default", effective)),
          linear: (effective, byteLength, write) => this.#linear(form.shape, effective, byteLength, write),
          aligned: form.width === 128 && this.#definition.unaligned !== true,
        });
      case "immediate": {
        const at = form.slot === "immediate" ? Rec.IMMEDIATE : Rec.EXTRA;
        return new Immediate(this, form.width, at);
      }
      case "relative":
        return new NoOperand("relative", form.width, () => this.#target());
      case "far":
        return new NoOperand("far", form.width, undefined, {
          read: () => this.let(this.loadOffset(64, this.record, Rec.IMMEDIATE)),
          selector: () => this.let(this.loadOffset(16, this.record, Rec.EXTRA)),
        });
    }
  }

  override gpr(register: GprName | number, width: Width): OperandHandle {
    const number = typeof register === "number" ? register : GPR_NAMES.indexOf(register);
    const offset = guestState.gpr.offset + 8 * number;
    return new Register(this, "gpr", width, () => this.constant(32, offset));
  }

  override xmm(register: number, width: Width): OperandHandle {
    const offset = guestState.xmm.offset + 16 * register;
    return new Register(this, "xmm", width, () => this.constant(32, offset));
  }

  override memory(segment: number | "default", address: Value, width: Width, access: "r" | "w" | "rw"): OperandHandle {
    const effective = this.let(address);
    return new Memory(this, width, access, {
      effective: () => effective,
      unchecked: (at) => this.#segmentBased(segment, at),
      linear: (at, byteLength, write) => this.segmentLinear(segment, at, byteLength, write),
      aligned: width === 128 && this.#definition.unaligned !== true,
    });
  }

  /** base + index * scale + displacement, truncated to the address size. */
  #effectiveAddress(flat: boolean): Value {
    const register = (at: number): Value =>
      this.loadOffset(64, this.add(this.cpu, this.extend(this.loadOffset(16, this.record, at), 32)));
    const displacement = this.loadOffset(64, this.record, Rec.DISPLACEMENT);
    if (flat) return this.let(this.add(register(Rec.BASE), displacement));
    const scale = this.extend(this.extend(this.loadOffset(8, this.record, Rec.SCALE), 32), 64);
    const sum = this.add(this.add(register(Rec.BASE), this.shl(register(Rec.INDEX), scale)), displacement);
    return this.let(this.and(sum, this.#mask()));
  }

  /** All ones at the width that the record gives: the address size, or the operand size of a branch. */
  #mask(): Value {
    const shift = this.extend(this.extend(this.loadOffset(8, this.record, Rec.ADDRESS_SHIFT), 32), 64);
    return this.shrU(this.constant(64, -1n), shift);
  }

  #linear(shape: "flat" | "general" | "segmented", effective: Value, byteLength: Value, write: boolean): Value {
    return shape === "flat" ? effective : this.segmentLinear("default", effective, byteLength, write);
  }

  /** Linear address of an effective address in a segment, whatever the segment's limit. */
  #segmentBased(segment: number | "default", effective: Value): Value {
    if (this.mode === "long") return this.segmentLinear(segment, effective, this.constant(32, 1), false);
    const number =
      segment === "default"
        ? this.extend(this.loadOffset(8, this.record, Rec.SEGMENT_NUMBER), 32)
        : this.constant(32, segment);
    return this.let(this.and(this.add(effective, this.get("segmentBase", number)), this.constant(64, 0xffff_ffffn)));
  }

  /** Linear address of an effective address in a segment; leaves with a fault outside the segment's limit. */
  override segmentLinear(segment: number | "default", effective: Value, byteLength: Value, write: boolean): Value {
    if (this.mode === "long") {
      if (segment === "default") {
        const base = this.loadOffset(
          64,
          this.add(this.cpu, this.extend(this.loadOffset(16, this.record, Rec.SEGMENT), 32)),
        );
        return this.let(this.add(effective, base));
      }
      return segment === Segment.FS || segment === Segment.GS
        ? this.let(this.add(effective, this.get("segmentBase", segment)))
        : effective;
    }
    const number =
      segment === "default"
        ? this.extend(this.loadOffset(8, this.record, Rec.SEGMENT_NUMBER), 32)
        : this.constant(32, segment);
    const linear = this.helper("segment_linear", [number, effective, byteLength, this.constant(32, write ? 1 : 0)], 64);
    this.if(this.eq(linear, this.constant(64, -1n)), () => this.leaveWithFault());
    return linear;
  }

  // ---- memory accesses by linear address, for operand handles ----

  /** Offset at which `byteLength` bytes can be read now. */
  readAccess(gva: Value, byteLength: number): Value {
    const offset = this.declare("i32", 32);
    const entry = tlbEntry(this, gva);
    this.if(
      tlbHit(this, entry, gva, byteLength, Tlb.READ),
      () => offset.set(tlbOffset(this, entry, gva, Tlb.READ)),
      () => {
        offset.set(this.call("read_slow", [this.cpu, gva, this.constant(32, byteLength)], "i32"));
        this.if(this.eqz(offset.get()), () => this.leaveWithFault());
      },
    );
    return this.let(offset.get());
  }

  writeAccess(gva: Value, value: Value): void {
    const byteLength = value.width / 8;
    const what = this.let(value);
    const entry = tlbEntry(this, gva);
    this.if(
      tlbHit(this, entry, gva, byteLength, Tlb.WRITE),
      () => this.storeOffset(tlbOffset(this, entry, gva, Tlb.WRITE), what),
      () => {
        this.storeOffset(this.cpu, what, guestState.bounce.offset);
        const done = this.call("write_slow", [this.cpu, gva, this.constant(32, byteLength)], "i32");
        this.if(this.eqz(done), () => this.leaveWithFault());
      },
    );
  }

  /** Offset for a read-modify-write; `commitModify` after the store. */
  modifyAccess(gva: Value, byteLength: number): Value {
    const offset = this.declare("i32", 32);
    const entry = tlbEntry(this, gva);
    this.if(
      tlbHit(this, entry, gva, byteLength, Tlb.WRITE),
      () => offset.set(tlbOffset(this, entry, gva, Tlb.WRITE)),
      () => {
        offset.set(this.call("modify_slow", [this.cpu, gva, this.constant(32, byteLength)], "i32"));
        this.if(this.eqz(offset.get()), () => this.leaveWithFault());
      },
    );
    return this.let(offset.get());
  }

  commitModify(offset: Value): void {
    const isBounce = this.eq(offset, this.add(this.cpu, this.constant(32, guestState.bounce.offset)));
    this.if(isBounce, () => this.helperVoid("modify_commit", []));
  }

  probeAccess(gva: Value, byteLength: number, access: "r" | "w"): void {
    const operands = [
      this.cpu,
      gva,
      this.constant(32, byteLength),
      this.constant(32, access === "w" ? Access.WRITE : 0),
    ];
    this.if(this.eqz(this.call("probe_slow", operands, "i32")), () => this.leaveWithFault());
  }

  checkPlace(gva: Value, byteLength: number): void {
    const operands = [this.cpu, gva, this.constant(32, byteLength)];
    this.if(this.eqz(this.call("check_place", operands, "i32")), () => this.leaveWithFault());
  }

  /** #GP(0) unless a linear address is a multiple of `alignment`. */
  requireAligned(gva: Value, alignment: number): void {
    this.if(this.and(this.truncate(gva, 32), this.constant(32, alignment - 1)), () => this.fault("GP", 0));
  }

  // ---- stack ----

  override push(value: Value): void {
    const what = this.let(value);
    const byteLength = what.width / 8;
    const { pointer, merged } = this.#stackPointer((rsp) => this.sub(rsp, this.constant(64, byteLength)));
    const gva = this.#stackLinear(pointer, byteLength, true);
    this.#stackViolations(() => this.writeAccess(gva, what));
    this.gpr("rsp", 64).write(merged());
  }

  override stackTop(width: Width): Value {
    const { pointer } = this.#stackPointer((rsp) => rsp);
    const gva = this.#stackLinear(pointer, width / 8, false);
    let value: Value | undefined;
    this.#stackViolations(() => {
      value = this.let(this.loadOffset(width, this.readAccess(gva, width / 8)));
    });
    invariant(value !== undefined, "the stack was not read");
    return value;
  }

  override release(byteLength: number | Value): void {
    const amount = typeof byteLength === "number" ? this.constant(64, byteLength) : byteLength;
    const { merged } = this.#stackPointer((rsp) => this.add(rsp, amount));
    this.gpr("rsp", 64).write(merged());
  }

  /** A new stack pointer at the width of the stack: as an address, and merged into RSP. */
  #stackPointer(change: (rsp: Value) => Value): { readonly pointer: Value; readonly merged: () => Value } {
    const rsp = this.gpr("rsp", 64).read();
    const changed = this.let(change(rsp));
    if (this.mode === "long") return { pointer: changed, merged: () => changed };
    // SS.B selects ESP or SP; the rest of the register stays.
    const wide = this.and(this.get("segmentAttributes", Segment.SS), this.constant(32, 0x4000));
    const mask = this.let(this.select(wide, this.constant(64, 0xffff_ffffn), this.constant(64, 0xffffn)));
    const pointer = this.let(this.and(changed, mask));
    return { pointer, merged: () => this.or(pointer, this.and(rsp, this.not(mask))) };
  }

  #stackLinear(pointer: Value, byteLength: number, write: boolean): Value {
    return this.mode === "long"
      ? pointer
      : this.segmentLinear(Segment.SS, pointer, this.constant(32, byteLength), write);
  }

  #inStack = false;
  /** Inside `access`, violations are the stack segment's, whatever segment the operand has. */
  #stackViolations(access: () => void): void {
    this.#inStack = true;
    access();
    this.#inStack = false;
  }

  // ---- flags ----

  override readFlagResult(): Value {
    return this.let(this.loadOffset(64, this.cpu, guestState.flagResult.offset));
  }
  override readFlagBits(): Value {
    return this.let(this.loadOffset(32, this.cpu, guestState.flagBits.offset));
  }
  override writeFlags(result: Value, bits: Value): void {
    this.storeOffset(this.cpu, result, guestState.flagResult.offset);
    this.storeOffset(this.cpu, bits, guestState.flagBits.offset);
  }

  // ---- control ----

  override currentRip(): Value {
    const page = this.loadOffset(64, this.cpu, guestState.ripPage.offset);
    return this.let(
      this.add(page, this.extend(this.extend(this.loadOffset(16, this.record, Rec.PAGE_OFFSET), 32), 64)),
    );
  }

  override nextRip(): Value {
    const length = this.extend(this.extend(this.loadOffset(8, this.record, Rec.LENGTH), 32), 64);
    const next = this.add(this.currentRip(), length);
    return this.let(this.mode === "long" ? next : this.and(next, this.constant(64, 0xffff_ffffn)));
  }

  #target(): Value {
    const page = this.loadOffset(64, this.cpu, guestState.ripPage.offset);
    const sum = this.add(page, this.loadOffset(64, this.record, Rec.DISPLACEMENT));
    return this.let(this.and(sum, this.#mask()));
  }

  override jump(target: OperandHandle): void {
    invariant(target.kind === "relative", "jump takes a relative operand");
    this.#ended = true;
    this.#chargeBlock(() => this.#target());
    this.#follow(Rec.LINK_TAKEN, "resolve_taken");
  }

  override branch(condition: Value, target: OperandHandle): void {
    invariant(target.kind === "relative", "branch takes a relative operand");
    this.#ended = true;
    const taken = this.let(condition);
    this.#chargeBlock(() =>
      this.choose(
        taken,
        () => this.#target(),
        () => this.nextRip(),
      ),
    );
    this.if(
      taken,
      () => this.#follow(Rec.LINK_TAKEN, "resolve_taken"),
      () => this.#follow(Rec.LINK_NOT_TAKEN, "resolve_not_taken"),
    );
  }

  /** Goes on with the linked record, or finds and links it. */
  #follow(link: number, resolve: string): void {
    const record = this.let(this.loadOffset(32, this.record, link));
    this.if(record, () => this.#dispatch(record));
    this.tailCall(resolve, [this.cpu, this.record]);
  }

  /** Takes the block's instructions off the budget, and leaves when it is spent. */
  #chargeBlock(rip: () => Value): void {
    const count = this.add(this.extend(this.loadOffset(16, this.record, Rec.INDEX_IN_BLOCK), 32), this.constant(32, 1));
    const budget = this.let(this.sub(this.loadOffset(32, this.cpu, guestState.budget.offset), count));
    this.storeOffset(this.cpu, budget, guestState.budget.offset);
    this.if(this.ltS(budget, this.constant(32, 0)), () => {
      this.storeOffset(this.cpu, rip(), guestState.rip.offset);
      this.return(this.constant(32, Exit.BUDGET));
    });
  }

  override checkTarget(rip: Value): void {
    if (this.mode === "long") {
      const folded = this.shrS(this.shl(rip, this.constant(64, 16)), this.constant(64, 16));
      this.if(this.ne(folded, rip), () => this.fault("GP", 0));
    } else {
      const limit = this.extend(this.get("segmentLimit", Segment.CS), 64);
      this.if(this.gtU(rip, limit), () => this.fault("GP", 0));
    }
  }

  override goto(rip: Value): void {
    const target = this.let(rip);
    this.#noteTarget(target);
    this.#chargeBlock(() => target);
    this.tailCall("goto", [this.cpu, target]);
    this.#ended = true;
  }

  /** What the translator goes by when it guesses where an indirect branch leads. */
  #noteTarget(target: Value): void {
    const field = lastTargetOf(this.#variant.mnemonic);
    if (field === 0 || this.mode !== "long") return;
    const page = this.loadOffset(64, this.cpu, guestState.ripPage.offset);
    this.storeOffset(this.record, this.sub(target, page), field);
  }

  override next(): void {
    this.#finishInstruction();
  }

  override again(): void {
    const budget = this.let(this.sub(this.loadOffset(32, this.cpu, guestState.budget.offset), this.constant(32, 1)));
    this.storeOffset(this.cpu, budget, guestState.budget.offset);
    this.set("repeatIterations", this.add(this.get("repeatIterations"), this.constant(32, 1)));
    this.if(this.ltS(budget, this.constant(32, 0)), () => this.tailCall("leave_before", [this.cpu, this.record]));
    this.#dispatch(this.record);
  }

  override endBlock(): void {
    this.tailCall("end_block", [this.cpu, this.record]);
    this.#ended = true;
  }

  override halt(): void {
    this.tailCall("halt", [this.cpu, this.record]);
    this.#ended = true;
  }

  override fault(name: FaultName, errorCode?: number | Value): void {
    this.set("exitVector", this.constant(32, faultVector(name)));
    const code = typeof errorCode === "object" ? errorCode : this.constant(32, errorCode ?? NO_ERROR_CODE);
    this.set("exitErrorCode", code);
    this.leaveWithFault();
  }

  /** Leaves with the fault that a helper has noted. */
  leaveWithFault(): void {
    this.tailCall(this.#inStack ? "leave_with_stack_fault" : "leave_with_fault", [this.cpu, this.record]);
  }

  override callOut(name: string, ...operands: Value[]): Value {
    operands.forEach((operand, index) => {
      this.set("scratch", operand.width === 64 ? operand : this.extend(operand, 64), index);
    });
    this.set("rip", this.currentRip());
    this.set("exitRecord", this.record);
    const length = this.let(this.extend(this.loadOffset(8, this.record, Rec.LENGTH), 32));
    const inPlace = commonCase(this, name, length);
    if (inPlace) {
      const redirect = this.constant(32, CallOutStatus.REDIRECT);
      this.if(inPlace, () => this.tailCall("after_call_out", [this.cpu, this.record, redirect]));
    }
    const status = this.call("call_out", [this.constant(32, this.#callOuts.of(name)), length], "i32");
    this.if(status, () => this.tailCall("after_call_out", [this.cpu, this.record, status]));
    return this.get("scratch", 0);
  }

  #finishInstruction(): void {
    if (this.#units.includes("mmx") && this.#variant.mnemonic !== "emms") {
      // Every MMX instruction but EMMS makes all registers valid and TOP 0. SDM Vol. 1, 9.6.2.
      this.set("ftop", this.constant(32, 0));
      this.set("ftag", this.constant(32, 0xff));
    }
    this.#dispatch(this.add(this.record, this.constant(32, Rec.BYTES)));
  }

  #dispatch(record: Value): void {
    const to = this.let(record);
    const handler = this.loadOffset(32, to, Rec.HANDLER);
    this.tailCallIndirect(HANDLER_TABLE, handler, [this.cpu, to], HANDLER_PARAMS, HANDLER_RESULTS);
  }

  #checkUnit(unit: NonNullable<Definition["unit"]>): void {
    const mask = unit === "sse" ? UnitTrap.SSE : unit === "mmx" ? UnitTrap.MMX : UnitTrap.X87;
    const trap = this.let(this.and(this.get("unitTraps"), this.constant(32, mask)));
    this.if(trap, () => this.tailCall("leave_unit_trap", [this.cpu, this.record, trap]));
    if (unit === "x87" || unit === "mmx") {
      this.if(this.and(this.get("fsw"), this.constant(32, 0x80)), () => this.fault("MF"));
    }
  }
}
