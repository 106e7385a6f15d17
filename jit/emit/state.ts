import { guestState } from "../../runtime/abi/guest-state.ts";
import { FunctionBuilder } from "./function.ts";
import type { Value, Width } from "./value.ts";

/** Fields of the guest state, without the registers that a translator keeps in locals. */
export type StateField = Exclude<keyof typeof guestState, "byteLength" | "gpr" | "xmm" | "flagResult" | "flagBits">;

/** A function whose first parameter is the offset of a vCPU's state. */
export class StateBuilder extends FunctionBuilder {
  /** offset of the vCPU state */
  get cpu(): Value {
    return this.parameter(0);
  }

  /** Reads a field of the guest state, now; element `index` (which may be a run-time value) of an array field. */
  get(field: StateField, index: number | Value = 0): Value {
    const { offset, size } = guestState[field];
    const width = (size * 8) as Width;
    if (typeof index === "number") return this.let(this.loadOffset(width, this.cpu, offset + index * size));
    return this.let(this.loadOffset(width, this.#element(index, size), offset));
  }

  set(field: StateField, value: Value, index: number | Value = 0): void {
    const { offset, size } = guestState[field];
    if (typeof index === "number") this.storeOffset(this.cpu, value, offset + index * size);
    else this.storeOffset(this.#element(index, size), value, offset);
  }

  /** The linear-memory offset of a field, for helpers that take pointers. */
  fieldOffset(field: StateField, index: number | Value = 0): Value {
    const { offset, size } = guestState[field];
    if (typeof index === "number") return this.add(this.cpu, this.constant(32, offset + index * size));
    return this.add(this.#element(index, size), this.constant(32, offset));
  }

  #element(index: Value, size: number): Value {
    return this.add(this.cpu, this.mul(index, this.constant(32, size)));
  }
}
