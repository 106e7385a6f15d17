/**
 * The x87 as helpers of core.wasm: stack, tags and status around the arithmetic of ../softfloat. Each leaves FSW and TOP complete, and an
 * unmasked exception pending in FSW.ES. `i` is the number of ST(i) relative to TOP, `pops` how many registers are removed at the end.
 *
 *   x87_add_register(i of the destination, i of the source, pops)   likewise sub subr mul div divr
 *   x87_add_memory(offset of an f80 slot)                           destination ST(0)
 *   x87_compare(offset, source is empty, signalling, pops)          C3 C2 C0
 *   x87_compare_flags(i, signalling, pops) -> ZF PF CF
 *   x87_load_register(i)  x87_push(offset)                          after the load has raised what it raises
 *   x87_store_register(i, pops)  x87_store_f32() -> bits  x87_store_i16(truncate) -> integer ...
 *   x87_finish(pops, blockers)                                      fpRaised into FSW, pops unless a blocker is unmasked
 */
import type { Helper } from "../helper.ts";
import { arithmeticHelpers } from "./arithmetic.ts";
import { environmentHelpers } from "./environment.ts";
import { memoryHelpers } from "./memory.ts";
import { remainderHelpers } from "./remainder.ts";
import { scaleHelpers } from "./scale.ts";
import { stackHelpers } from "./stack.ts";
import { unaryHelpers } from "./unary.ts";

export const x87Helpers: readonly Helper[] = [
  ...stackHelpers,
  ...arithmeticHelpers,
  ...unaryHelpers,
  ...scaleHelpers,
  ...remainderHelpers,
  ...memoryHelpers,
  ...environmentHelpers,
];
