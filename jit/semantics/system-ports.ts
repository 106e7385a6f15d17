import type { Value, Width } from "../emit/value.ts";
import { define } from "./define.ts";
import type { Emitter } from "./emitter.ts";
import { directionFlag } from "./integer.ts";
import { advance, repeated } from "./string.ts";

// I/O ports. SDM Vol. 1, chapter 19. Permissions and devices are behind call-outs, see runtime/cpu/ports.ts.

/** Size in bytes of a port access. */
function portBytes(e: Emitter, width: number): Value {
  return e.constant(64, width / 8);
}

/** IN: input from a port. */
export const input = define({
  reference: "SDM 2A IN",
  operands: { dst: "w", port: "r" },
  interpreterOnly: true,
  emit(e, { dst, port }) {
    const value = e.callOut("readPort", port.read(), portBytes(e, dst.width));
    dst.write(e.truncate(value, dst.width as Width));
  },
});

/** OUT: output to a port. */
export const output = define({
  reference: "SDM 2B OUT",
  operands: { port: "r", src: "r" },
  interpreterOnly: true,
  emit: (e, { port, src }) => void e.callOut("writePort", port.read(), portBytes(e, src.width), src.read()),
});

/** INS: input from a port to ES:rDI. */
export const ins = define({
  reference: "SDM 2A INS/INSB/INSW/INSD",
  operands: { dst: "w", port: "r" },
  interpreterOnly: true,
  emit(e, { dst, port }) {
    const number = port.read();
    const byteLength = dst.width / 8;
    // The permission is looked at before the count, which may be zero.
    e.callOut("checkPort", number, portBytes(e, dst.width));
    repeated(e, () => {
      // Reading a port has effects: the store must be known to succeed.
      dst.probe(byteLength, "w");
      const value = e.callOut("readPort", number, portBytes(e, dst.width));
      dst.write(e.truncate(value, dst.width as Width));
      advance(e, "rdi", dst, e.let(directionFlag(e)));
      return undefined;
    });
  },
});

/** OUTS: output from DS:rSI to a port. */
export const outs = define({
  reference: "SDM 2B OUTS/OUTSB/OUTSW/OUTSD",
  operands: { port: "r", src: "r" },
  interpreterOnly: true,
  emit(e, { port, src }) {
    const number = port.read();
    e.callOut("checkPort", number, portBytes(e, src.width));
    repeated(e, () => {
      e.callOut("writePort", number, portBytes(e, src.width), src.read());
      advance(e, "rsi", src, e.let(directionFlag(e)));
      return undefined;
    });
  },
});

export const portDefinitions = { in: input, out: output, ins, outs };
