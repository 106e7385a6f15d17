import type { Label } from "../emit/function.ts";
import type { Value } from "../emit/value.ts";
import type { TranslatorEmitter } from "./emitter.ts";

/** Places that a branch is compared with one after the other; where there are more, it looks in a table. */
const LONGEST_CHAIN = 3;
/** Entries of a table, as a power of two: at most 128. */
const MAXIMUM_BITS = 7;
/** Multipliers that are tried for each size of a table, besides powers of two. */
const ATTEMPTS = 200;
const GOLDEN_RATIO = 0x9e37_79b1;

/** Tells places apart: that of `slots[(low 32 bits of a place * multiplier) >>> shift]` is the only one that it can be. */
export interface PlaceTable {
  readonly multiplier: number;
  readonly shift: number;
  /** indices of places, -1 where there is none */
  readonly slots: Int8Array;
}

/** The smallest table that is found; undefined if none is, as for places whose low 32 bits are the same. */
export function placeTable(places: readonly number[]): PlaceTable | undefined {
  const words = places.map((place) => wordOf(place));
  for (let bits = Math.ceil(Math.log2(places.length)); bits <= MAXIMUM_BITS; bits++) {
    // A power of two picks bits that stand side by side: a shift, which costs less than a multiplication.
    for (let power = 32 - bits; power >= 0; power--) {
      const table = tableOf(words, 1 << power, bits);
      if (table) return table;
    }
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const table = tableOf(words, Math.imul(attempt, GOLDEN_RATIO) | 1, bits);
      if (table) return table;
    }
  }
  return undefined;
}

function tableOf(words: readonly number[], multiplier: number, bits: number): PlaceTable | undefined {
  const shift = 32 - bits;
  const slots = new Int8Array(1 << bits).fill(-1);
  for (const [index, word] of words.entries()) {
    const slot = Math.imul(word, multiplier) >>> shift;
    if ((slots[slot] ?? 0) >= 0) return undefined;
    slots[slot] = index;
  }
  return { multiplier, shift, slots };
}

/** The low 32 bits of a place. */
function wordOf(place: number): number {
  return place | 0;
}

/**
 * Goes on at the place that an indirect branch leads to, if it is one of those that are known.
 *
 * The guest computes the target anew each time, so that whatever it was found to be before, from a table or a pointer, is no more than a
 * guess: the target itself is compared before control goes on.
 *
 * @param target relative to where places count from; named
 * @param places most frequent first
 * @param goTo goes on at a place, and never comes back
 * @param leave goes on at any other, likewise
 */
export function emitDispatch(
  e: TranslatorEmitter,
  target: Value,
  places: readonly number[],
  goTo: (place: number) => void,
  leave: () => void,
): void {
  const table = places.length > LONGEST_CHAIN ? placeTable(places) : undefined;
  if (table) emitTable(e, target, places, table, goTo, leave);
  else emitChain(e, target, places, goTo, leave);
}

function emitChain(
  e: TranslatorEmitter,
  target: Value,
  [place, ...others]: readonly number[],
  goTo: (place: number) => void,
  leave: () => void,
): void {
  if (place === undefined) return leave();
  e.plainIf(
    e.eq(target, e.constant(64, place)),
    () => goTo(place),
    () => emitChain(e, target, others, goTo, leave),
  );
}

function emitTable(
  e: TranslatorEmitter,
  target: Value,
  places: readonly number[],
  { multiplier, shift, slots }: PlaceTable,
  goTo: (place: number) => void,
  leave: () => void,
): void {
  const arms: Label[] = [];
  e.plainBlock((leaving) => {
    const nest = (index: number): void => {
      const place = places[index];
      if (place === undefined) {
        const product = e.mul(e.truncate(target, 32), e.constant(32, multiplier));
        const labels = Array.from(slots, (slot) => arms[slot] ?? leaving);
        return e.switch(e.shrU(product, e.constant(32, shift)), [...labels, leaving]);
      }
      e.plainBlock((arm) => {
        arms.push(arm);
        nest(index + 1);
      });
      e.plainIf(
        e.unlikely(e.ne(target, e.constant(64, place))),
        () => e.plainBreak(leaving),
        () => goTo(place),
      );
    };
    nest(0);
  });
  leave();
}
