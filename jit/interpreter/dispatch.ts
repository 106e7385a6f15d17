import {
  DELIVERY_BUDGET,
  Exit,
  guestState,
  Mode,
  NO_ERROR_CODE,
  SEGMENT_VIOLATION,
  Segment,
  UnitTrap,
  Vector,
} from "../../runtime/abi/guest-state.ts";
import { BLOCK_HASH, BlockHashEntry, MemoryMap, Rec, Tlb } from "../../runtime/abi/memory-map.ts";
import { ENTRY_HANDLERS, ENTRY_MARK, EntryRecord, LinkCell, REGION_IMPORTS } from "../../runtime/abi/translator.ts";
import type { WasmModule } from "../emit/module.ts";
import { StateBuilder } from "../emit/state.ts";
import type { Value } from "../emit/value.ts";
import { tlbEntry, tlbOffset } from "../helpers/tlb.ts";
import { addNoteBranch, countBranch } from "./branch-samples.ts";
import { CallOutStatus } from "./call-out-numbers.ts";
import { HANDLER_PARAMS, HANDLER_RESULTS, HANDLER_TABLE } from "./emitter.ts";

/** Handlers that no instruction names; they come first in the table, in this order. */
export const SPECIAL_HANDLERS = [
  "stale",
  "fall_through",
  "undefined_opcode",
  "too_long",
  "page_crossing",
  ...ENTRY_HANDLERS,
] as const;
export type SpecialHandler = (typeof SPECIAL_HANDLERS)[number];

/** Builds a function of the handler's type: (vCPU base, record) -> exit reason. */
class Dispatch extends StateBuilder {
  get record(): Value {
    return this.parameter(1);
  }
  field16(at: number): Value {
    return this.extend(this.loadOffset(16, this.record, at), 32);
  }
  field8(at: number): Value {
    return this.extend(this.loadOffset(8, this.record, at), 32);
  }
  setRip(rip: Value): void {
    this.storeOffset(this.cpu, rip, guestState.rip.offset);
  }
  ripPage(): Value {
    return this.loadOffset(64, this.cpu, guestState.ripPage.offset);
  }
  currentRip(): Value {
    return this.let(this.add(this.ripPage(), this.extend(this.field16(Rec.PAGE_OFFSET), 64)));
  }
  /** RIP after this instruction; wraps at 4 GiB outside 64-bit mode. */
  nextRip(): Value {
    const sum = this.add(this.currentRip(), this.extend(this.field8(Rec.LENGTH), 64));
    return this.let(this.and(sum, this.codeMask()));
  }
  codeMask(): Value {
    const code = this.and(this.get("mode"), this.constant(32, Mode.CODE_SIZE_MASK));
    const long = this.eq(code, this.constant(32, Mode.CODE64));
    return this.select(long, this.constant(64, -1n), this.constant(64, 0xffff_ffffn));
  }
  /** Takes instructions off the budget; gives what is left. */
  charge(count: Value): Value {
    const left = this.let(this.sub(this.loadOffset(32, this.cpu, guestState.budget.offset), count));
    this.storeOffset(this.cpu, left, guestState.budget.offset);
    return left;
  }
  /** Instructions of the block up to and including this one. */
  upToHere(): Value {
    return this.add(this.field16(Rec.INDEX_IN_BLOCK), this.constant(32, 1));
  }
  dispatch(record: Value): void {
    const to = this.let(record);
    const handler = this.loadOffset(32, to, Rec.HANDLER);
    this.dispatchTo(handler, to);
  }
  dispatchTo(handler: Value, record: Value): void {
    this.tailCallIndirect(HANDLER_TABLE, handler, [this.cpu, record], HANDLER_PARAMS, HANDLER_RESULTS);
  }
  leave(reason: number): void {
    this.return(this.constant(32, reason));
  }
  /** Linear address of an instruction pointer. */
  linear(pointer: Value): Value {
    const rip = this.let(pointer);
    const code = this.and(this.get("mode"), this.constant(32, Mode.CODE_SIZE_MASK));
    const long = this.eq(code, this.constant(32, Mode.CODE64));
    const based = this.and(this.add(rip, this.get("segmentBase", Segment.CS)), this.constant(64, 0xffff_ffffn));
    return this.let(this.select(long, rip, based));
  }
}

