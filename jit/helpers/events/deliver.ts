import {
  EventPath,
  guestState,
  Mode,
  NO_ERROR_CODE,
  Rflags,
  Segment,
  Vector,
} from "../../../runtime/abi/guest-state.ts";
import type { StateBuilder } from "../../emit/state.ts";
import type { Value } from "../../emit/value.ts";
import type { Helper } from "../helper.ts";
import { readFlags } from "./flags.ts";
import {
  clearSegment,
  explicitBank,
  implicitBank,
  isCanonical,
  readable,
  readGdt,
  require,
  setSegment,
  writable,
} from "./system-memory.ts";

const RSP = 4;
/** Vectors that push an error code, as bits; SDM Vol. 3A, table 6-1. */
const WITH_ERROR_CODE = [Vector.DF, Vector.TS, Vector.NP, Vector.SS, Vector.GP, Vector.PF, Vector.AC].reduce(
  (bits, vector) => bits | (1 << vector),
  0,
);
/** Present, and of type 14 or 15: interrupt or trap gate. Bits of the second word of a gate. */
const Gate = { KIND_MASK: 0x9e00, KIND: 0x8e00, TRAP: 0x100, DPL_SHIFT: 13, IST_MASK: 7 } as const;
/** Present, level 0, non-conforming, accessed 64-bit code. Bits of the second word of a descriptor. */
const KERNEL_CODE = { mask: 0x0060_fd00, value: 0x0020_9900 } as const;
/** Offsets in the 64-bit TSS; SDM Vol. 3A, figure 8-11. */
const Tss = { RSP0: 4, IST1: 0x24 } as const;

/** What is delivered. */
interface Event {
  readonly vector: Value;
  readonly returnRip: Value;
  /** INT n and INT3: the gate's privilege is checked */
  readonly software: boolean;
  /** 1 when `errorCode` is pushed */
  readonly hasErrorCode: Value;
  readonly errorCode: Value;
}

/**
 * Enters a handler of level 0 through a 64-bit gate, from 64-bit code, or returns 0 from the function under construction with nothing
 * changed. The same as enterLong in runtime/cpu/enter-handler.ts, in its order: what is walked before it gives up is what that walks.
 */
