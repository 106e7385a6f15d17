import { EventPath, guestState, Mode, Rflags, Segment } from "../../../runtime/abi/guest-state.ts";
import type { Helper } from "../helper.ts";
import { readFlags, writeFlags } from "./flags.ts";
import { clearSegment, explicitBank, isCanonical, readable, readGdt, require, setSegment } from "./system-memory.ts";

const RSP = 4;
const OPERAND_BYTES = 8;
/** Bits of the second word of a descriptor: present, accessed; the level is compared as well. */
const CODE64 = { mask: 0x0060_fd00, value: 0x0020_9900 } as const;
const WRITABLE_DATA = { mask: 0xfb00, value: 0x9300 } as const;
const DPL_SHIFT = 13;
/** Flags that IRETQ at level 0 takes from the stack. */
const POPPED =
  Rflags.ARITHMETIC | Rflags.DF | Rflags.AC | Rflags.ID | Rflags.IF | Rflags.IOPL | Rflags.VIF | Rflags.VIP;
/** Flags that are not for this path: single steps, and the mark of a nested task. */
const UNUSUAL = Rflags.TF | Rflags.NT;

/**
 * interrupt_return(operand bytes): IRETQ at level 0 to 64-bit code of level 0 or 3; 1 if it has returned, or 0 with nothing changed. The
 * same as iret in runtime/cpu/iret.ts, in its order.
 */
export const interruptReturn: Helper = {
  name: "interrupt_return",
  params: ["i32"],
  result: "i32",
  emit(f, [operandBytes]) {
    if (!operandBytes) return;
    require(f, f.and(f.get("eventPaths"), f.constant(32, EventPath.RETURN)));
    const is64 = f.eq(f.get("mode"), f.constant(32, Mode.CODE64));
    require(f, f.and(is64, f.eq(operandBytes, f.constant(32, OPERAND_BYTES))));
    require(f, f.eqz(f.or(f.get("cpl"), f.and(f.get("rflags"), f.constant(32, Rflags.NT)))));

    const stack = f.let(f.loadOffset(64, f.cpu, guestState.gpr.offset + 8 * RSP));
    const at = readable(f, stack, 40, explicitBank(f));
    const word = (index: number) => f.let(f.loadOffset(64, at, 8 * index));
    const [rip, flagsWord, rsp] = [word(0), word(2), word(3)];
    const selector = f.let(f.and(f.truncate(word(1), 32), f.constant(32, 0xffff)));
    const stackSelector = f.let(f.and(f.truncate(word(4), 32), f.constant(32, 0xffff)));
    const popped = f.let(f.truncate(flagsWord, 32));
    require(f, f.eqz(f.and(popped, f.constant(32, UNUSUAL))));
    const level = f.let(f.and(selector, f.constant(32, 3)));
    const levelBits = f.let(f.shl(level, f.constant(32, DPL_SHIFT)));
    require(f, f.or(f.eqz(level), f.eq(level, f.constant(32, 3))));

    const code = readGdt(f, selector);
    const isCode = f.eq(f.and(code.high, f.constant(32, CODE64.mask)), f.or(f.constant(32, CODE64.value), levelBits));
    require(f, f.and(isCode, isCanonical(f, rip)));
    require(f, f.eq(f.and(stackSelector, f.constant(32, 3)), level));
    // Data segments that level 3 must not keep are dropped by the slow path.
    f.if(level, () => {
      for (const segment of [Segment.ES, Segment.DS, Segment.FS, Segment.GS]) {
        const attributes = f.get("segmentAttributes", segment);
        const isOuter = f.eq(f.and(attributes, f.constant(32, 0x60)), f.constant(32, 0x60));
        require(f, f.or(f.eqz(attributes), isOuter));
      }
    });

    const commit = (): void => {
      const old = f.and(readFlags(f), f.constant(32, ~(POPPED | Rflags.RF)));
      // RF would be cleared by the next instruction, and without code breakpoints nothing can tell the difference.
      writeFlags(f, f.let(f.or(old, f.and(popped, f.constant(32, POPPED)))));
      f.storeOffset(f.cpu, rsp, guestState.gpr.offset + 8 * RSP);
      setSegment(f, Segment.CS, selector, code);
      f.set("cpl", level);
      f.set("rip", rip);
      f.callVoid("select_tlb", [f.cpu]);
      f.return(f.constant(32, 1));
    };
    f.if(f.eqz(f.and(stackSelector, f.constant(32, 0xfffc))), () => {
      // Null is a stack segment for 64-bit code below level 3.
      require(f, f.eqz(level));
      clearSegment(f, Segment.SS, stackSelector);
      commit();
    });
    const data = readGdt(f, stackSelector);
    const isData = f.eq(
      f.and(data.high, f.constant(32, WRITABLE_DATA.mask)),
      f.or(f.constant(32, WRITABLE_DATA.value), levelBits),
    );
    require(f, isData);
    setSegment(f, Segment.SS, stackSelector, data);
    commit();
    f.return(f.constant(32, 0));
  },
};
