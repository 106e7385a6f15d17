import { define } from "./define.ts";
import { widthOf } from "./integer.ts";

/** CBW, CWDE, CDQE: sign-extends the lower half of the accumulator over all of it. */
export const cbw = define({
  reference: "SDM 2A CBW/CWDE/CDQE",
  operands: { accumulator: "rw" },
  emit(e, { accumulator }) {
    const width = widthOf(accumulator);
    const half = (width / 2) as 8 | 16 | 32;
    accumulator.write(e.signExtend(e.gpr("rax", half).read(), width));
  },
});

/** CWD, CDQ, CQO: fills rDX with the sign of the accumulator. */
export const cwd = define({
  reference: "SDM 2A CWD/CDQ/CQO",
  operands: { dst: "w", accumulator: "r" },
  emit(e, { dst, accumulator }) {
    const value = accumulator.read();
    dst.write(e.shrS(value, e.constant(value.width === 64 ? 64 : 32, value.width - 1)));
  },
});

/** XLAT: table look-up; AL = [rBX + AL], with the sum at the address size. */
export const xlat = define({
  reference: "SDM 2B XLAT/XLATB",
  operands: { table: "a" },
  emit(e, { table }) {
    const index = e.gpr("rax", 8);
    const sum = e.add(table.address(), e.extend(index.read(), 64));
    const address = e.extend(e.truncate(sum, e.addressWidth), 64);
    index.write(e.memory("default", address, 8, "r").read());
  },
});

export const conversionDefinitions = { cbw, cwd, xlat };
