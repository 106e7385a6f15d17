import { Segment } from "../../../runtime/abi/guest-state.ts";
import { ScratchSlot, scratchSlot } from "../../helpers/x87/registers.ts";
import type { Value } from "../../emit/value.ts";
import type { Emitter, OperandHandle } from "../emitter.ts";

/**
 * Remembers where the last x87 instruction that is no control instruction stood, and its memory operand. SDM Vol. 1, 8.1.8.
 *
 * As on AMD's processors every such instruction sets FIP, and every one with a memory operand FDP; FXSAVE shows them only while an
 * exception is pending. Not modelled: FOP stays what FLDENV, FRSTOR or FXRSTOR loaded (0 after FNINIT), and FDS is DS whatever the
 * segment override.
 */
export function recordPointers(e: Emitter, memory?: OperandHandle): void {
  e.set("fip", e.currentRip());
  e.set("fcs", e.get("segmentSelector", Segment.CS));
  if (memory?.kind !== "memory") return;
  e.set("fdp", memory.address());
  e.set("fds", e.get("segmentSelector", Segment.DS));
}

/** Puts a memory operand of an arithmetic instruction, of 32 or 64 bits, into a slot; raises nothing yet. */
export function widen(e: Emitter, source: OperandHandle, kind: "real" | "integer"): Value {
  const bits = source.read();
  const at = scratchSlot(e, ScratchSlot.VALUE);
  if (kind === "integer") e.helperVoid("f80_from_i64", [at, e.signExtend(bits, 64)]);
  else e.helperVoid(bits.width === 32 ? "f80_widen_f32" : "f80_widen_f64", [at, bits]);
  return at;
}

/** Whether an operand is memory of integer type is a matter of the mnemonic: FIADD against FADD. */
export type MemoryKind = "real" | "integer";