type Body = (f: Dispatch) => void;

/** The functions that connect blocks: finding, linking, leaving. */
export function addDispatch(module: WasmModule): void {
  const handler = (name: string, body: Body): void => {
    const f = new Dispatch(module.raw, name, HANDLER_PARAMS, HANDLER_RESULTS);
    body(f);
    f.finish();
  };

  addGoto(module, "goto", (_, record) => record);
  addGoto(module, "goto_interpreter", behindEntry);
  addGotoLink(module);
  addGotoFrom(module);
  for (const name of Object.keys(REGION_IMPORTS)) module.export(name);

  handler("stale", (f) => {
    // The block was dropped: what follows from here must be decoded again.
    const rip = f.currentRip();
    const left = f.charge(f.field16(Rec.INDEX_IN_BLOCK));
    f.if(f.ltS(left, f.constant(32, 0)), () => {
      f.setRip(rip);
      f.leave(Exit.BUDGET);
    });
    f.tailCall("goto", [f.cpu, rip]);
  });

  handler("fall_through", (f) => {
    // This record is no instruction: its index is the number of instructions before it.
    const left = f.charge(f.field16(Rec.INDEX_IN_BLOCK));
    f.if(f.ltS(left, f.constant(32, 0)), () => {
      f.setRip(f.nextRip());
      f.leave(Exit.BUDGET);
    });
    const link = f.let(f.loadOffset(32, f.record, Rec.LINK_NOT_TAKEN));
    f.if(link, () => f.dispatch(link));
    f.tailCall("resolve_not_taken", [f.cpu, f.record]);
  });

  handler("undefined_opcode", (f) => {
    f.set("exitVector", f.constant(32, Vector.UD));
    f.set("exitErrorCode", f.constant(32, NO_ERROR_CODE));
    f.tailCall("leave_with_fault", [f.cpu, f.record]);
  });

  handler("too_long", (f) => {
    f.set("exitVector", f.constant(32, Vector.GP));
    f.set("exitErrorCode", f.constant(32, 0));
    f.tailCall("leave_with_fault", [f.cpu, f.record]);
  });

  handler("page_crossing", (f) => {
    // The next instruction's tail lies in the next linear page: still the one that was decoded?
    const next = f.linear(f.add(f.ripPage(), f.constant(64, 4096)));
    const expected = f.let(f.loadOffset(32, f.record, Rec.IMMEDIATE));
    const entry = tlbEntry(f, next);
    const hit = f.eq(f.loadOffset(64, entry, Tlb.EXECUTE + Tlb.TAG), f.and(next, f.constant(64, -4096n)));
    const offset = f.choose(
      hit,
      () => tlbOffset(f, entry, next, Tlb.EXECUTE),
      () => f.call("fetch_slow", [f.cpu, next], "i32"),
    );
    f.if(f.eq(offset, expected), () => f.dispatch(f.add(f.record, f.constant(32, Rec.BYTES))));
    f.if(f.eqz(offset), () => f.tailCall("leave_with_fault", [f.cpu, f.record]));
    f.setRip(f.currentRip());
    f.set("exitRecord", f.record);
    f.leave(Exit.NEED_BLOCK);
  });

  handler("enter_block", (f) => f.dispatch(firstRecord(f)));

  /** Counts how often something is entered, and leaves when that was enough. */
  const counter = (name: string, enter: Body): void =>
    handler(name, (f) => {
      const left = f.let(f.sub(f.loadOffset(32, f.record, EntryRecord.COUNTDOWN), f.constant(32, 1)));
      f.storeOffset(f.record, left, EntryRecord.COUNTDOWN);
      f.if(left, () => enter(f));
      f.setRip(f.currentRip());
      f.set("exitRecord", f.record);
      f.leave(Exit.TRANSLATE);
    });
  counter("count_block", (f) => f.dispatch(firstRecord(f)));
  counter("count_region", (f) => f.dispatchTo(f.loadOffset(32, f.record, EntryRecord.REGION), f.record));

  addResolve(module, "resolve_taken", Rec.LINK_TAKEN, (f) => {
    const shift = f.extend(f.field8(Rec.ADDRESS_SHIFT), 64);
    const sum = f.add(f.ripPage(), f.loadOffset(64, f.record, Rec.DISPLACEMENT));
    return f.let(f.and(sum, f.shrU(f.constant(64, -1n), shift)));
  });
  addResolve(module, "resolve_not_taken", Rec.LINK_NOT_TAKEN, (f) => f.nextRip());

  handler("leave_before", (f) => {
    f.drop(f.charge(f.field16(Rec.INDEX_IN_BLOCK)));
    f.setRip(f.currentRip());
    f.leave(Exit.BUDGET);
  });

  for (const [name, violation] of [
    ["leave_with_fault", undefined],
    ["leave_with_stack_fault", Segment.SS],
  ] as const) {
    handler(name, (f) => {
      f.drop(f.charge(f.field16(Rec.INDEX_IN_BLOCK)));
      f.setRip(f.currentRip());
      f.set("exitRecord", f.record);
      f.if(f.eq(f.get("exitVector"), f.constant(32, SEGMENT_VIOLATION)), () => {
        const segment = violation === undefined ? f.field8(Rec.SEGMENT_NUMBER) : f.constant(32, violation);
        const isStack = f.eq(segment, f.constant(32, Segment.SS));
        f.set("exitVector", f.select(isStack, f.constant(32, Vector.SS), f.constant(32, Vector.GP)));
      });
      f.tailCall("fault", [f.cpu]);
    });
  }

  handler("end_block", (f) => {
    const rip = f.nextRip();
    leaveOrGo(f, f.charge(f.upToHere()), rip);
  });

  handler("halt", (f) => {
    f.drop(f.charge(f.upToHere()));
    f.setRip(f.nextRip());
    f.leave(Exit.HALT);
  });

  const after = new Dispatch(module.raw, "after_call_out", [...HANDLER_PARAMS, "i32"], HANDLER_RESULTS);
  const status = after.parameter(2);
  after.if(after.eq(status, after.constant(32, CallOutStatus.FAULT)), () =>
    after.tailCall("leave_with_fault", [after.cpu, after.record]),
  );
  const left = after.charge(after.upToHere());
  after.if(after.eq(status, after.constant(32, CallOutStatus.EXIT)), () => after.return(after.get("exitReason")));
  leaveOrGo(after, left, after.let(after.loadOffset(64, after.cpu, guestState.rip.offset)));
  after.finish();

  addFault(module);

  const trap = new Dispatch(module.raw, "leave_unit_trap", [...HANDLER_PARAMS, "i32"], HANDLER_RESULTS);
  emitUnitTrap(trap, trap.parameter(2));
  trap.finish();

  const run = new Dispatch(module.raw, "run", ["i32"], ["i32"]);
  run.tailCall("goto", [run.cpu, run.let(run.loadOffset(64, run.cpu, guestState.rip.offset))]);
  run.finish();
  module.export("run");
}

