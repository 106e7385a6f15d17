import { Vector } from "../../runtime/abi/guest-state.ts";
import type { StateBuilder } from "../emit/state.ts";
import type { Value } from "../emit/value.ts";

/**
 * Runs the common case of a call-out in generated code. Operands are in guestState.scratch, and RIP is the instruction's.
 *
 * @returns 1 if that did it: RIP has changed; 0 if nothing was done. Undefined for call-outs without such a case
 */
export function commonCase(f: StateBuilder, callOut: string, length: Value): Value | undefined {
  const operand = (): Value => f.truncate(f.get("scratch", 0), 32);
  switch (callOut) {
    case "iret":
      return f.call("interrupt_return", [f.cpu, operand()], "i32");
    case "int":
      return f.call("software_interrupt", [f.cpu, f.and(operand(), f.constant(32, 0xff)), length], "i32");
    case "int3":
      return f.call("software_interrupt", [f.cpu, f.constant(32, Vector.BP), length], "i32");
    default:
      return undefined;
  }
}
