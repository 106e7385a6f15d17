import { Mode, Rflags } from "../../runtime/abi/guest-state.ts";
import { Tlb } from "../../runtime/abi/memory-map.ts";
import type { StateBuilder } from "../emit/state.ts";
import type { Value } from "../emit/value.ts";
import type { Helper } from "./helper.ts";
import { tlbEntry, tlbHit, tlbOffset } from "./tlb.ts";

// REP MOVS and REP STOS, several elements at once: as many as lie in the pages that the first ones touch. Each gives the bytes
// that it moved, a multiple of the element size, or 0 when the instruction must go element by element: strings that go down,
// single-stepping, a page that the TLB does not know (a fault, a device, a page with code), an element across two pages.

/** Leaves the function under construction with 0 unless `condition`. */
function require(f: StateBuilder, condition: Value): void {
  f.if(f.eqz(condition), () => f.return(f.constant(32, 0)));
}

function requireForward(f: StateBuilder): void {
  require(f, f.eqz(f.and(f.get("rflags"), f.constant(32, Rflags.DF | Rflags.TF))));
  require(f, f.eqz(f.and(f.get("mode"), f.constant(32, Mode.STEP))));
}

/** Offset in linear memory of a byte whose page the TLB knows. */
function known(f: StateBuilder, gva: Value, table: number): Value {
  const entry = tlbEntry(f, gva);
  require(f, tlbHit(f, entry, gva, 1, table));
  return f.let(tlbOffset(f, entry, gva, table));
}

function bytesLeftInPage(f: StateBuilder, gva: Value): Value {
  return f.let(f.sub(f.constant(32, 4096), f.and(f.truncate(gva, 32), f.constant(32, 4095))));
}

function lesser(f: StateBuilder, left: Value, right: Value): Value {
  return f.let(f.select(f.ltU(left, right), left, right));
}

/** Bytes of `count` elements, but no more than a page. */
function bytesOf(f: StateBuilder, count: Value, elementBytes: Value): Value {
  const few = f.select(f.ltU(count, f.constant(64, 4096)), f.truncate(count, 32), f.constant(32, 4096));
  return f.let(f.mul(few, elementBytes));
}

/** Rounds down to whole elements; their size is a power of two. */
function whole(f: StateBuilder, byteLength: Value, elementBytes: Value): Value {
  return f.let(f.and(byteLength, f.neg(elementBytes)));
}

/** copy_forward(source gva, destination gva, count, element size) */
const copyForward: Helper = {
  name: "copy_forward",
  params: ["i64", "i64", "i64", "i32"],
  result: "i32",
  emit(f, [source, destination, count, elementBytes]) {
    if (!source || !destination || !count || !elementBytes) return;
    requireForward(f);
    const from = known(f, source, Tlb.READ);
    const to = known(f, destination, Tlb.WRITE);
    const inPages = lesser(f, bytesLeftInPage(f, source), bytesLeftInPage(f, destination));
    const most = lesser(f, bytesOf(f, count, elementBytes), inPages);
    // A destination close behind the source repeats what lies between them: no more at once than the distance.
    const distance = f.let(f.sub(to, from));
    const isBehind = f.and(f.gtU(to, from), f.ltU(distance, most));
    const byteLength = whole(f, f.let(f.select(isBehind, distance, most)), elementBytes);
    f.memoryCopy(to, from, byteLength);
    f.return(byteLength);
  },
};

/** fill_forward(destination gva, count, element size, element) */
const fillForward: Helper = {
  name: "fill_forward",
  params: ["i64", "i64", "i32", "i64"],
  result: "i32",
  emit(f, [destination, count, elementBytes, element]) {
    if (!destination || !count || !elementBytes || !element) return;
    requireForward(f);
    const to = known(f, destination, Tlb.WRITE);
    const most = lesser(f, bytesOf(f, count, elementBytes), bytesLeftInPage(f, destination));
    const byteLength = whole(f, most, elementBytes);
    f.if(f.eq(elementBytes, f.constant(32, 1)), () => {
      f.memoryFill(to, f.truncate(element, 32), byteLength);
      f.return(byteLength);
    });
    require(f, byteLength);
    f.if(
      f.eq(elementBytes, f.constant(32, 8)),
      () => f.storeOffset(to, element),
      () =>
        f.if(
          f.eq(elementBytes, f.constant(32, 4)),
          () => f.storeOffset(to, f.truncate(element, 32)),
          () => f.storeOffset(to, f.truncate(element, 16)),
        ),
    );
    // What is filled already is copied behind itself, twice as much each time.
    const filled = f.variable(elementBytes);
    f.block((done) =>
      f.loop((again) => {
        const left = f.let(f.sub(byteLength, filled.get()));
        f.break(done, f.eqz(left));
        const next = lesser(f, left, f.let(filled.get()));
        f.memoryCopy(f.add(to, filled.get()), to, next);
        filled.set(f.add(filled.get(), next));
        f.continue(again);
      }),
    );
    f.return(byteLength);
  },
};

export const stringHelpers: readonly Helper[] = [copyForward, fillForward];