/** Goes on at `rip` unless the budget is spent or an event waits. */
function leaveOrGo(f: Dispatch, left: Value, rip: Value): void {
  f.setRip(rip);
  f.if(f.ltS(left, f.constant(32, 0)), () => f.leave(Exit.BUDGET));
  f.if(f.get("pendingEvents"), () => f.leave(Exit.EVENT));
  f.tailCall("goto", [f.cpu, rip]);
}

/** fault(): delivers the fault in the exit fields to the guest, or leaves with it. All instructions before it are charged. */
function addFault(module: WasmModule): void {
  const f = new Dispatch(module.raw, "fault", ["i32"], ["i32"]);
  const [vector, code, address] = [f.get("exitVector"), f.get("exitErrorCode"), f.get("exitAddress")];
  f.if(f.call("enter_fault", [f.cpu, vector, code, address], "i32"), () => {
    f.set("faultsDelivered", f.add(f.get("faultsDelivered"), f.constant(64, 1n)));
    f.set("repeatIterations", f.add(f.get("repeatIterations"), f.constant(32, DELIVERY_BUDGET)));
    const left = f.charge(f.constant(32, DELIVERY_BUDGET));
    leaveOrGo(f, left, f.let(f.loadOffset(64, f.cpu, guestState.rip.offset)));
  });
  // A page walk on the way may have noted a fault of its own.
  f.set("exitVector", vector);
  f.set("exitErrorCode", code);
  f.set("exitAddress", address);
  f.leave(Exit.FAULT);
  f.finish();
}

