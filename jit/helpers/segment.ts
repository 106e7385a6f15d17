import { Segment, Vector } from "../../runtime/abi/guest-state.ts";
import type { Value } from "../emit/value.ts";
import type { Helper } from "./helper.ts";

/**
 * segment_linear(segment number, effective address, byteLength, write): linear address outside 64-bit mode, or -1 with the fault.
 * SDM Vol. 3A, 5.3 and 5.5: type, limit (expand-up and expand-down) and null checks.
 */
export const segmentLinear: Helper = {
  name: "segment_linear",
  params: ["i32", "i64", "i32", "i32"],
  result: "i64",
  emit(f, [segment, address, byteLength, write]) {
    if (!segment || !address || !byteLength || !write) return;
    const attributes = f.get("segmentAttributes", segment);
    const limit = f.extend(f.get("segmentLimit", segment), 64);
    const violation = (): void => {
      const isStack = f.eq(segment, f.constant(32, Segment.SS));
      f.set("exitVector", f.select(isStack, f.constant(32, Vector.SS), f.constant(32, Vector.GP)));
      f.set("exitErrorCode", f.constant(32, 0));
      f.return(f.constant(64, -1n));
    };
    const has = (mask: number): Value => f.and(attributes, f.constant(32, mask));
    f.if(f.eqz(has(0x80)), violation);
    const isCode = f.let(f.and(f.shrU(attributes, f.constant(32, 3)), f.constant(32, 1)));
    const bit1 = f.let(f.and(f.shrU(attributes, f.constant(32, 1)), f.constant(32, 1)));
    // Data: bit 1 = writable. Code: never writable, bit 1 = readable.
    f.if(
      write,
      () => f.if(f.or(isCode, f.eqz(bit1)), violation),
      () => f.if(f.and(isCode, f.eqz(bit1)), violation),
    );
    const last = f.let(f.add(address, f.extend(f.sub(byteLength, f.constant(32, 1)), 64)));
    const expandDown = f.and(f.eqz(isCode), f.and(f.shrU(attributes, f.constant(32, 2)), f.constant(32, 1)));
    const wide = f.let(limit);
    f.if(
      expandDown,
      () => {
        const top = f.select(has(0x4000), f.constant(64, 0xffff_ffffn), f.constant(64, 0xffffn));
        f.if(f.or(f.leU(address, wide), f.gtU(last, top)), violation);
      },
      () => f.if(f.gtU(last, wide), violation),
    );
    f.return(f.and(f.add(f.get("segmentBase", segment), address), f.constant(64, 0xffff_ffffn)));
  },
};