function enterHandler(f: StateBuilder, event: Event): void {
  require(f, f.and(f.get("eventPaths"), f.constant(32, EventPath.DELIVER)));
  require(f, f.eq(f.get("mode"), f.constant(32, Mode.CODE64)));
  const cpl = f.get("cpl");

  const index = f.let(f.shl(event.vector, f.constant(32, 4)));
  require(f, f.leU(f.add(index, f.constant(32, 15)), f.get("idtLimit")));
  const gateAt = readable(f, f.let(f.add(f.get("idtBase"), f.extend(index, 64))), 16, implicitBank(f));
  const gateLow = f.let(f.loadOffset(32, gateAt, 0));
  const gateHigh = f.let(f.loadOffset(32, gateAt, 4));
  const gateUpper = f.let(f.loadOffset(32, gateAt, 8));
  require(f, f.eq(f.and(gateHigh, f.constant(32, Gate.KIND_MASK)), f.constant(32, Gate.KIND)));
  if (event.software) {
    const dpl = f.and(f.shrU(gateHigh, f.constant(32, Gate.DPL_SHIFT)), f.constant(32, 3));
    require(f, f.geU(dpl, cpl));
  }
  const low = f.or(f.and(gateLow, f.constant(32, 0xffff)), f.and(gateHigh, f.constant(32, 0xffff_0000)));
  const target = f.let(f.or(f.extend(low, 64), f.shl(f.extend(gateUpper, 64), f.constant(64, 32))));
  const selector = f.let(f.shrU(gateLow, f.constant(32, 16)));

  const code = readGdt(f, selector);
  require(f, f.eq(f.and(code.high, f.constant(32, KERNEL_CODE.mask)), f.constant(32, KERNEL_CODE.value)));

  const ist = f.let(f.and(gateHigh, f.constant(32, Gate.IST_MASK)));
  const rsp = f.let(f.loadOffset(64, f.cpu, guestState.gpr.offset + 8 * RSP));
  const pointer = f.choose(
    f.or(ist, cpl),
    () => {
      const istAt = f.add(f.shl(ist, f.constant(32, 3)), f.constant(32, Tss.IST1 - 8));
      const at = f.let(f.select(ist, istAt, f.constant(32, Tss.RSP0)));
      require(f, f.leU(f.add(at, f.constant(32, 7)), f.get("segmentLimit", Segment.TR)));
      const linear = f.let(f.add(f.get("segmentBase", Segment.TR), f.extend(at, 64)));
      return f.let(f.loadOffset(64, readable(f, linear, 8, implicitBank(f)), 0));
    },
    () => rsp,
  );
  require(f, isCanonical(f, pointer));
  // After the frame is written the slow path looks at this; what raises a fault there is left to it.
  require(f, isCanonical(f, target));

  const codeBytes = f.let(f.shl(event.hasErrorCode, f.constant(32, 3)));
  const frameBytes = f.let(f.add(codeBytes, f.constant(32, 40)));
  const aligned = f.and(pointer, f.constant(64, -16n));
  const newRsp = f.let(f.sub(aligned, f.extend(frameBytes, 64)));
  const frame = f.let(f.add(writable(f, newRsp, frameBytes, explicitBank(f)), codeBytes));
  const flags = readFlags(f);
  f.if(event.hasErrorCode, () => f.storeOffset(f.sub(frame, f.constant(32, 8)), f.extend(event.errorCode, 64), 0));
  // Faults save RF = 1: the instruction is restarted. SDM Vol. 3B, 17.3.1.1.
  const saved = event.software ? flags : f.or(flags, f.constant(32, Rflags.RF));
  f.storeOffset(frame, event.returnRip, 0);
  f.storeOffset(frame, f.extend(f.get("segmentSelector", Segment.CS), 64), 8);
  f.storeOffset(frame, f.extend(saved, 64), 16);
  f.storeOffset(frame, rsp, 24);
  f.storeOffset(frame, f.extend(f.get("segmentSelector", Segment.SS), 64), 32);

  f.storeOffset(f.cpu, newRsp, guestState.gpr.offset + 8 * RSP);
  f.if(cpl, () => clearSegment(f, Segment.SS, f.constant(32, 0)));
  const always = ~(Rflags.TF | Rflags.NT | Rflags.RF | Rflags.VM);
  const isTrap = f.and(gateHigh, f.constant(32, Gate.TRAP));
  const kept = f.select(isTrap, f.constant(32, always), f.constant(32, always & ~Rflags.IF));
  // The arithmetic flags stay, and so does the form they have.
  f.set("rflags", f.and(f.get("rflags"), kept));
  setSegment(f, Segment.CS, f.let(f.and(selector, f.constant(32, 0xfffc))), code);
  f.set("cpl", f.constant(32, 0));
  f.set("rip", target);
  f.set("interruptShadow", f.constant(32, 0));
  f.callVoid("select_tlb", [f.cpu]);
}

/** software_interrupt(vector, instruction length): INT n and INT3; 1 if the handler has been entered. */
const softwareInterrupt: Helper = {
  name: "software_interrupt",
  params: ["i32", "i32"],
  result: "i32",
  emit(f, [vector, length]) {
    if (!vector || !length) return;
    const returnRip = f.let(f.add(f.get("rip"), f.extend(length, 64)));
    const none = f.constant(32, 0);
    enterHandler(f, { vector, returnRip, software: true, hasErrorCode: none, errorCode: none });
    f.return(f.constant(32, 1));
  },
};

/** enter_fault(vector, error code, CR2): a fault of the instruction at guestState.rip; 1 if its handler has been entered. */
const enterFault: Helper = {
  name: "enter_fault",
  params: ["i32", "i32", "i64"],
  result: "i32",
  emit(f, [vector, code, cr2]) {
    if (!vector || !code || !cr2) return;
    // DR6 and DR7 go with a debug exception, and a double fault is one that met another.
    require(f, f.and(f.ne(vector, f.constant(32, Vector.DB)), f.ltU(vector, f.constant(32, 32))));
    const hasErrorCode = f.let(f.and(f.shrU(f.constant(32, WITH_ERROR_CODE), vector), f.constant(32, 1)));
    const absent = f.eq(code, f.constant(32, NO_ERROR_CODE));
    const errorCode = f.let(f.select(absent, f.constant(32, 0), code));
    enterHandler(f, { vector, returnRip: f.get("rip"), software: false, hasErrorCode, errorCode });
    f.if(f.eq(vector, f.constant(32, Vector.PF)), () => f.set("cr2", cr2));
    f.return(f.constant(32, 1));
  },
};

export const deliveryHelpers: readonly Helper[] = [softwareInterrupt, enterFault];