/** The record of the block's first instruction, behind its entry record. */
function firstRecord(f: Dispatch): Value {
  return f.add(f.record, f.constant(32, Rec.BYTES));
}

/** The first record of a block that is no entry record. */
function behindEntry(f: Dispatch, record: Value): Value {
  const mark = f.extend(f.loadOffset(8, record, EntryRecord.MARK), 32);
  const isEntry = f.eq(mark, f.constant(32, ENTRY_MARK));
  return f.add(record, f.mul(isEntry, f.constant(32, Rec.BYTES)));
}

/** goto(cpu, rip): runs the decoded block at rip, or leaves because there is none or because it cannot be fetched. */
function addGoto(module: WasmModule, name: string, start: (f: Dispatch, record: Value) => Value): void {
  const f = new Dispatch(module.raw, name, ["i32", "i64"], ["i32"]);
  const rip = f.parameter(1);
  const { record, ripPage } = findBlock(f, rip);
  f.storeOffset(f.cpu, ripPage, guestState.ripPage.offset);
  f.dispatch(start(f, record));
  f.finish();
}

/** goto_link(cpu, rip, cell): goto that notes the block in a region's link cell. */
function addGotoLink(module: WasmModule): void {
  const f = new Dispatch(module.raw, "goto_link", ["i32", "i64", "i32"], ["i32"]);
  const { record, ripPage, offset } = findBlock(f, f.parameter(1));
  f.storeOffset(f.parameter(2), record, LinkCell.RECORD);
  f.storeOffset(f.parameter(2), f.and(offset, f.constant(32, -4096)), LinkCell.PAGE);
  f.storeOffset(f.cpu, ripPage, guestState.ripPage.offset);
  f.dispatch(record);
  f.finish();
}

/** goto_from(cpu, rip, branch, place): goto that takes samples of where branches lead. */
function addGotoFrom(module: WasmModule): void {
  addNoteBranch(module);
  const f = new Dispatch(module.raw, "goto_from", ["i32", "i64", "i32", "i64"], ["i32"]);
  countBranch(f, f.parameter(2), f.parameter(3));
  const { record, ripPage } = findBlock(f, f.parameter(1));
  f.storeOffset(f.cpu, ripPage, guestState.ripPage.offset);
  f.dispatch(record);
  f.finish();
}

