import { define } from "./define.ts";
import { carryOut, readSigned, widthOf } from "./integer.ts";

const ALL = "OF SF ZF AF PF CF";

/** ADD: integer addition. */
export const add = define({
  reference: "SDM 2A ADD",
  operands: { dst: "rw", src: "r" },
  flags: { writes: ALL },
  hot: true,
  emit(e, { dst, src }) {
    const left = dst.read();
    const right = readSigned(e, src, widthOf(dst));
    const result = e.let(e.add(left, right));
    // Store first: if the store faults, the instruction restarts and RFLAGS must be untouched.
    dst.write(result);
    e.flags.add({ left, right, result });
  },
});

/** ADC: addition with carry. */
export const adc = define({
  reference: "SDM 2A ADC",
  operands: { dst: "rw", src: "r" },
  flags: { reads: "CF", writes: ALL },
  emit(e, { dst, src }) {
    const width = widthOf(dst);
    const left = dst.read();
    const right = readSigned(e, src, width);
    const carry = e.resize(e.flags.carry(), width);
    const result = e.let(e.add(e.add(left, right), carry));
    dst.write(result);
    e.flags.add({ left, right, result });
  },
});

/** SUB: integer subtraction. */
export const sub = define({
  reference: "SDM 2B SUB",
  operands: { dst: "rw", src: "r" },
  flags: { writes: ALL },
  hot: true,
  emit(e, { dst, src }) {
    const left = dst.read();
    const right = readSigned(e, src, widthOf(dst));
    const result = e.let(e.sub(left, right));
    dst.write(result);
    e.flags.sub({ left, right, result });
  },
});

/** SBB: subtraction with borrow. */
export const sbb = define({
  reference: "SDM 2B SBB",
  operands: { dst: "rw", src: "r" },
  flags: { reads: "CF", writes: ALL },
  emit(e, { dst, src }) {
    const width = widthOf(dst);
    const left = dst.read();
    const right = readSigned(e, src, width);
    const borrow = e.resize(e.flags.carry(), width);
    const result = e.let(e.sub(e.sub(left, right), borrow));
    dst.write(result);
    e.flags.sub({ left, right, result });
  },
});

/** CMP: subtraction for its flags alone. */
export const cmp = define({
  reference: "SDM 2A CMP",
  operands: { left: "r", right: "r" },
  flags: { writes: ALL },
  hot: true,
  emit(e, { left: minuend, right: subtrahend }) {
    const left = minuend.read();
    const right = readSigned(e, subtrahend, widthOf(minuend));
    e.flags.sub({ left, right, result: e.sub(left, right) });
  },
});

/** INC: adds 1 and keeps CF. */
export const inc = define({
  reference: "SDM 2A INC",
  operands: { dst: "rw" },
  flags: { writes: "OF SF ZF AF PF" },
  hot: true,
  emit(e, { dst }) {
    const left = dst.read();
    const right = e.constant(widthOf(dst), 1);
    const result = e.let(e.add(left, right));
    dst.write(result);
    e.flags.increment({ left, right, result });
  },
});

/** DEC: subtracts 1 and keeps CF. */
export const dec = define({
  reference: "SDM 2A DEC",
  operands: { dst: "rw" },
  flags: { writes: "OF SF ZF AF PF" },
  hot: true,
  emit(e, { dst }) {
    const left = dst.read();
    const right = e.constant(widthOf(dst), 1);
    const result = e.let(e.sub(left, right));
    dst.write(result);
    e.flags.decrement({ left, right, result });
  },
});

/** NEG: two's complement negation. CF tells whether the operand was not zero, as of 0 - operand. */
export const neg = define({
  reference: "SDM 2B NEG",
  operands: { dst: "rw" },
  flags: { writes: ALL },
  emit(e, { dst }) {
    const left = e.constant(widthOf(dst), 0);
    const right = dst.read();
    const result = e.let(e.sub(left, right));
    dst.write(result);
    e.flags.sub({ left, right, result });
  },
});

/** ADCX: adds with CF as the carry, and changes no other flag. */
export const adcx = define({
  reference: "SDM 2A ADCX",
  operands: { dst: "rw", src: "r" },
  flags: { reads: "CF", writes: "CF" },
  emit(e, { dst, src }) {
    const left = dst.read();
    const right = src.read();
    const result = e.let(e.add(e.add(left, right), e.extend(e.flags.carry(), left.width)));
    const carry = e.let(carryOut(e, left, right, result));
    dst.write(result);
    e.flags.replace({ CF: carry });
  },
});

/** ADOX: adds with OF as the carry, and changes no other flag. */
export const adox = define({
  reference: "SDM 2A ADOX",
  operands: { dst: "rw", src: "r" },
  flags: { reads: "OF", writes: "OF" },
  emit(e, { dst, src }) {
    const left = dst.read();
    const right = src.read();
    const result = e.let(e.add(e.add(left, right), e.extend(e.flags.overflow(), left.width)));
    const carry = e.let(carryOut(e, left, right, result));
    dst.write(result);
    e.flags.replace({ OF: carry });
  },
});

export const arithmeticDefinitions = { add, adc, sub, sbb, cmp, inc, dec, neg, adcx, adox };