/** The record of the block at rip, the new ripPage and the offset of the code; leaves the function when there is none. */
function findBlock(
  f: Dispatch,
  rip: Value,
): { readonly record: Value; readonly ripPage: Value; readonly offset: Value } {
  const linear = f.linear(rip);
  const entry = tlbEntry(f, linear);
  const hit = f.eq(f.loadOffset(64, entry, Tlb.EXECUTE + Tlb.TAG), f.and(linear, f.constant(64, -4096n)));
  const offset = f.choose(
    hit,
    () => tlbOffset(f, entry, linear, Tlb.EXECUTE),
    () => {
      const slow = f.call("fetch_slow", [f.cpu, linear], "i32");
      f.if(f.eqz(slow), () => {
        f.setRip(rip);
        f.set("exitRecord", f.constant(32, 0));
        // A violation of the segment comes before the fault of the page.
        const limit = f.extend(f.get("segmentLimit", Segment.CS), 64);
        const code = f.and(f.get("mode"), f.constant(32, Mode.CODE_SIZE_MASK));
        const beyond = f.and(f.ne(code, f.constant(32, Mode.CODE64)), f.gtU(rip, limit));
        f.if(f.or(beyond, f.eq(f.get("exitVector"), f.constant(32, SEGMENT_VIOLATION))), () => {
          f.set("exitVector", f.constant(32, Vector.GP));
          f.set("exitErrorCode", f.constant(32, 0));
        });
        f.tailCall("fault", [f.cpu]);
      });
      return slow;
    },
  );
  const page = f.mul(f.shrU(offset, f.constant(32, 12)), f.constant(32, BLOCK_HASH.MULTIPLIER));
  const granule = f.shrU(offset, f.constant(32, BLOCK_HASH.GRANULE_SHIFT));
  const index = f.xor(
    f.shrU(page, f.constant(32, BLOCK_HASH.SHIFT)),
    f.and(granule, f.constant(32, BLOCK_HASH.GRANULE_MASK)),
  );
  const slot = f.let(f.mul(index, f.constant(32, BlockHashEntry.BYTES)));
  // An entry is one word: the offset below, the record and the mode above.
  const wanted = f.let(f.or(f.extend(offset, 64), f.shl(f.extend(f.get("mode"), 64), f.constant(64, 32))));
  const key = (BigInt(BlockHashEntry.MODE_MASK) << 32n) | 0xffff_ffffn;
  const differs = (entry: Value): Value => f.ne(f.and(f.xor(entry, wanted), f.constant(64, key)), f.constant(64, 0n));
  const first = f.let(f.loadOffset(64, slot, MemoryMap.BLOCK_HASH));
  const entryFound = f.choose(
    differs(first),
    () => {
      const far = f.shrU(f.mul(offset, f.constant(32, BLOCK_HASH.MULTIPLIER)), f.constant(32, BLOCK_HASH.SHIFT));
      const second = f.let(f.loadOffset(64, f.mul(far, f.constant(32, BlockHashEntry.BYTES)), MemoryMap.BLOCK_HASH));
      f.if(differs(second), () => {
        f.setRip(rip);
        f.set("exitRecord", f.constant(32, 0));
        f.leave(Exit.NEED_BLOCK);
      });
      return second;
    },
    () => first,
  );
  const above = f.truncate(f.shrU(entryFound, f.constant(64, 32)), 32);
  const record = f.let(f.and(above, f.constant(32, ~BlockHashEntry.MODE_MASK)));
  const ripPage = f.let(f.sub(rip, f.and(linear, f.constant(64, 0xfffn))));
  return { record, ripPage, offset };
}

/** Follows a direct branch whose link is empty, and links it when both ends lie in the same page. */
function addResolve(module: WasmModule, name: string, link: number, target: (f: Dispatch) => Value): void {
  const f = new Dispatch(module.raw, name, HANDLER_PARAMS, HANDLER_RESULTS);
  const rip = target(f);
  f.if(f.ne(f.and(f.get("mode"), f.constant(32, Mode.CODE_SIZE_MASK)), f.constant(32, Mode.CODE64)), () => {
    f.if(f.gtU(rip, f.extend(f.get("segmentLimit", Segment.CS), 64)), () => {
      // Branches that are taken have checked their target. What ran past the limit is the fetch of the next instruction.
      f.set("exitVector", f.constant(32, Vector.GP));
      f.set("exitErrorCode", f.constant(32, 0));
      f.setRip(rip);
      f.set("exitRecord", f.constant(32, 0));
      f.leave(Exit.FAULT);
    });
  });
  const before = f.let(f.ripPage());
  const { record, ripPage } = findBlock(f, rip);
  f.if(
    f.eq(ripPage, before),
    () => f.storeOffset(f.record, record, link),
    () => f.storeOffset(f.cpu, ripPage, guestState.ripPage.offset),
  );
  f.dispatch(record);
  f.finish();
}

/** Turns a unit trap into the fault that CR0 and CR4 ask for. SDM Vol. 3A, 2.5 and table 10-1. */
function emitUnitTrap(f: Dispatch, trap: Value): void {
  const emulation = f.and(f.get("cr0"), f.constant(64, 4n));
  const noSse = f.and(f.eq(trap, f.constant(32, UnitTrap.SSE)), f.eqz(f.and(f.get("cr4"), f.constant(64, 0x200n))));
  const isX87 = f.eq(trap, f.constant(32, UnitTrap.X87));
  const undefinedOpcode = f.and(f.or(f.ne(emulation, f.constant(64, 0n)), noSse), f.eqz(isX87));
  f.set("exitVector", f.select(undefinedOpcode, f.constant(32, Vector.UD), f.constant(32, Vector.NM)));
  f.set("exitErrorCode", f.constant(32, NO_ERROR_CODE));
  f.tailCall("leave_with_fault", [f.cpu, f.record]);
}
